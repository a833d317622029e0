import type { Finding, KnownRun } from './finding.ts'
import { type Found, microsOf, type Publication } from './ledger.ts'
import type { KeptRow, Mode, Row } from './modes.ts'
import { judgeEnds } from './words.ts'

/** Judges a target by what lies in its tables. `looks` are contents of the table that a reader saw meanwhile. */
export function judge(
  mode: Mode,
  found: Found,
  runs: ReadonlyMap<string, KnownRun>,
  looks: readonly (readonly KeptRow[])[],
): readonly Finding[] {
  const states: (readonly Row[])[] = [[]]
  const read: (number | undefined)[] = []
  const findings: Finding[] = []
  const publications = found.publications
  for (const publication of publications) {
    const before = states.at(-1)!
    const kept = keptRows(mode, found, publication)
    const restored = restoredState(publication, publications, states)
    // append brings back and takes away rows of other versions: what the table must be then, the last look at it tells.
    const isMoved = publication.event === 'restored' && mode.keptIn === 'target'
    const after = isMoved ? (restored ?? before) : mode.replayed(before, publication.scope, kept)
    const generation = generationOf(mode, publication, before, after, runs.get(publication.run))
    const isRight = publication.event === 'restored' ? restored !== undefined && same(after, restored) : generation !== undefined
    if (!isRight) findings.push(wrongContent(mode, publication, before, after, runs.get(publication.run), restored))
    findings.push(...judgeAge(publication, generation, read, runs.get(publication.run)))
    states.push(after)
    read.push(generation)
  }
  findings.push(...judgeOrder(publications, mode), ...judgeHead(found), ...judgeRows(mode, found, states))
  for (const look of looks) {
    if (!states.some(state => same(state, look)))
      findings.push({ kind: 'partial', text: `a reader saw ${told(look)}, which no publication wrote` })
  }
  for (const known of runs.values()) findings.push(...judgeEnds(known, found))
  return findings
}

/** The rows that a publication wrote; those of append move to the history when they are taken back. */
function keptRows({ keptIn }: Mode, { rows, history }: Found, { version }: Publication): readonly KeptRow[] {
  return (keptIn === 'history' ? history : [...rows, ...history]).filter(row => BigInt(row.version) === version)
}

/** The newest generation of those that the run may have read which makes the target what it is; undefined: none does. */
function generationOf(
  mode: Mode,
  { event, scope }: Publication,
  before: readonly Row[],
  after: readonly Row[],
  known: KnownRun | undefined,
): number | undefined {
  if (known === undefined || event === 'restored') return undefined
  for (let generation = known.to; generation >= known.from; generation--) {
    if (same(after, mode.expected(before, scope, mode.source(generation)))) return generation
  }
  return undefined
}

function wrongContent(
  mode: Mode,
  { run, version, scope, event }: Publication,
  before: readonly Row[],
  after: readonly Row[],
  known: KnownRun | undefined,
  restored: readonly Row[] | undefined,
): Finding {
  if (event === 'restored')
    return { kind: 'partial', text: `${run} brought back ${told(after)} instead of ${told(restored ?? [])}` }
  if (known === undefined) return { kind: 'lost', text: `${run} published and nobody started it` }
  const wanted = mode.expected(before, scope, mode.source(known.to))
  return {
    kind: isDoubled(after) ? 'duplicates' : 'partial',
    text: `version ${version} of ${run} is ${told(after)}, expected ${told(wanted)} (generations ${known.from} to ${known.to})`,
  }
}

/** A process that was started after another run had published must not bring back what was before that one, whatever its version says. */
function judgeAge(
  { run, attempt, version }: Publication,
  generation: number | undefined,
  read: readonly (number | undefined)[],
  known: KnownRun | undefined,
): readonly Finding[] {
  const base = known?.ends.find(({ ended }) => ended.lines.some(line => line.attempt === attempt))?.base
  if (base === undefined || generation === undefined) return []
  const newest = Math.max(0, ...read.slice(0, base).map(each => each ?? 0))
  if (generation >= newest) return []
  return [
    {
      kind: 'old-over-new',
      text: `version ${version} of ${run} has generation ${generation} of the source; generation ${newest} was published before its process began`,
    },
  ]
}

/** The content after the publication that was brought back. */
function restoredState(
  publication: Publication,
  publications: readonly Publication[],
  states: readonly (readonly Row[])[],
): readonly Row[] | undefined {
  if (publication.restores === null) return undefined
  const index = publications.findIndex(({ version }) => version === microsOf(publication.restores ?? ''))
  return index < 0 ? undefined : states[index + 1]
}

function judgeOrder(publications: readonly Publication[], { onBase }: Mode): readonly Finding[] {
  const runs = publications.map(({ run }) => run)
  const twice = [...new Set(runs.filter((run, index) => runs.indexOf(run) !== index))]
  const backwards = publications.filter((each, index) => index > 0 && each.version <= publications[index - 1]!.version)
  const overHeld = publications.filter(({ event, whileHeld }) => event === 'published' && whileHeld)
  const displaced = publications.filter(({ baseSeq }, index) => onBase && baseSeq !== index)
  return [
    ...overHeld.map(({ run }): Finding => ({ kind: 'lost', text: `${run} published over a rollback that nobody had released` })),
    ...displaced.map(
      ({ run, baseSeq }): Finding => ({
        kind: 'old-over-new',
        text: `${run} was made for the target after ${baseSeq} publications and is not the one after these`,
      }),
    ),
    ...twice.map(
      (run): Finding => ({ kind: 'duplicates', text: `${run} published ${runs.filter(each => each === run).length} times` }),
    ),
    ...backwards.map(
      ({ run, version }): Finding => ({
        kind: 'old-over-new',
        text: `${run} published ${version} over a version that is not older`,
      }),
    ),
  ]
}

function judgeHead({ head, publications }: Found): readonly Finding[] {
  const [only] = head
  if (only === undefined && publications.length === 0) return []
  if (only === undefined || head.length > 1) return [{ kind: 'lost', text: `the head has ${head.length} rows` }]
  const last = publications.at(-1)
  const findings: Finding[] = []
  if (only.seq !== publications.length)
    findings.push({ kind: 'lost', text: `the head counts ${only.seq} publications, the ledger has ${publications.length}` })
  if (last !== undefined && only.version !== last.version)
    findings.push({
      kind: 'old-over-new',
      text: `the head has version ${only.version} of ${only.run}, the last publication is ${last.version} of ${last.run}`,
    })
  return findings
}

function judgeRows(mode: Mode, { rows, history, publications }: Found, states: readonly (readonly Row[])[]): readonly Finding[] {
  const versions = new Set(publications.map(({ version }) => String(version)))
  const strays = [...rows, ...history].filter(row => !versions.has(row.version))
  const findings: Finding[] = strays.slice(0, 1).map(row => ({
    kind: 'partial',
    text: `${strays.length} rows of a version that was never published, such as ${row.version}`,
  }))
  const last = states.at(-1)!
  if (same(rows, last)) return findings
  const isOlder = states.slice(0, -1).some(state => same(rows, state))
  const kind = isOlder ? 'old-over-new' : isDoubled(rows) ? 'duplicates' : 'partial'
  return [...findings, { kind, text: `the ${mode.name} table holds ${told(rows)}, its last version is ${told(last)}` }]
}

const textOf = ({ dato, id, gen, verdi }: Row) => `${dato} ${id} ${gen} ${verdi}`

function same(a: readonly Row[], b: readonly Row[]): boolean {
  if (a.length !== b.length) return false
  const [first, second] = [a.map(textOf).sort(), b.map(textOf).sort()]
  return first.every((text, index) => text === second[index])
}

function isDoubled(rows: readonly Row[]): boolean {
  return new Set(rows.map(textOf)).size < rows.length
}

/** A content in a few words: how many rows of which generations. */
function told(rows: readonly Row[]): string {
  const generations = [...new Set(rows.map(({ gen }) => gen))].sort((a, b) => a - b)
  const parts = generations.map(each => `${rows.filter(({ gen }) => gen === each).length} of generation ${each}`)
  return rows.length === 0 ? 'no rows' : `${rows.length} rows (${parts.join(', ')})`
}

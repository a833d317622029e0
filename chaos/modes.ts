/** A row of a source and of its target: the generation of the source stands in it, so that contents tell each other apart. */
export type Row = { readonly dato: string; readonly id: number; readonly gen: number; readonly verdi: string }

/** A row of a target or of its history, with the version that wrote it (microseconds); `op` in the history only. */
export type KeptRow = Row & { readonly version: string; readonly op: string | null }

/** Which slices a publication says that it replaced; none where it is not about slices. */
type Scope = readonly string[]

/** A write mode under test: its pipeline, what its source holds in each generation, and what a publication must make of the target. */
export type Mode = {
  readonly name: string
  /** The pipeline's `write`. */
  readonly write: string
  /** What its source holds in a generation. */
  source(generation: number): readonly Row[]
  /** The target that was `before` after a publication that read these rows. */
  expected(before: readonly Row[], scope: Scope, read: readonly Row[]): readonly Row[]
  /** The target that was `before` after the publication whose rows the history (append: the table) keeps. */
  replayed(before: readonly Row[], scope: Scope, kept: readonly KeptRow[]): readonly Row[]
  /** Does the result depend on what was published before, so that nothing may come between? */
  readonly onBase: boolean
  /** Which table keeps every publication's rows. */
  readonly keptIn: 'history' | 'target'
}

/** The write modes; `all` takes them in turn. */
export const modes: readonly Mode[] = [
  {
    name: 'replace',
    write: 'replace()',
    source: plain,
    expected: (_, __, read) => read,
    replayed: (_, __, kept) => kept,
    onBase: false,
    keptIn: 'history',
  },
  {
    name: 'partition',
    write: "partition('dato', { recompute: 2 })",
    source: daily,
    expected: (before, scope, read) => [...outside(before, scope), ...read.filter(({ dato }) => scope.includes(dato))],
    replayed: (before, scope, kept) => [...outside(before, scope), ...kept],
    onBase: true,
    keptIn: 'history',
  },
  {
    name: 'append',
    write: 'append()',
    source: plain,
    expected: (before, _, read) => [...before, ...read],
    replayed: (before, _, kept) => [...before, ...kept],
    onBase: true,
    keptIn: 'target',
  },
  {
    name: 'merge',
    write: "merge({ deletes: 'missing' })",
    source: changing,
    expected: (_, __, read) => read,
    replayed: merged,
    onBase: true,
    keptIn: 'history',
  },
]

/** Keys come and go, in no pattern; the row of the first never changes. */
function changing(generation: number): readonly Row[] {
  const isThere = (id: number) => id < 2 || (Math.imul(generation, 0x9e3779b1) >>> (id + 4)) % 2 === 1
  const ids = Array.from({ length: 9 }, (_, id) => id).filter(isThere)
  return ids.map(id => row(1 + (id % 3), id, id === 0 ? 0 : generation))
}

/** What was done to each key, in place of what it was; or a full copy. */
function merged(before: readonly Row[], _: Scope, kept: readonly KeptRow[]): readonly Row[] {
  const copy = kept.filter(({ op }) => op === 'row')
  if (copy.length > 0) return copy
  const rows = new Map(before.map(each => [`${each.dato} ${each.id}`, each]))
  for (const each of kept) {
    if (each.op === 'delete') rows.delete(`${each.dato} ${each.id}`)
    else rows.set(`${each.dato} ${each.id}`, each)
  }
  return [...rows.values()]
}

/** Every row changes with the generation, and so does how many there are. */
function plain(generation: number): readonly Row[] {
  return Array.from({ length: 3 + (generation % 4) }, (_, index) => row(1 + (index % 3), index, generation))
}

/** Days come and go: some are found empty that were not, the last ones are done again. */
function daily(generation: number): readonly Row[] {
  const days = Array.from({ length: 3 + ((generation * 3) % 5) }, (_, index) => index + 1)
  return days.flatMap(day =>
    Array.from({ length: 1 + ((day + generation) % 2) }, (_, index) => row(day, day * 10 + index, generation)),
  )
}

function row(day: number, id: number, gen: number): Row {
  return { dato: `2020-01-${String(day).padStart(2, '0')}`, id, gen, verdi: `${id} i ${gen}` }
}

function outside(rows: readonly Row[], scope: Scope): readonly Row[] {
  return rows.filter(({ dato }) => !scope.includes(dato))
}

/** The file of a mode's pipeline. Any minute is one of its ticks, so that every name of eight digits is a scheduled Job's. */
export function pipelineText(mode: Mode): string {
  return `import { dataset, pipeline, row, table, ${mode.write.split('(')[0]} } from 'nais-etl'
import * as z from 'zod'

const Rad = row({ dato: z.iso.date(), id: z.int(), gen: z.int(), verdi: z.string() }, { key: ['dato', 'id'] })

export default pipeline({
  schedule: '* * * * *',
  from: { kilde: table(Rad, 'chaos.inn.${mode.name}') },
  transform: ({ kilde }) => kilde.map(rad => ({ ...rad })),
  to: dataset('ut').table('${mode.name}', Rad),
  write: ${mode.write},
  empty: 'allowed',
})
`
}

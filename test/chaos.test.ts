import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { drawFrom } from '../chaos/draw.ts'
import type { Ended, Line } from '../chaos/job.ts'
import type { Found, Publication } from '../chaos/ledger.ts'
import { type KeptRow, type Mode, modes } from '../chaos/modes.ts'
import { mutants } from '../chaos/mutants.ts'
import { judgeMutant } from '../chaos/mutate.ts'
import { judge } from '../chaos/verdict.ts'
import { root } from './support/project.ts'

// The short form of `npm run chaos`; the long one is a command and a weekly workflow (docs/chaos.md).
test('drawn runs of every write mode, killed and cut: nothing found', async () => {
  const { code, text } = await chaos(['--runs', '14', '--seed', '20220120'])
  expect(text).toMatch(/^runs=1[4-6] published=\d+ duplicates=0 partial=0 old-over-new=0 lost=0$/m)
  expect(Number(/published=(\d+)/.exec(text)?.[1])).toBeGreaterThan(6)
  expect(code).toBe(0)
}, 600_000)

// One of every kind of catch; all of them by the command.
test.each([
  'older version allowed',
  'check without lock',
  'DELETE after INSERT',
  'no answer after the submit is told as not published',
])(
  'a deliberate mistake is caught: %s',
  async what => {
    const mutant = mutants.find(each => each.what === what)
    expect(mutant && (await judgeMutant(mutant)).killedBy).toMatch(/^(duplicates|partial|old-over-new|lost): /)
  },
  300_000,
)

test('the same seed draws the same', () => {
  const numbers = (seed: string) => {
    const draw = drawFrom(seed, 3)
    return Array.from({ length: 5 }, () => draw.int(0, 1000))
  }
  expect(numbers('a')).toEqual(numbers('a'))
  expect(numbers('a')).not.toEqual(numbers('b'))
})

// The verdict is only worth something if it sees each kind of wrong: it reads plain values, so that each is a case.
describe('the verdict', () => {
  const replace = modes.find(({ name }) => name === 'replace')!
  const append = modes.find(({ name }) => name === 'append')!

  test('has nothing to say of two whole versions', () => {
    expect(verdict(replace, [1, 2])).toEqual([])
    expect(verdict(append, [1, 2])).toEqual([])
  })

  test('a run that published twice, rows that stand twice', () => {
    expect(verdict(append, [1, 1], found => ({ ...found, publications: renamed(found.publications) }))).toContain('duplicates')
    expect(verdict(append, [1], found => ({ ...found, rows: [...found.rows, ...found.rows] }))).toContain('duplicates')
  })

  test('a row too few, a row of nobody, a history that lacks one', () => {
    expect(verdict(replace, [1, 2], found => ({ ...found, rows: found.rows.slice(1) }))).toContain('partial')
    const stray = { ...kept(replace, 2, 99n)[0]!, version: '99' }
    expect(verdict(replace, [1, 2], found => ({ ...found, history: [...found.history, stray] }))).toContain('partial')
    expect(verdict(replace, [1, 2], found => ({ ...found, history: found.history.slice(1) }))).toContain('partial')
  })

  test('what a reader saw in between', () => {
    expect(verdict(replace, [1, 2], found => found, [kept(replace, 1, 1n), kept(replace, 2, 2n), []])).toEqual([])
    expect(verdict(replace, [1, 2], found => found, [kept(replace, 1, 1n).slice(1)])).toContain('partial')
  })

  test('an older version over a newer one, in the table, in the head, in the order', () => {
    expect(verdict(replace, [1, 2], found => ({ ...found, rows: kept(replace, 1, 1n) }))).toContain('old-over-new')
    expect(verdict(replace, [1, 2], found => ({ ...found, head: [{ ...found.head[0]!, version: 1n }] }))).toContain(
      'old-over-new',
    )
    expect(verdict(replace, [1, 2], found => ({ ...found, publications: found.publications.toReversed() }))).toContain(
      'old-over-new',
    )
  })

  test('a count that lacks a publication, a word that is not true', () => {
    expect(verdict(replace, [1, 2], found => ({ ...found, head: [{ ...found.head[0]!, seq: 3 }] }))).toContain('lost')
    const said = (code: number, line: Partial<Line>) => verdict(replace, [1], found => found, [], end('x', code, line))
    expect(said(0, { event: 'published', version: '2026-01-01T00:00:00Z' })).toContain('lost')
    expect(said(0, { event: 'alreadyPublished' })).toContain('lost')
    expect(said(1, { event: 'failed', published: false })).toEqual([])
    expect(said(0, { event: 'failed' })).toContain('lost')
    const held = (found: Found) => ({ ...found, publications: found.publications.map(each => ({ ...each, whileHeld: true })) })
    expect(verdict(replace, [1], held)).toContain('lost')
  })
})

/** The kinds of what is found in a target to which one run a generation published, after `change`. */
function verdict(
  mode: Mode,
  generations: readonly number[],
  change: (found: Found) => Found = found => found,
  looks: readonly (readonly KeptRow[])[] = [],
  ended?: Ended,
): readonly string[] {
  const publications = generations.map((_, index): Publication => {
    const version = BigInt(index + 1)
    return {
      event: 'published',
      run: `r${version}`,
      attempt: `a${version}`,
      version,
      scope: [],
      baseSeq: index,
      restores: null,
      whileHeld: false,
    }
  })
  const all = generations.flatMap((generation, index) => kept(mode, generation, BigInt(index + 1)))
  const last = all.filter(({ version }) => version === String(generations.length))
  const seq = generations.length
  const found: Found = {
    head: [{ seq, version: BigInt(seq), run: `r${seq}`, attempt: `a${seq}`, held: false }],
    publications,
    rows: mode.keptIn === 'target' ? all : last,
    history: mode.keptIn === 'target' ? [] : all,
  }
  const known = generations.map((generation, index) => ({
    run: `r${index + 1}`,
    from: generation,
    to: generation,
    ends: [],
    mustEndWell: false,
  }))
  const other = { run: 'x', from: 1, to: 1, ends: ended === undefined ? [] : [{ ended, base: 0 }], mustEndWell: false }
  const runs = new Map([...known, other].map(each => [each.run, each]))
  return judge(mode, change(found), runs, looks).map(({ kind }) => kind)
}

function kept(mode: Mode, generation: number, version: bigint): readonly KeptRow[] {
  return mode.source(generation).map(row => ({ ...row, version: String(version), op: 'row' }))
}

function renamed(publications: readonly Publication[]): readonly Publication[] {
  return publications.map(each => ({ ...each, run: 'r1' }))
}

function end(run: string, code: number, line: Partial<Line>): Ended {
  return { run, code, signal: null, lines: [{ event: '', run, attempt: 'a', ...line }], text: '', seen: [], hung: false }
}

function chaos(args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [join(root, 'chaos', 'run.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
  }
  return new Promise(resolve => child.once('close', code => resolve({ code, text })))
}

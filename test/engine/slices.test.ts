import { partition } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import type { LedgerRow } from '../../src/domain/run.ts'
import { lastPublished, ofThisHead, workList } from '../../src/engine/slices.ts'

const days = (...numbers: number[]) => numbers.map(day => `2026-01-${String(day).padStart(2, '0')}`)
const published = (version: string, ...scope: string[]): LedgerRow => ({
  loggedAt: version,
  event: 'published',
  run: 'r',
  attempt: 'a',
  version,
  slot: null,
  scope,
  job: null,
  rows: scope.length,
  contentHash: null,
  trigger: null,
  message: null,
  stage: null,
  baseSeq: null,
  cursorTo: null,
  codeSha: null,
  schemaHash: null,
  baseline: false,
  restores: null,
})
const list = (
  source: string[],
  ledger: LedgerRow[],
  options: { recompute?: number; maxSlices?: number } = {},
  upTo = '2026-01-31',
) => workList(source, ledger, partition('dato', options), upTo)

describe('the work list', () => {
  test('has what a rollback undid again, but for what the source has lost', () => {
    const undone = { ...published('3', ...days(1, 2)), event: 'restored' as const }
    const ledger = [published('1', ...days(1)), published('2', ...days(1, 2)), undone]
    expect(list(days(1, 2, 3, 4), ledger, { recompute: 1 })).toMatchObject({ scope: days(1, 2, 3, 4), missing: 4 })
    expect(list(days(1, 4), ledger, { recompute: 1 })).toMatchObject({ scope: days(1, 4) })
    expect(list(days(1, 2), [...ledger, published('4', ...days(1, 2))], { recompute: 0 })).toMatchObject({ scope: [] })
  })

  test('knows nothing of publications to a head that was dropped', () => {
    const ledger = [published('1', ...days(1)), published('2', ...days(2)), published('3', ...days(3))]
    const head = (seq: bigint) => ({ seq }) as Parameters<typeof ofThisHead>[1]
    expect(ofThisHead(ledger, head(3n))).toBe(ledger)
    expect(ofThisHead(ledger, head(1n)).map(row => row.version)).toEqual(['3'])
    expect(ofThisHead(ledger, head(0n))).toEqual([])
    expect(ofThisHead(ledger, null)).toEqual([])
  })

  test('is everything at first', () => {
    expect(list(days(1, 2, 3), [])).toEqual({ scope: days(1, 2, 3), left: 0, missing: 3, again: 0, lost: 0, late: 0 })
  })

  test('is then what no version has, and the newest again', () => {
    const ledger = [published('2026-01-03T05:30:00Z', ...days(1, 2, 3))]
    expect(list(days(1, 2, 3, 4), ledger)).toEqual({ scope: days(4), left: 0, missing: 1, again: 0, lost: 0, late: 0 })
    expect(list(days(1, 2, 3, 4), ledger, { recompute: 2 })).toEqual({
      scope: days(3, 4),
      left: 0,
      missing: 1,
      again: 1,
      lost: 0,
      late: 0,
    })
    expect(list(days(1, 2, 3), ledger, { recompute: 0 })).toEqual({ scope: [], left: 0, missing: 0, again: 0, lost: 0, late: 0 })
  })

  test('has a day that was missed', () => {
    expect(list(days(1, 2, 3), [published('2026-01-03T05:30:00Z', ...days(1, 3))]).scope).toEqual(days(2, 3))
  })

  test('has room for what is missing beside what is done again', () => {
    expect(() => partition('dato', { recompute: 3, maxSlices: 3 })).toThrow(/would wait for ever/)
  })

  test('has the newest first, then the oldest that is missing, where there are too many; what waits is counted', () => {
    const before = [published('1', ...days(5))]
    expect(list(days(1, 2, 3, 4, 5), [], { maxSlices: 2 })).toEqual({
      scope: days(1, 5),
      left: 3,
      missing: 2,
      again: 0,
      lost: 0,
      late: 0,
    })
    expect(list(days(1, 2, 3, 4, 5, 6), before, { maxSlices: 3 })).toMatchObject({ scope: days(1, 2, 6), left: 2 })
    expect(list(days(1, 2, 3, 4, 5), before, { maxSlices: 3, recompute: 2 })).toMatchObject({ scope: days(1, 4, 5), left: 2 })
    expect(list(days(1, 2, 3, 4), [], { maxSlices: 2, recompute: 0 })).toMatchObject({ scope: days(1, 4), left: 2 })
  })

  test('comes to its end by itself, run after run, while new days come', () => {
    const ledger: LedgerRow[] = []
    let last = 20
    for (; last < 31; last++) {
      const { scope, left } = list(days(...Array.from({ length: last }, (_, day) => day + 1)), ledger, { maxSlices: 4 })
      expect(scope.at(-1)).toBe(`2026-01-${last}`)
      ledger.push(published(String(last), ...scope))
      if (left === 0) break
    }
    expect(last).toBe(26)
  })

  test('has what the source has changed since it was read, after all that is missing', () => {
    const ledger = [published('1', ...days(1, 2, 3, 5))]
    const late = (changed: string[], maxSlices = 4000) =>
      workList(days(1, 2, 3, 4, 5), ledger, partition('dato', { maxSlices }), '2026-01-31', changed)
    expect(late(days(2, 4, 5))).toEqual({ scope: days(2, 4, 5), left: 0, missing: 1, again: 2, lost: 0, late: 1 })
    expect(late(days(1, 2, 3), 3)).toEqual({ scope: days(1, 4, 5), left: 2, missing: 1, again: 2, lost: 0, late: 1 })
    expect(late(days(1, 2, 3), 2)).toMatchObject({ scope: days(4, 5), left: 3, late: 0 })
    expect(late(days(30))).toMatchObject({ scope: days(4, 5), late: 0 })
  })

  test('recomputes a newest slice that the source has lost', () => {
    expect(list(days(1, 2), [published('2026-01-03T05:30:00Z', ...days(1, 2, 3))]).scope).toEqual(days(3))
  })

  test('leaves a slice alone that is older than all that the source still has: it expired', () => {
    const ledger = [published('2026-01-03T05:30:00Z', ...days(1, 2, 3))]
    expect(list(days(3), ledger, { recompute: 2 })).toEqual({ scope: days(3), left: 0, missing: 0, again: 1, lost: 0, late: 0 })
    expect(list(days(1, 3), ledger, { recompute: 2 })).toEqual({
      scope: days(2, 3),
      left: 0,
      missing: 0,
      again: 2,
      lost: 1,
      late: 0,
    })
  })

  test('goes no further than the slot', () => {
    expect(list(days(1, 2, 3), [], {}, '2026-01-02').scope).toEqual(days(1, 2))
  })
})

test('the last version is the greatest as a time, not as a text', () => {
  const ledger = [published('2026-01-02T05:30:00.000001Z', ...days(2)), published('2026-01-02T05:30:00Z', ...days(1))]
  expect(lastPublished(ledger)?.version).toBe('2026-01-02T05:30:00.000001Z')
})

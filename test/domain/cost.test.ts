import { describe, expect, test } from 'vitest'
import { billed, costOf, leastBilled, type Sizes, sizeText, tooLarge, usdOf, usdPerTiB, usdText } from '../../src/domain/cost.ts'
import { append, merge, partition, replace } from '../../src/domain/write.ts'

const GiB = 2 ** 30
const small = 8 * leastBilled
const sizes = (change: Partial<Sizes> = {}): Sizes => ({
  reads: [],
  target: { bytes: 500 * GiB, rows: 1000 },
  lastRows: 1000,
  baseline: false,
  ...change,
})

test('the price, and the least that is billed', () => {
  expect(usdPerTiB).toBe(6.25)
  expect(usdOf(2 ** 40)).toBe(6.25)
  expect([billed(0), billed(1), billed(10 * 2 ** 20), billed(10 * 2 ** 20 + 1)]).toEqual([10, 10, 10, 11].map(mb => mb * 2 ** 20))
})

describe('a publication reads', () => {
  const published = (write: Parameters<typeof costOf>[0], change: Partial<Sizes> = {}) =>
    costOf(write, sizes(change), 30).publishBytes - small
  const whole = 500 * GiB

  test('the stage for the audit, the table and the history: replace', () => {
    expect(published(replace())).toBe(3 * whole)
  })
  test('not for the history where there is none, or a snapshot', () => {
    expect(published(replace({ history: 'none' }))).toBe(2 * whole)
    expect(published(replace({ history: 'snapshot' }))).toBe(2 * whole)
    expect(published(append())).toBe(2 * whole)
  })
  test('only what was staged: partition', () => {
    expect(published(partition('dato'), { lastRows: 1 })).toBe(3 * billed(whole / 1000))
  })
  test('all of the table: merge; once more for deletes, and for a baseline', () => {
    const stage = billed(whole / 1000)
    expect(published(merge(), { lastRows: 1 })).toBe(3 * stage + whole)
    expect(published(merge({ deletes: 'missing' }), { lastRows: 1 })).toBe(4 * stage + 2 * whole)
    expect(published(merge(), { lastRows: 1, baseline: true })).toBe(3 * stage + 2 * whole)
    expect(published(merge({ history: 'none' }), { lastRows: 1, baseline: true })).toBe(2 * stage + whole)
  })
  test('nothing much of an empty table, and what nobody knows of one that is not made yet', () => {
    expect(published(replace(), { target: { bytes: 0, rows: 0 } })).toBe(3 * leastBilled)
    expect(costOf(replace(), sizes({ target: null }), 30)).toMatchObject({ publishBytes: small, complete: false })
  })
})

test('reading costs what the dry runs say, at least 10 MB each; a month is its runs', () => {
  const cost = costOf(partition('dato'), sizes({ reads: [2 ** 40, 5], lastRows: 1 }), 30)
  expect(cost.readBytes).toBe(2 ** 40 + leastBilled)
  expect(cost.usd).toBeCloseTo(6.25 + usdOf(leastBilled + cost.publishBytes), 9)
  expect(cost.usdMonth).toBeCloseTo(cost.usd * 30, 9)
  expect(cost.complete).toBe(true)
  expect(costOf(append(), sizes({ reads: [null] }), 30)).toMatchObject({ readBytes: leastBilled, complete: false })
})

describe('a table that is too large to be replaced', () => {
  test('gets a way out, with its price', () => {
    expect(tooLarge(replace(), { bytes: 500 * GiB, rows: 7 }, () => 30)).toEqual({
      problem: 'has 537 GB, and replace writes all of it in every run (maxReplaceBytes: 107 GB).',
      hint: "use partition, or set history: 'snapshot' and raise maxReplaceBytes: ≈ 183 USD a month",
    })
  })
  test('is one above the limit, in replace alone', () => {
    const write = replace({ maxReplaceBytes: 1000 })
    expect(tooLarge(write, { bytes: 1000, rows: 1 }, () => 30)).toBeUndefined()
    expect(tooLarge(write, { bytes: 1001, rows: 1 }, () => 30)).toBeDefined()
    expect(tooLarge(write, null, () => 30)).toBeUndefined()
    expect(tooLarge(merge(), { bytes: 10 ** 15, rows: 1 }, () => 30)).toBeUndefined()
  })
})

test('for people', () => {
  expect([0, 999, 1000, 12_345, 123_456_789, 10 ** 18].map(sizeText)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '12.3 kB',
    '123 MB',
    '1000 PB',
  ])
  expect([0, 0.00001, 0.00123, 0.5, 2.345, 12.3, 1234.5].map(usdText)).toEqual([
    '0 USD',
    'under 0.0001 USD',
    '0.0012 USD',
    '0.5 USD',
    '2.3 USD',
    '12 USD',
    '1235 USD',
  ])
})

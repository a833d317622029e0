import { describe, expect, test } from 'vitest'
import { budgetText, type Compared, type Expect, overBudget, budgetOf as read } from '../../src/domain/expect.ts'
import { merge, partition } from '../../src/domain/write.ts'

const version = (rows: number, before: number | null): Compared => ({
  of: '',
  rows,
  before: before === null ? null : { rows: before, where: 'of version 7' },
})
const budgetOf = (expected: Expect) => read(expected, merge({ deletes: 'missing' }))
const noBudget = budgetOf({})
const over = (expected: Expect['rows'], ...compared: Compared[]) =>
  overBudget(budgetOf({ rows: expected ?? [] }), { compared, deletes: null })
const tooManyDeletes = (budget: typeof noBudget, gone: number, of: number) =>
  overBudget(budget, { compared: [], deletes: { gone, of } })

describe('a budget of rows', () => {
  test.each([
    ['±20 %', 1000, [800, 1000, 1200], [799, 1201, 0]],
    ['±0.1 %', 1000, [999, 1001], [998, 1002]],
    ['±0 %', 3, [3], [2, 4]],
    ['+50 %/-10 %', 1000, [900, 1500], [899, 1501]],
    ['+200 %/-0 %', 10, [10, 30], [9, 31]],
    ['≥ 1000', 5, [1000, 5000], [999, 0]],
    ['>= 1000', 5, [1000], [999]],
    ['≤ 1000', 5, [1000, 0], [1001]],
    ['<= 1000', 5, [1000], [1001]],
  ] as const)('%s of %d', (expected, before, within, outside) => {
    for (const rows of within) expect(over(expected, version(rows, before))).toEqual([])
    for (const rows of outside) expect(over(expected, version(rows, before))).toHaveLength(1)
  })

  test('says what came, what was expected, and against what', () => {
    expect(over('±20 %', version(120, 1000))).toEqual(['120 rows, expected ±20 % of the 1000 of version 7 (800 to 1200)'])
    expect(over('+50 %/-10 %', version(1, 7))).toEqual(['1 row, expected +50 %/-10 % of the 7 of version 7 (7 to 10)'])
    expect(over(['±20 %', '≥ 500'], version(120, 1000))).toEqual([
      '120 rows, expected ±20 % of the 1000 of version 7 (800 to 1200)',
      '120 rows, expected ≥ 500',
    ])
    const slices: Compared[] = [
      { of: 'dato 2024-01-01', rows: 4, before: { rows: 10, where: 'it has now' } },
      { of: 'dato 2024-01-02', rows: 4, before: { rows: 4, where: 'of 2024-01-01' } },
    ]
    expect(over('±20 %', ...slices)).toEqual(['dato 2024-01-01: 4 rows, expected ±20 % of the 10 it has now (8 to 12)'])
  })

  test('bounds nothing by a version that is not there or was empty; a number bounds the first one too', () => {
    expect(over('±20 %', version(5, null), version(5, 0))).toEqual([])
    expect(over('≥ 10', version(5, null))).toEqual(['5 rows, expected ≥ 10'])
  })

  test.each([
    '±20',
    '±20%',
    '20 %',
    '+20 %',
    '+20 %/10 %',
    '±-5 %',
    '±1e3 %',
    '±twenty %',
    '≥ -1',
    '≥ 1.5',
    '> 10',
    '≥1000',
    '',
    '±20 % ',
  ])('%j is refused, with what can be written', text => {
    expect(() => budgetOf({ rows: text as '±20 %' })).toThrow(
      `expect: rows: ${JSON.stringify(text)} is no budget. Hint: write '±20 %' or '+50 %/-10 %' of the last version, or a bound: '≥ 1000', '≤ 50000'`,
    )
  })

  test('is told in a few words', () => {
    expect(budgetText(budgetOf({ rows: '±20 %' }), { compared: [version(110, 100)], deletes: null })).toBe(
      '110 rows, expected ±20 % of the 100 of version 7',
    )
    expect(budgetText(budgetOf({ rows: '±20 %' }), { compared: [version(110, null)], deletes: null })).toBe(
      '110 rows, expected ±20 %',
    )
    expect(
      budgetText(budgetOf({ rows: ['±20 %', '≥ 5'] }), { compared: [version(110, 100), version(1, 1)], deletes: null }),
    ).toBe('2 slices, expected ±20 % and ≥ 5 each')
    expect(budgetText(noBudget, { compared: [], deletes: null })).toBe(null)
  })
})

describe('a budget of deletes', () => {
  test('is five percent, or ten rows, unless it is said', () => {
    expect(tooManyDeletes(noBudget, 10, 12)).toEqual([])
    expect(tooManyDeletes(noBudget, 11, 220)).toEqual([])
    expect(tooManyDeletes(noBudget, 11, 200)).toEqual(['11 rows of 200 would be deleted (5.5 %), expected ≤ 5 %'])
    expect(tooManyDeletes(budgetOf({ deletes: '≤ 5 %' }), 1, 10)).toHaveLength(1)
    expect(tooManyDeletes(budgetOf({ deletes: '≤ 20 %' }), 20, 100)).toEqual([])
    expect(tooManyDeletes(budgetOf({ deletes: '<= 0.5 %' }), 1, 100)).toHaveLength(1)
    expect(tooManyDeletes(noBudget, 0, 0)).toEqual([])
  })

  test.each(['20 %', '≤ 101 %', '≤ -1 %', '≤ 20%', '±20 %'])('%j is refused', text => {
    expect(() => budgetOf({ deletes: text as '≤ 20 %' })).toThrow(
      `expect: deletes: ${JSON.stringify(text)} is no budget. Hint: write it like '≤ 20 %'`,
    )
  })

  test('belongs to a merge that deletes', () => {
    for (const write of [partition('dato'), merge()])
      expect(() => read({ deletes: '≤ 5 %' }, write)).toThrow(`expect: deletes: ${write.mode} deletes no rows by their key.`)
  })
})

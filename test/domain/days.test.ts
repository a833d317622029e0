import { dataset, merge, pipeline, replace, row, table } from 'nais-etl'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { dayColumn, daysAsked, daysFound } from '../../src/domain/days.ts'
import { named } from '../adapters/bigquery/world.ts'

const shape = { id: z.int(), dato: z.iso.date(), borte: z.boolean() }
const Row = row(shape, { key: ['dato', 'id'] })
const source = table(Row, 'a.b')
const column = (Out: typeof Row, write: object, options: object = { partitionBy: 'dato' }) =>
  dayColumn(
    named(
      pipeline({ schedule: '0 5 * * *', from: { source }, to: dataset('ut').table('t', Out, options), write: write as never }),
    ),
  )

test.each([
  ['a merge by a key with the day of the partition', Row, merge(), {}, 'dato'],
  ['one that deletes rows that say so', Row, merge({ deletes: { when: 'borte' } }), {}, 'dato'],
  ['one that deletes what is missing, wherever it lies', Row, merge({ deletes: 'missing' }), {}, null],
  ['a key without the day: an older row may lie on another', row(shape, { key: ['id'] }), merge(), {}, null],
  ['no partitions', Row, merge(), { partitionBy: undefined }, null],
  ['another write mode', Row, replace(), {}, null],
  [
    'days that tell of people',
    row({ ...shape, dato: z.iso.date().meta({ pii: 'direct' }) }, { key: ['dato', 'id'] }),
    merge(),
    {},
    null,
  ],
] as const)('the days of the stage bound a merge, or not: %s', (_, Out, write, options, expected) => {
  expect(column(Out as never, write, { partitionBy: 'dato', ...options })).toBe(expected)
})

test('of no rows there are no days', () => {
  expect(daysAsked('dato')).toEqual(['MIN(`dato`) AS first_day', 'MAX(`dato`) AS last_day'])
  expect(daysFound('dato', { first_day: '2026-11-01', last_day: '2026-11-03' })).toEqual({
    column: 'dato',
    first: '2026-11-01',
    last: '2026-11-03',
  })
  expect(daysFound('dato', { first_day: null, last_day: null })).toBeUndefined()
  expect([daysAsked(null), daysFound(null, {})]).toEqual([[], undefined])
})

import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Column, ColumnType, Value } from '../../src/domain/column.ts'
import { canonical } from '../../src/domain/same.ts'
import { closeShared, evaluate } from '../../src/googlesql/evaluate.ts'
import { valuesOf } from '../../src/testing/generate.ts'

afterAll(closeShared)

const column = (type: ColumnType, more: Partial<Column> = {}): Column => ({
  name: 'v',
  type,
  mode: 'NULLABLE',
  rules: [],
  ...more,
})

// Texts of one value that look different, and of different values that look alike.
const near: Partial<Record<ColumnType, readonly Value[]>> = {
  NUMERIC: ['1', '1.0', '01', '-1', '0', '-0', '0.10', '.1', '10', '1.'],
  BIGNUMERIC: ['1', '1.000', '0.1', '.10', '-0.0', '0'],
  TIMESTAMP: ['2022-01-20T06:30:00Z', '2022-01-20T06:30:00.5Z', '2022-01-20T06:30:00.500000Z', '2022-01-20T06:30:00.000Z'],
  DATETIME: [
    '2022-01-20T06:30:00',
    '2022-01-20T06:30:00.5',
    '2022-01-20T06:30:00.50',
    '2022-01-20T06:30:00.000',
    '2022-01-20T06:30:10',
  ],
  TIME: ['06:30:00', '06:30:00.0', '06:30:00.1', '06:30:00.100', '06:30:10'],
  FLOAT64: [0, -0, Number.NaN, 0.1, 1e21, 1],
  STRING: ['', 'null', '∅', 'a', 'A', 'Å', 'A\u030a', ' a'],
}

describe('two values have one text exactly if BigQuery holds them equal', () => {
  test.each([
    'STRING',
    'INT64',
    'FLOAT64',
    'BOOL',
    'BYTES',
    'NUMERIC',
    'BIGNUMERIC',
    'DATE',
    'TIME',
    'DATETIME',
    'TIMESTAMP',
  ] as const)('%s', async type => {
    const v = column(type, type === 'INT64' ? { bigint: true } : {})
    const values = [null, ...(near[type] ?? []), ...fc.sample(valuesOf(v), 12)]
    const rows = values.map((value, number) => ({ number, v: value }))
    const answer = await evaluate({
      sql: 'SELECT a.number AS a, b.number AS b FROM t AS a JOIN t AS b ON a.v IS NOT DISTINCT FROM b.v',
      tables: { t: { schema: [{ name: 'number', type: 'INT64', mode: 'REQUIRED' }, v], rows } },
    })
    const pairs = (equal: (a: number, b: number) => boolean) =>
      rows.flatMap((_, a) => rows.filter((__, b) => equal(a, b)).map((__, b) => `${a}=${b}`)).length
    const theirs = new Set(answer.rows.map(row => `${row.a}=${row.b}`))
    const ours = new Set(
      rows.flatMap(a => rows.filter(b => canonical(v, a.v) === canonical(v, b.v)).map(b => `${a.number}=${b.number}`)),
    )
    expect(pairs((a, b) => theirs.has(`${a}=${b}`))).toBeGreaterThanOrEqual(rows.length)
    expect([...ours].sort()).toStrictEqual([...theirs].sort())
  })
})

test('an integer is the same as a number and as a bigint', () => {
  expect(canonical(column('INT64'), 5)).toBe(canonical(column('INT64', { bigint: true }), 5n))
})

test('JSON is the same in another order and with other spaces, its numbers as they are written', () => {
  const json = (text: string) => canonical(column('JSON'), text)
  expect(json('{"b": 1, "a": [1, 2]}')).toBe(json('{"a":[1,2],"b":1}'))
  expect(json('[2,1]')).not.toBe(json('[1,2]'))
  expect(json('{"a":1}')).not.toBe(json('{"a":"1"}'))
  expect(json('9007199254740993')).not.toBe(json('9007199254740992'))
})

test('records and arrays are the same if their parts are', () => {
  const record = column('RECORD', {
    mode: 'REPEATED',
    fields: [column('NUMERIC', { name: 'x' }), column('STRING', { name: 'y', mode: 'REPEATED' })],
  })
  const text = (value: Value) => canonical(record, value)
  expect(text([{ x: '1.0', y: ['a', 'b'] }])).toBe(text([{ y: ['a', 'b'], x: '1' }]))
  expect(text([{ x: null, y: ['a","b'] }])).not.toBe(text([{ x: null, y: ['a', 'b'] }]))
  expect(text([])).not.toBe(text([{ x: null, y: [] }]))
})

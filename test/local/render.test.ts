import { DuckDBInstance } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import type { Field, FieldType } from '../../src/local/contract.ts'
import { rowText } from '../../src/local/render.ts'

const field = (type: FieldType, more: Partial<Field> = {}): Field => ({ name: 'x', type, mode: 'NULLABLE', ...more })

test.each<[FieldType, string, string | null]>([
  ['INT64', '9223372036854775807', '9223372036854775807'],
  ['FLOAT64', "'nan'::DOUBLE", 'NaN'],
  ['FLOAT64', "'-inf'::DOUBLE", '-Infinity'],
  ['FLOAT64', '-0.0::DOUBLE', '-0.0'],
  ['BOOL', 'true', 'true'],
  ['NUMERIC', '-1.500000000::DECIMAL(38,9)', '-1.5'],
  ['NUMERIC', '100::DECIMAL(38,9)', '100'],
  ['BYTES', "'\\xFF'::BLOB", '/w=='],
  ['DATE', "DATE '0001-01-01'", '0001-01-01'],
  ['DATETIME', "TIMESTAMP '2022-01-20 06:30:00'", '2022-01-20T06:30:00'],
  ['DATETIME', "TIMESTAMP '0001-01-01 00:00:00.5'", '0001-01-01T00:00:00.500000'],
  ['TIME', "TIME '06:30:00'", '06:30:00'],
  ['TIME', "TIME '06:30:00.000001'", '06:30:00.000001'],
  ['STRING', `'"' || chr(0) || chr(128512)`, `"\u0000😀`],
  ['JSON', `'{"a":1}'`, '{"a":1}'],
  ['STRING', 'NULL', null],
  ['TIMESTAMP', 'NULL::TIMESTAMPTZ', null],
])('%s %s is written as %s', async (type, sql, text) => {
  expect(await written(field(type), sql)).toEqual(text)
})

test.each([
  ['0', '0.0', '0'],
  ['1642636800000000', '1.6426368E9', '1642636800000000'],
  ['-500000', '-5.0E-1', '-500000'],
  ['1', '1.0E-6', '1'],
  ['1642636800123456', '1.642636800123456E9', '1642636800123456'],
  ['253402300799999999', '2.53402300799999999E11', '253402300799999999'],
  ['-62135596800000000', '-6.21355968E10', '-62135596800000000'],
])('the timestamp of %s microseconds is %s seconds', async (micros, seconds, whole) => {
  const sql = `make_timestamptz(${micros})`
  expect(await written(field('TIMESTAMP'), sql, false)).toBe(seconds)
  expect(await written(field('TIMESTAMP'), sql, true)).toBe(whole)
})

test('arrays and records nest, and a missing array is an empty one', async () => {
  const inner = field('INT64', { name: 'n' })
  const record = field('RECORD', { fields: [inner, { ...inner, name: 'l', mode: 'REPEATED' }] })
  expect(await written(record, "{'n': 1, 'l': [2, NULL]}")).toEqual({ f: [{ v: '1' }, { v: [{ v: '2' }, { v: null }] }] })
  expect(await written({ ...record, mode: 'REPEATED' }, "[{'n': 1, 'l': []::BIGINT[]}]")).toEqual([
    { v: { f: [{ v: '1' }, { v: [] }] } },
  ])
  expect(await written({ ...record, mode: 'REPEATED' }, 'NULL::STRUCT(n BIGINT, l BIGINT[])[]')).toEqual([])
  expect(await written(record, 'NULL::STRUCT(n BIGINT, l BIGINT[])')).toBeNull()
})

async function written(column: Field, sql: string, int64Timestamps = true): Promise<unknown> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  const reader = await connection.runAndReadAll(`SELECT ${rowText([column], { int64Timestamps })} FROM (SELECT ${sql} AS x)`)
  const row = JSON.parse(String(reader.getRowsJS()[0]?.[0]))
  connection.closeSync()
  instance.closeSync()
  return row.f[0].v
}

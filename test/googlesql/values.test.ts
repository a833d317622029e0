import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { closeShared, evaluate } from '../../src/googlesql/evaluate.ts'
import type { Field, Value } from '../../src/googlesql/field.ts'
import { anyValueOf } from '../support/values.ts'

afterAll(closeShared)

const scalars = [
  'STRING',
  'BYTES',
  'INT64',
  'FLOAT64',
  'BOOL',
  'NUMERIC',
  'BIGNUMERIC',
  'TIMESTAMP',
  'DATE',
  'TIME',
  'DATETIME',
  'JSON',
] as const
const fields: Field[] = [
  ...scalars.map(type => ({ name: `a_${type.toLowerCase()}`, type, mode: 'NULLABLE' as const })),
  ...scalars.map(type => ({ name: `l_${type.toLowerCase()}`, type, mode: 'REPEATED' as const })),
  {
    name: 'record',
    type: 'RECORD',
    mode: 'REPEATED',
    fields: [
      { name: 'x', type: 'INT64', mode: 'NULLABLE' },
      { name: 'y', type: 'NUMERIC', mode: 'REPEATED' },
      { name: 'z', type: 'RECORD', mode: 'NULLABLE', fields: [{ name: 'w', type: 'STRING', mode: 'NULLABLE' }] },
    ],
  },
]

test('any value of any type goes to the evaluator and comes back the same', async () => {
  const row = fc.record(Object.fromEntries(fields.map(field => [field.name, anyValueOf(field)])), { noNullPrototype: true })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async rows => {
      const result = await evaluate({ sql: 'SELECT * FROM t', tables: { t: { schema: fields, rows } } })
      expect(result.rows).toStrictEqual(rows)
      expect(result.schema).toStrictEqual(fields)
    }),
    { numRuns: 60 },
  )
})

test('any value of any type can be a parameter', async () => {
  const one = fc
    .constantFrom(...fields)
    .chain(field => anyValueOf(field).map(value => ({ field: { ...field, name: 'p' }, value })))
  await fc.assert(
    fc.asyncProperty(one, async parameter => {
      const result = await evaluate({ sql: 'SELECT @p AS p', tables: {}, parameters: [parameter] })
      expect(result.rows).toStrictEqual([{ p: parameter.value }])
    }),
    { numRuns: 100 },
  )
})

test.each<[string, string, Value]>([
  ['INT64 beyond 2^53', '9007199254740993', 9007199254740993n],
  ['the smallest INT64', '-9223372036854775808', -9223372036854775808n],
  ['the largest NUMERIC', "NUMERIC '99999999999999999999999999999.999999999'", '99999999999999999999999999999.999999999'],
  ['the smallest NUMERIC step', "NUMERIC '-0.000000001'", '-0.000000001'],
  [
    'the largest BIGNUMERIC',
    "BIGNUMERIC '578960446186580977117854925043439539266.34992332820282019728792003956564819967'",
    '578960446186580977117854925043439539266.34992332820282019728792003956564819967',
  ],
  ['a microsecond before 1970', "TIMESTAMP '1969-12-31 23:59:59.999999+00'", '1969-12-31T23:59:59.999999Z'],
  ['the first timestamp', "TIMESTAMP '0001-01-01 00:00:00+00'", '0001-01-01T00:00:00Z'],
  ['the last timestamp', "TIMESTAMP '9999-12-31 23:59:59.999999+00'", '9999-12-31T23:59:59.999999Z'],
  ['the first date', "DATE '0001-01-01'", '0001-01-01'],
  ['the last datetime', "DATETIME '9999-12-31 23:59:59.999999'", '9999-12-31T23:59:59.999999'],
  ['the last time', "TIME '23:59:59.999999'", '23:59:59.999999'],
  ['bytes', "b'\\x00\\xff'", new Uint8Array([0, 255])],
  ['NaN', "CAST('nan' AS FLOAT64)", Number.NaN],
  ['minus infinity', "CAST('-inf' AS FLOAT64)", Number.NEGATIVE_INFINITY],
  ['minus zero', "CAST('-0' AS FLOAT64)", -0],
  ['a character beyond the first plane', "'😀'", '😀'],
  ['days in the zone UTC', "DATE(TIMESTAMP '2024-06-01 00:30:00+00')", '2024-06-01'],
])('the evaluator gives %s exactly', async (_, sql, value) => {
  const { rows } = await evaluate({ sql: `SELECT ${sql} AS v`, tables: {} })
  expect(rows).toStrictEqual([{ v: value }])
})

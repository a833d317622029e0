import { afterAll, expect, test } from 'vitest'
import { closeShared, evaluate } from '../../src/googlesql/evaluate.ts'
import type { Field } from '../../src/googlesql/field.ts'

afterAll(closeShared)

const schema: Field[] = [
  { name: 'a', type: 'INT64', mode: 'NULLABLE' },
  { name: 's', type: 'STRING', mode: 'NULLABLE' },
]
const rows = [
  { a: 1n, s: 'x' },
  { a: 2n, s: 'y' },
]

test.each([
  ['t', 'SELECT t.a FROM t WHERE t.a = 2'],
  ['d.t', 'SELECT t.a FROM d.t WHERE t.a = 2'],
  ['d.t', 'SELECT t.a FROM `d.t` WHERE t.a = 2'],
  ['p.d.t', 'SELECT t.a FROM p.d.t WHERE t.a = 2'],
  ['p.d.t', 'SELECT t.a FROM `p.d.t` WHERE t.a = 2'],
  ['p.d.t', 'SELECT t.a FROM `p.d`.t WHERE t.a = 2'],
  ['my-project.d.t', 'SELECT t.a FROM `my-project.d.t` WHERE t.a = 2'],
  ['my-project.d.t', 'SELECT t.a FROM my-project.d.t WHERE t.a = 2'],
  ['p.d.t', 'SELECT u.a FROM `p.d.t` AS u WHERE u.a = 2'],
  ['p.d.t', 'WITH t AS (SELECT * FROM `p.d.t`) SELECT t.a FROM t WHERE t.a = 2'],
])('a table %s is found where a query names it: %s', async (name, sql) => {
  const result = await evaluate({ sql, tables: { [name]: { schema, rows } } })
  expect(result.rows).toEqual([{ a: 2n }])
})

test('two tables of one name in two datasets are two tables', async () => {
  const sql = 'SELECT x.a, y.s FROM d.t AS x JOIN `e.t` AS y ON x.a = y.a'
  const result = await evaluate({ sql, tables: { 'd.t': { schema, rows }, 'e.t': { schema, rows: [{ a: 2n, s: 'z' }] } } })
  expect(result.rows).toEqual([{ a: 2n, s: 'z' }])
})

test.each([
  ['SELECT nope FROM t', 'Unrecognized name: nope [at 1:8]'],
  ['SELECT `æ`, a\nFROM t\n\tWHERE b', 'Unrecognized name: b [at 3:15]'],
  ['SELECT "æøå😀", t.nope FROM `p.d.u` JOIN `p.d.u` AS t USING (a)', 'Name nope not found inside t [at 1:18]'],
  ['SELECT a FROM nowhere', 'Table not found: nowhere'],
  ['SELECT 1 / 0', 'division by zero: 1 / 0'],
  ['SELECT a, a FROM t', 'Duplicate column names in the result are not supported. Found duplicate(s): a'],
  ['SELECT [1, NULL] AS l', 'Array cannot have a null element; error in writing field l'],
  ['SELECT CAST(1 AS INT32)', 'Type not found: INT32 [at 1:18]'],
])('%s is refused with: %s', async (sql, message) => {
  const withLetter: Field[] = [...schema, { name: 'æ', type: 'INT64', mode: 'NULLABLE' }]
  await expect(evaluate({ sql, tables: { t: { schema: withLetter, rows: [] }, 'p.d.u': { schema, rows: [] } } })).rejects.toThrow(
    message,
  )
})

test('columns without a name are f0_, f1_, … as in BigQuery', async () => {
  const { schema: result } = await evaluate({ sql: 'SELECT 1, 2 AS b, 3', tables: {} })
  expect(result.map(field => field.name)).toEqual(['f0_', 'b', 'f1_'])
})

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Field } from '../../../../src/googlesql/field.ts'
import { anyValueOf, closeValueOf } from '../../../support/values.ts'
import { type Bench, column, openBench } from '../support/bench.ts'
import { schema as base, condition } from '../support/grammar.ts'
import { canonical, compareOn } from '../support/lowered.ts'

let bench: Bench
let both: ReturnType<typeof compareOn>
beforeAll(async () => {
  bench = await openBench()
  both = compareOn(bench)
})
afterAll(async () => {
  await both.close()
  await bench.close()
})

const schema: Field[] = [...base, column('id', 'INT64')]
const plain = base.filter(field => field.mode !== 'REPEATED' && !['FLOAT64', 'JSON', 'RECORD'].includes(field.type))
const one = (fields: readonly Field[]) => fc.constantFrom(...fields)
const filter = condition(closeValueOf)
const twin = (field: Field) => one(schema.filter(other => other.type === field.type && other.mode === field.mode))
const side = fc.oneof(
  fc.constant('P.D.t'),
  filter.map(where => `(SELECT * FROM P.D.t WHERE ${where})`),
  filter.map(where => `(SELECT *, 'x' AS extra FROM P.D.t WHERE ${where} UNION ALL SELECT *, 'y' FROM P.D.t)`),
)
const alone = fc.constantFrom(
  '',
  ' AND a.bool_1',
  ' AND b.int64_2 > 0',
  ' AND NOT a.bool_2 AND b.bool_1 IS NOT NULL',
  ' AND TRUE',
  ' AND a.string_1 = b.string_2',
)
const compared = base
  .filter(({ type }) => type !== 'RECORD')
  .map(({ name, type, mode }, index) =>
    mode === 'REPEATED' || type === 'JSON'
      ? `TO_JSON_STRING(a.${name}) IS DISTINCT FROM TO_JSON_STRING(b.${name}) AS d${index}`
      : `a.${name} IS DISTINCT FROM b.${name} AS d${index}`,
  )

const joins = fc
  .tuple(
    one(plain).chain(field => fc.tuple(fc.constant(field), twin(field))),
    side,
    side,
    fc.constantFrom('', 'LEFT', 'RIGHT', 'FULL'),
    alone,
  )
  .chain(([[field, other], left, right, type, more]) =>
    fc.constantFrom(
      `SELECT a.id, b.id AS other, a.list, b.record FROM ${left} AS a ${type} JOIN ${right} AS b ON a.${field.name} = b.${other.name}${more}`,
      `SELECT ${field.name}, a.id, b.id AS other FROM ${left} AS a ${type} JOIN ${right} AS b USING (${field.name})`,
      `SELECT a.id, b.id AS other, ${compared.join(', ')} FROM ${left} AS a ${type} JOIN ${right} AS b ON a.${field.name} = b.${other.name}`,
      `SELECT COUNT(*) AS n, COUNTIF(a.id IS NULL) AS added, COUNTIF(b.id IS NULL) AS removed FROM ${left} AS a ${type} JOIN ${right} AS b ON a.${field.name} = b.${other.name}${more}`,
      `SELECT a.id FROM ${left} AS a LEFT JOIN ${right} AS b ON a.${field.name} = b.${other.name}${more} WHERE b.id IS NULL`,
      `SELECT a.id, b.id AS other FROM ${left} AS a, P.D.t AS b WHERE a.${field.name} < b.${other.name}`,
      `SELECT a.id, b.id AS other FROM ${left} AS a JOIN ${right} AS b ON a.${field.name} <= b.${other.name}${more}`,
      `SELECT a.id, c.id AS third FROM ${left} AS a ${type} JOIN P.D.t AS b ON a.id = b.id LEFT JOIN ${right} AS c ON b.${field.name} = c.${other.name}`,
      `WITH a AS (SELECT * FROM ${left}), b AS (SELECT id AS k, ${field.name} AS v FROM a), c AS (SELECT * FROM b UNION ALL SELECT id, ${other.name} FROM ${right}) SELECT b.k, c.k AS other, c.v FROM b ${type} JOIN c ON b.v = c.v`,
      `SELECT EXISTS (WITH w AS (SELECT id FROM P.D.t WHERE id > 2) SELECT 1 FROM w) AS e, (SELECT COUNT(*) FROM P.D.t AS a JOIN P.D.t AS b ON a.${field.name} = b.${other.name}) AS n`,
    ),
  )

const order = fc
  .tuple(
    one(base.filter(({ type, mode }) => mode !== 'REPEATED' && !['BIGNUMERIC', 'JSON', 'RECORD'].includes(type))),
    fc.constantFrom('', ' DESC', ' ASC NULLS LAST', ' DESC NULLS FIRST'),
  )
  .map(([field, how]) => `${field.name}${how}, id`)
const windows = fc
  .tuple(one(plain), one(plain), order, side)
  .chain(([a, b, by, from]) =>
    fc.constantFrom(
      `SELECT id, ROW_NUMBER() OVER (PARTITION BY ${a.name} ORDER BY ${by}) AS n FROM ${from} WHERE id > 0`,
      `SELECT id, ROW_NUMBER() OVER (ORDER BY ${by}) AS n, ROW_NUMBER() OVER (PARTITION BY ${a.name}, ${b.name} ORDER BY ${by}) AS m FROM P.D.t`,
      `SELECT * EXCEPT (n) FROM (SELECT t.*, ROW_NUMBER() OVER (PARTITION BY ${a.name} ORDER BY ${by}) AS n FROM P.D.t AS t) WHERE n = 1 AND id != 3`,
      `SELECT id FROM P.D.t WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY ${a.name} ORDER BY ${by}) = 2`,
    ),
  )

test('joins, WITH and ROW_NUMBER give the rows that the evaluator gives', async () => {
  const row = fc.tuple(
    ...base.map(field =>
      field.mode === 'REPEATED' || ['RECORD', 'JSON'].includes(field.type) ? anyValueOf(field) : closeValueOf(field),
    ),
  )
  const cases = fc.tuple(
    fc.array(row, { maxLength: 9 }),
    fc.array(fc.oneof(joins, joins, windows), { minLength: 8, maxLength: 8 }),
  )
  await fc.assert(
    fc.asyncProperty(cases, async ([list, queries]) => {
      const rows = list.map((each, index) => [...each, BigInt(index + 1)])
      await bench.table('t', schema, rows)
      for (const sql of queries) {
        const { duck, google, part } = await both.ask(sql, { schema, rows })
        if (duck === undefined) {
          // Compared by more than equality of plain types: the evaluator has it.
          if (/compares both sides/.test(part ?? '')) continue
          throw new Error(`not in the grammar: ${part} in ${sql}`)
        }
        if ('error' in google) throw new Error(`the evaluator refuses ${sql}: ${google.error}`)
        if ('error' in duck) throw new Error(`DuckDB refuses ${sql}: ${duck.error}`)
        expect({ sql, rows: canonical(duck.rows, false) }).toEqual({ sql, rows: canonical(google.rows, false) })
      }
    }),
    { numRuns: Number(process.env.GRAMMAR_RUNS ?? 12) },
  )
}, 180_000)

test.each([
  ['SELECT a.id FROM P.D.t AS a LEFT JOIN P.D.t AS b ON a.int64_1 < b.int64_1', /LEFT JOIN that compares both sides/],
  ['SELECT a.id FROM P.D.t AS a FULL JOIN P.D.t AS b ON a.float64_1 = b.float64_1', /FULL JOIN that compares both sides/],
  ['SELECT a.id FROM P.D.t AS a LEFT JOIN P.D.t AS b ON a.id > 0', /LEFT JOIN without an equality/],
  ['SELECT id, RANK() OVER (ORDER BY id) AS n FROM P.D.t', /RANK OVER a window/],
  ['SELECT id, SUM(id) OVER (ORDER BY id) AS n FROM P.D.t', /SUM OVER a window/],
  ['WITH RECURSIVE w AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM w WHERE n < 3) SELECT n FROM w', /recursive/],
])('outside the grammar, and so left to the evaluator: %s', async (sql, message) => {
  await bench.table('t', schema, [])
  const { duck, part } = await both.ask(sql, { schema, rows: [] })
  expect(duck).toBeUndefined()
  expect(part).toMatch(message)
})

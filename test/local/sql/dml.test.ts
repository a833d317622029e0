import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGoogleSql } from '../../../src/googlesql/analyse.ts'
import type { Field, Value } from '../../../src/googlesql/field.ts'
import { anyValueOf, closeValueOf } from '../../support/values.ts'
import { type Bench, column, openBench, parameter } from './support/bench.ts'
import { condition, schema, written } from './support/grammar.ts'
import { canonical } from './support/lowered.ts'

let bench: Bench
const google = createGoogleSql()
beforeAll(async () => {
  bench = await openBench()
})
afterAll(async () => {
  await google.close()
  await bench.close()
})

const settable = schema.filter(field => field.mode !== 'REPEATED' && field.type !== 'RECORD' && field.type !== 'JSON')
const one = fc.constantFrom(...settable)
const literalOf = (field: Field) => closeValueOf(field).map(value => written(value, field))
const filter = condition(closeValueOf)
/** Statements, and those that the closed grammar leaves to the evaluator. */
const statement = fc.oneof(
  fc
    .tuple(fc.uniqueArray(one, { minLength: 1, maxLength: 3, selector: field => field.name }), filter)
    .chain(([fields, where]) =>
      fc
        .tuple(...fields.map(field => fc.oneof(literalOf(field), fc.constant(field.name.replace(/_\d$/, '_1')))))
        .map(
          values =>
            `UPDATE P.D.t SET ${fields.map((field, index) => `${field.name} = ${values[index]}`).join(', ')} WHERE ${where}`,
        ),
    ),
  filter.map(where => `DELETE FROM P.D.t WHERE ${where}`),
  fc.tuple(one, one, fc.integer({ min: 1, max: 2 })).chain(([a, b, rows]) => {
    const fields = a.name === b.name ? [a] : [a, b]
    const row = fc.tuple(...fields.map(literalOf)).map(values => `(${values.join(', ')})`)
    return fc
      .array(row, { minLength: rows, maxLength: rows })
      .map(list => `INSERT INTO P.D.t (${fields.map(field => field.name).join(', ')}) VALUES ${list.join(', ')}`)
  }),
  fc
    .tuple(filter, literalOf(column('x', 'STRING')))
    .map(
      ([where, text]) =>
        `INSERT P.D.t (string_1, list, record, int64_2) SELECT ${text}, list, record, 7 FROM P.D.t WHERE ${where}`,
    ),
  filter.map(where => `UPDATE P.D.t SET string_1 = UPPER(REVERSE(string_2)), list = ARRAY_REVERSE(list) WHERE ${where}`),
  filter.map(where => `DELETE FROM P.D.t WHERE SUBSTR(string_1, 1, 1) = 'a' OR ${where}`),
  filter.map(where => `UPDATE P.D.t SET int64_1 = u.n FROM (SELECT 5 AS n) AS u WHERE ${where}`),
)

test('any order of INSERT, UPDATE and DELETE leaves the rows that the evaluator leaves', async () => {
  const row = fc.tuple(...schema.map(field => (settable.includes(field) ? closeValueOf(field) : anyValueOf(field))))
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 8 }),
      fc.array(statement, { minLength: 4, maxLength: 8 }),
      async (rows, statements) => {
        await bench.table('t', schema, rows)
        let expected: Value[][] = rows.map(each => [...each])
        for (const sql of statements) {
          const { dmlAffectedRows } = await bench.run(sql)
          const scope = { tables: [{ name: 'P.D.t', schema, numbered: !sql.startsWith('INSERT') }] }
          const content = new Map([['P.D.t', expected]])
          const flat = sql.replaceAll('P.D.t', '`P.D.t`')
          if (sql.startsWith('INSERT')) {
            const added = await google.inserted(flat, scope, content, schema)
            expect(dmlAffectedRows).toBe(added.length)
            expected = [...expected, ...added]
          } else {
            const changes = new Map((await google.changed(flat, scope, content, schema)).map(each => [each.place, each.row]))
            expect(dmlAffectedRows).toBe(changes.size)
            expected = expected
              .flatMap((each, place) => (changes.has(place) ? [changes.get(place)] : [each]))
              .filter(each => each !== undefined)
          }
          const { values } = await bench.run('SELECT * FROM P.D.t')
          expect({ sql, rows: canonical(values, false) }).toEqual({ sql, rows: canonical(expected, false) })
        }
      },
    ),
    { numRuns: Number(process.env.GRAMMAR_RUNS ?? 15) },
  )
}, 120_000)

const everything: Field[] = [
  column('s', 'STRING'),
  column('by', 'BYTES'),
  column('i', 'INT64'),
  column('f', 'FLOAT64'),
  column('bo', 'BOOL'),
  column('n', 'NUMERIC'),
  column('bn', 'BIGNUMERIC'),
  column('ts', 'TIMESTAMP'),
  column('d', 'DATE'),
  column('t', 'TIME'),
  column('dt', 'DATETIME'),
  column('l', 'NUMERIC', 'REPEATED'),
  column('lb', 'BYTES', 'REPEATED'),
  column('r', 'RECORD', 'NULLABLE', [column('x', 'TIMESTAMP'), column('y', 'RECORD', 'REPEATED', [column('z', 'BIGNUMERIC')])]),
]

test.each([
  ['INSERT … SELECT on DuckDB', 'INSERT INTO P.D.copy SELECT * FROM P.D.source'],
  ['INSERT … SELECT on the evaluator', 'INSERT INTO P.D.copy SELECT a.* FROM P.D.source AS a CROSS JOIN UNNEST([1])'],
  ['CREATE TABLE AS SELECT', 'DROP TABLE P.D.copy; CREATE TABLE P.D.copy AS SELECT * FROM P.D.source'],
])(
  'every value of every type passes through %s and a SELECT unchanged',
  async (_, sql) => {
    const row = fc.tuple(...everything.map(anyValueOf))
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async rows => {
        await bench.table('source', everything, rows)
        await bench.table('copy', everything, [])
        await bench.run(sql)
        expect((await bench.run('SELECT * FROM P.D.copy')).values.map(exactly).sort()).toEqual(rows.map(exactly).sort())
        // Through the evaluator as well.
        expect((await bench.run('SELECT * FROM P.D.copy WHERE RAND() >= 0')).values.map(exactly).sort()).toEqual(
          rows.map(exactly).sort(),
        )
      }),
      { numRuns: 8 },
    )
  },
  60_000,
)

test('every value of every scalar type is inserted from a parameter as it was', async () => {
  const texts: [Field['type'], string, Value][] = [
    ['INT64', '-9223372036854775808', -9223372036854775808n],
    ['FLOAT64', '-0', -0],
    ['FLOAT64', 'NaN', Number.NaN],
    ['FLOAT64', '-Infinity', Number.NEGATIVE_INFINITY],
    ['FLOAT64', '-inf', Number.NEGATIVE_INFINITY],
    ['BOOL', 'true', true],
    ['STRING', 'a\0b😀\u{10ffff}\'"\\', 'a\0b😀\u{10ffff}\'"\\'],
    ['BYTES', 'AP8=', new Uint8Array([0, 255])],
    ['NUMERIC', '-99999999999999999999999999999.999999999', '-99999999999999999999999999999.999999999'],
    ['NUMERIC', '1.50e2', '150'],
    ['BIGNUMERIC', '0.00000000000000000000000000000000000001', '0.00000000000000000000000000000000000001'],
    ['TIMESTAMP', '1969-12-31 23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
    ['TIMESTAMP', '0001-01-01T00:00:00+00:00', '0001-01-01T00:00:00Z'],
    ['TIMESTAMP', '2024-01-31 00:30:00.5+01:00', '2024-01-30T23:30:00.500000Z'],
    ['DATE', '0001-01-01', '0001-01-01'],
    ['TIME', '23:59:59.000001', '23:59:59.000001'],
    ['DATETIME', '9999-12-31 23:59:59.999999', '9999-12-31T23:59:59.999999'],
    ['JSON', '[1,2]', '[1,2]'],
  ]
  for (const [type, text, value] of texts) {
    await bench.table('p', [column('v', type)], [])
    await bench.run('INSERT INTO P.D.p VALUES (@v)', { parameters: [parameter('v', type, text)] })
    expect((await bench.run('SELECT v FROM P.D.p')).values.map(exactly)).toEqual([exactly([value])])
  }
})

test.each<[Field['type'], string]>([
  ['INT64', '1.5'],
  ['INT64', '9223372036854775808'],
  ['BOOL', 'yes'],
  ['NUMERIC', '1e40'],
  ['DATE', '2022-20-01'],
  ['DATE', '2023-02-29'],
  ['TIMESTAMP', 'yesterday'],
  ['TIME', '24:00:00'],
])('a parameter of type %s with the text %s is refused', async (type, text) => {
  expect(await bench.failure('SELECT @v', { parameters: [parameter('v', type, text)] })).toBe(
    `Invalid value for query parameter @v: ${text} is not a valid ${type}`,
  )
})

test('a REQUIRED column refuses NULL in INSERT, UPDATE and CREATE TABLE AS, inside of records too', async () => {
  const record = column('r', 'RECORD', 'NULLABLE', [column('x', 'INT64', 'REQUIRED')])
  await bench.table(
    'strict',
    [column('k', 'INT64', 'REQUIRED'), column('v', 'INT64'), column('l', 'INT64', 'REPEATED'), record],
    [[1n, null, [], null]],
  )
  const refused = [
    ['INSERT INTO P.D.strict (v) VALUES (1)', 'Required field k cannot be null'],
    ['INSERT INTO P.D.strict (k) SELECT v FROM P.D.strict', 'Required field k cannot be null'],
    ['INSERT INTO P.D.strict (k) SELECT a.v FROM P.D.strict AS a CROSS JOIN UNNEST([1, 2])', 'Required field k cannot be null'],
    ['UPDATE P.D.strict SET k = v WHERE TRUE', 'Required field k cannot be null'],
    ['UPDATE P.D.strict SET k = ABS(v) WHERE TRUE', 'Required field k cannot be null'],
    ['INSERT INTO P.D.strict (k, r) VALUES (2, STRUCT(CAST(NULL AS INT64) AS x))', 'Required field r.x cannot be null'],
    ['CREATE TABLE P.D.never (k INT64 NOT NULL) AS SELECT v FROM P.D.strict', 'Required field k cannot be null'],
  ] as const
  for (const [sql, message] of refused) expect(await bench.failure(sql)).toBe(message)
  expect((await bench.run('SELECT k, v, l FROM P.D.strict')).values).toEqual([[1n, null, []]])
  expect(await bench.failure('SELECT * FROM P.D.never')).toBe('Not found: Table P:D.never')
})

test('a column called rowid is never taken for the number of a row', async () => {
  await bench.table(
    'numbered',
    [column('rowid', 'INT64'), column('v', 'STRING')],
    [
      [1n, 'a'],
      [0n, 'b'],
    ],
  )
  expect(await bench.failure("UPDATE P.D.numbered SET v = UPPER(v) WHERE v = 'a'")).toContain('it has a column called rowid')
  await bench.run("UPDATE P.D.numbered SET v = 'c' WHERE rowid = 1")
  await bench.run('INSERT INTO P.D.numbered SELECT rowid + 5, UPPER(v) FROM P.D.numbered WHERE rowid = 1')
  expect((await bench.run('SELECT v FROM P.D.numbered')).values.flat().sort()).toEqual(['C', 'b', 'c'])
})

test('an absent array is stored as an empty one', async () => {
  await bench.table('arrays', [column('k', 'INT64'), column('l', 'INT64', 'REPEATED')], [])
  await bench.run('INSERT INTO P.D.arrays (k) VALUES (1); INSERT INTO P.D.arrays VALUES (2, NULL), (3, [4])')
  expect((await bench.run('SELECT l FROM P.D.arrays ORDER BY k')).values).toEqual([[[]], [[]], [[4n]]])
  await bench.table('nested', [column('r', 'RECORD', 'NULLABLE', [column('l', 'INT64', 'REPEATED')])], [[null]])
  const { rows } = await bench.run('INSERT INTO P.D.arrays SELECT 4, r.l FROM P.D.nested; SELECT r.l FROM P.D.nested')
  await bench.database.use(async ({ connection, find }) => {
    const table = await find({ project: 'P', dataset: 'D', table: 'arrays' })
    for (const physical of [rows, table?.physical]) {
      expect((await connection.runAndReadAll(`SELECT COUNT(*) FROM ${physical} WHERE l IS NULL`)).getRows()).toEqual([[0n]])
    }
  })
})

function exactly(row: readonly Value[]): string {
  return JSON.stringify(row, (_, value) => {
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  })
}

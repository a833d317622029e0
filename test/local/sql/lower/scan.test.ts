import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Field, Value } from '../../../../src/googlesql/field.ts'
import { beyondCast } from '../../../../src/local/sql/lower/cast.ts'
import { anyValueOf, closeValueOf } from '../../../support/values.ts'
import { type Bench, openBench } from '../support/bench.ts'
import { query, schema } from '../support/grammar.ts'
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

const numbers = [
  '12',
  '-3',
  '+4',
  ' 5 ',
  '1.5',
  '.5',
  '5.',
  '1e3',
  '0x1F',
  '1_000',
  '',
  '-',
  '9223372036854775808',
  'NaN',
  'inf',
  '٣',
  '1.0000000005',
  '-0',
  '\t7\n',
  '7\v',
  'v7',
  '\xa07',
  '0X1f',
  '1e-3',
]
const valuesOf = (field: Field) =>
  field.type === 'STRING'
    ? fc.oneof({ arbitrary: closeValueOf(field), weight: 3 }, fc.constantFrom(...numbers))
    : closeValueOf(field)

test('every query of the closed grammar gives the rows that the evaluator gives', async () => {
  const row = fc.tuple(
    ...schema.map(field =>
      field.mode === 'REPEATED' || field.type === 'RECORD' || field.type === 'JSON' ? anyValueOf(field) : valuesOf(field),
    ),
  )
  const cases = fc.tuple(fc.array(row, { maxLength: 12 }), fc.array(query(valuesOf), { minLength: 6, maxLength: 6 }))
  await fc.assert(
    fc.asyncProperty(cases, async ([rows, queries]) => {
      await bench.table('t', schema, rows)
      for (const { sql, ordered } of queries) {
        const { duck, google, part } = await both.ask(sql, { schema, rows })
        if (duck === undefined) throw new Error(`not in the grammar: ${part} in ${sql}`)
        if ('error' in google) throw new Error(`the evaluator refuses ${sql}: ${google.error}`)
        // Refused in a sentence, and then run on the evaluator if it can be.
        if ('error' in duck && duck.error.includes(beyondCast)) continue
        if ('error' in duck) throw new Error(`DuckDB refuses ${sql}: ${duck.error}`)
        expect({ sql, rows: canonical(duck.rows, ordered) }).toEqual({ sql, rows: canonical(google.rows, ordered) })
      }
    }),
    { numRuns: Number(process.env.GRAMMAR_RUNS ?? 25) },
  )
}, 120_000)

const special: Partial<Record<Field['type'], readonly Value[]>> = {
  FLOAT64: [null, Number.NaN, Number.NEGATIVE_INFINITY, -1.5, -0, 0, 5e-324, 1.5, Number.POSITIVE_INFINITY],
  STRING: [null, '', '\0', ' ', 'A', 'a', 'a\0', 'a\nb', 'ab', 'z', 'å', 'æ', 'ø', '\u{ffff}', '😀'],
  BYTES: [null, new Uint8Array(), new Uint8Array([0]), new Uint8Array([127]), new Uint8Array([128]), new Uint8Array([255, 0])],
  INT64: [null, -(2n ** 63n), -1n, 0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  BOOL: [null, false, true],
  NUMERIC: [
    null,
    '-99999999999999999999999999999.999999999',
    '-0.000000001',
    '0',
    '0.000000001',
    '1.5',
    '99999999999999999999999999999.999999999',
  ],
  TIMESTAMP: [null, '0001-01-01T00:00:00Z', '1969-12-31T23:59:59.999999Z', '1970-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z'],
}

test.each(Object.entries(special) as [Field['type'], readonly Value[]][])(
  'every pair of awkward values of %s compares, sorts and aggregates as on the evaluator',
  async (type, values) => {
    const fields: Field[] = [
      { name: 'a', type, mode: 'NULLABLE' },
      { name: 'b', type, mode: 'NULLABLE' },
      { name: 'r', type: 'RECORD', mode: 'NULLABLE', fields: [{ name: 'l', type: 'INT64', mode: 'REPEATED' }] },
    ]
    const rows = values.flatMap(a => values.map(b => [a, b, a === null ? null : { l: [1n] }]))
    await bench.table('t', fields, rows)
    const comparisons = ['=', '!=', '<', '<=', '>', '>='].map((sign, index) => `a ${sign} b AS c${index}`)
    for (const [sql, ordered] of [
      [`SELECT a, b, ${comparisons.join(', ')}, a IS NULL AS n, r.l FROM P.D.t`, false],
      ...['', ' ASC NULLS LAST', ' DESC', ' DESC NULLS FIRST'].map(
        order => [`SELECT a FROM P.D.t ORDER BY a${order}`, true] as const,
      ),
      ['SELECT MIN(a), MAX(a), COUNT(a) FROM P.D.t', false],
      ...values.map(
        (_, index) =>
          [
            `SELECT MIN(b), MAX(b) FROM P.D.t WHERE NOT (a > b) OR a IS NULL${index % 2 === 0 ? '' : ' AND b IS NOT NULL'}`,
            false,
          ] as const,
      ),
    ] as const) {
      const { duck, google, part } = await both.ask(sql, { schema: fields, rows })
      if (duck === undefined || 'error' in duck || 'error' in google)
        throw new Error(`${sql}: ${part} ${JSON.stringify([duck, google])}`)
      expect({ sql, rows: canonical(duck.rows, ordered) }).toEqual({ sql, rows: canonical(google.rows, ordered) })
    }
  },
)

test('UNION ALL gives the rows of its parts, with their types brought together', async () => {
  const fields: Field[] = [
    { name: 'a', type: 'INT64', mode: 'NULLABLE' },
    { name: 'b', type: 'STRING', mode: 'NULLABLE' },
    { name: 'j', type: 'JSON', mode: 'NULLABLE' },
  ]
  const rows: Value[][] = [
    [1n, 'x', '{"k":1}'],
    [1n, 'x', null],
    [null, null, 'null'],
  ]
  await bench.table('t', fields, rows)
  for (const sql of [
    'SELECT a, b FROM P.D.t UNION ALL SELECT 2, b FROM P.D.t WHERE a = 1 UNION ALL SELECT NULL, NULL',
    "SELECT 'one' AS kind, CURRENT_TIMESTAMP() AS now, CAST(NULL AS JSON) AS j, CAST(NULL AS BOOL) AS held UNION ALL SELECT 'many', CURRENT_TIMESTAMP(), j, TRUE FROM P.D.t",
    'SELECT COUNT(*) AS n FROM (SELECT a FROM P.D.t UNION ALL SELECT a FROM P.D.t)',
    'SELECT a FROM P.D.t UNION ALL SELECT CAST(1.5 AS NUMERIC)',
  ]) {
    const { duck, google, part } = await both.ask(sql, { schema: fields, rows })
    if (duck === undefined || 'error' in duck || 'error' in google)
      throw new Error(`${sql}: ${part} ${JSON.stringify([duck, google])}`)
    const shown = (answer: typeof duck) =>
      canonical(answer.rows, false).map(line => line.replace(/"\d{4}-\d\d-\d\dT[^"]*"/, 'now'))
    expect({ sql, rows: shown(duck) }).toEqual({ sql, rows: shown(google) })
  }
  expect(
    (await both.ask('SELECT a FROM P.D.t UNION DISTINCT SELECT a FROM P.D.t', { schema: fields, rows })).duck,
  ).toBeUndefined()
})

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Field } from '../../../../src/googlesql/field.ts'
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

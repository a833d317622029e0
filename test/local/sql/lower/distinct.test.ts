import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Field, Value } from '../../../../src/googlesql/field.ts'
import { anyValueOf, closeValueOf } from '../../../support/values.ts'
import { type Bench, column, openBench } from '../support/bench.ts'
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

const inner = [column('x', 'FLOAT64'), column('j', 'JSON'), column('l', 'STRING', 'REPEATED'), column('n', 'BIGNUMERIC')]
const shapes: readonly (readonly [Field, 'both' | 'texts'])[] = [
  ...(
    ['STRING', 'BYTES', 'INT64', 'FLOAT64', 'BOOL', 'NUMERIC', 'BIGNUMERIC', 'TIMESTAMP', 'DATE', 'TIME', 'DATETIME'] as const
  ).map(type => [column('v', type), 'both'] as const),
  [column('v', 'JSON'), 'texts'],
  [column('v', 'FLOAT64', 'REPEATED'), 'texts'],
  [column('v', 'STRING', 'REPEATED'), 'texts'],
  [column('v', 'RECORD', 'NULLABLE', [column('a', 'INT64'), column('b', 'STRING')]), 'texts'],
  [column('v', 'RECORD', 'NULLABLE', inner), 'texts'],
  [column('v', 'RECORD', 'REPEATED', inner), 'texts'],
  [column('v', 'RECORD', 'REPEATED', [column('r', 'RECORD', 'REPEATED', inner)]), 'texts'],
]

test.each(shapes.map(([field, how]) => [`${field.type} ${field.mode} ${field.fields?.length ?? ''}`, field, how] as const))(
  'IS DISTINCT FROM, and that of TO_JSON_STRING, means the same on both sides: %s',
  async (_, field, how) => {
    const few = fc.constantFrom(...(awkward[field.type] ?? [null]), ...(field.mode === 'REPEATED' ? [[]] : []))
    const one = field.mode === 'REPEATED' || field.type === 'RECORD' ? anyValueOf(field) : closeValueOf(field)
    const value = awkward[field.type] !== undefined && field.mode !== 'REPEATED' ? fc.oneof(few, one) : one
    const pair = fc.oneof(
      fc.tuple(value, value),
      value.map(each => [each, each] as [Value, Value]),
    )
    const fields = [{ ...field, name: 'a' }, { ...field, name: 'b' }, column('k', 'INT64')]
    const texts = [
      'TO_JSON_STRING(a) IS DISTINCT FROM TO_JSON_STRING(b)',
      'TO_JSON_STRING(a) IS NOT DISTINCT FROM TO_JSON_STRING(b)',
    ]
    const plain = how === 'both' ? ['a IS DISTINCT FROM b', 'a IS NOT DISTINCT FROM b'] : []
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { minLength: 20, maxLength: 40 }), async pairs => {
        const rows = pairs.map(([a, b], index) => [a, b, BigInt(index)])
        await bench.table('t', fields, rows)
        const list = [...texts, ...plain].map((each, index) => `${each} AS d${index}`).join(', ')
        const { duck, google, part } = await both.ask(`SELECT k, ${list} FROM P.D.t`, { schema: fields, rows })
        if (duck === undefined || 'error' in duck || 'error' in google)
          throw new Error(`${part} ${JSON.stringify([duck, google])}`)
        expect(canonical(duck.rows, false)).toEqual(canonical(google.rows, false))
      }),
      { numRuns: 4 },
    )
  },
  60_000,
)

const awkward: Partial<Record<Field['type'], readonly Value[]>> = {
  FLOAT64: [Number.NaN, 0, -0, 1, null],
  JSON: ['null', null, '"null"', '{"a":1}', '{"a":1,"b":[null]}', '0', '0.0', '""'],
}

import { bq, row } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { decoder, type RawCell } from '../../../src/adapters/bigquery/decode.ts'

const decode = (schema: ReturnType<typeof row>, ...cells: RawCell['v'][]) =>
  decoder(schema.columns)({ f: cells.map(v => ({ v })) })

describe('a cell of an answer', () => {
  test.each([
    [z.int(), '-9007199254740991', -9007199254740991],
    [bq.int64(), '9223372036854775807', 9223372036854775807n],
    [z.number(), 'NaN', Number.NaN],
    [z.number(), '-Infinity', Number.NEGATIVE_INFINITY],
    [z.number(), 'inf', Number.POSITIVE_INFINITY],
    [z.number(), '-0.0', -0],
    [z.number(), '5e-324', 5e-324],
    [z.boolean(), 'true', true],
    [z.boolean(), 'false', false],
    [bq.timestamp(), '-1', '1969-12-31T23:59:59.999999Z'],
    [bq.timestamp(), '-62135596800000000', '0001-01-01T00:00:00Z'],
    [bq.timestamp(), '253402300799999999', '9999-12-31T23:59:59.999999Z'],
    [bq.datetime(), '2024-01-31T06:30:00.5', '2024-01-31T06:30:00.500000'],
    [bq.datetime(), '2024-01-31T06:30:00.000000', '2024-01-31T06:30:00'],
    [bq.time(), '06:30:00.000001', '06:30:00.000001'],
    [bq.bignumeric(), '0.00000000000000000000000000000000000001', '0.00000000000000000000000000000000000001'],
    [bq.json(), '{"a":12345678901234567890}', '{"a":12345678901234567890}'],
  ] as const)('case %# is exact', (schema, cell, value) => {
    expect(decode(row({ x: schema as never }), cell).x).toStrictEqual(value)
  })

  test('of bytes is base64', () => {
    expect(decode(row({ x: bq.bytes() }), 'AP8K').x).toEqual(new Uint8Array([0, 255, 10]))
  })

  test('may be NULL, an array, a record, and all of them in each other', () => {
    const schema = row({ none: z.string().nullable(), list: z.array(z.object({ id: bq.int64(), tags: z.array(z.string()) })) })
    const element = { f: [{ v: '7' }, { v: [{ v: 'a' }, { v: 'b' }] }] }
    expect(decode(schema, null, [{ v: element }])).toEqual({ none: null, list: [{ id: 7n, tags: ['a', 'b'] }] })
  })
})

test('a whole number beyond 2^53 in a column of numbers does not pass the row schema', () => {
  const schema = row({ x: z.int() })
  expect(schema.zod.safeParse(decode(schema, '9007199254740993')).success).toBe(false)
})

import * as fc from 'fast-check'
import { bq } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { fieldsOf } from '../../src/domain/checker.ts'
import { columnOf } from '../../src/domain/columns.ts'
import { quickTest } from '../../src/domain/quick.ts'
import { isDatetime, isDecimal, isTime, isTimestamp } from '../../src/domain/text.ts'
import { valuesOf } from '../../src/testing/generate.ts'

const schemas: Readonly<Record<string, z.ZodType>> = {
  text: z.string(),
  few: z.string().min(2).max(3),
  exact: z.string().length(2),
  code: z.string().regex(/^[A-F]+$/),
  anyCase: z.string().regex(/^[a-f]+$/i),
  global: z.string().regex(/[a-f]/g).max(3),
  choice: z.enum(['a', 'b']),
  one: z.literal(['x', 'y']),
  guid: z.guid(),
  uuid: z.uuid(),
  uuid4: z.uuidv4(),
  email: z.email(),
  whole: z.int(),
  small: z.int32(),
  unsigned: z.uint32(),
  checked: z.number().int().min(-3).lt(5),
  share: z.number(),
  double: z.float64(),
  part: z.number().gt(0).max(1),
  flag: z.boolean(),
  large: bq.int64(),
  bounded: bq.int64().min(-5n).lt(5n),
  amount: bq.numeric(),
  long: bq.bignumeric(),
  day: z.iso.date(),
  ownDay: bq.date(),
  clock: z.iso.time(),
  ownClock: bq.time(),
  at: bq.timestamp(),
  local: bq.datetime(),
  raw: bq.bytes(),
  json: bq.json(),
  place: bq.geography(),
}

const guid = '0f9A1c2d-1e2f-4a3b-8c4d-5e6f70819a2b'
const hostile = [
  ...[
    undefined,
    null,
    '',
    ' ',
    'a',
    'ab',
    'abcd',
    'A',
    'x',
    'é',
    '😀',
    '😀😀',
    '😀😀😀😀',
    'a\ud800',
    '\udc00',
    'a\n',
    'A\n',
    'a\0',
  ],
  ...[guid, `${guid}\n`, guid.slice(1), `${guid}0`, guid.replace('-', '0'), guid.replace('4a', '0a'), guid.replace('8c', 'Gc')],
  ...['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'],
  ...[
    '2024-02-29',
    '2023-02-29',
    '0000-01-01',
    '2024-02-29\n',
    '２024-02-29',
    '24:00:00',
    '06:30',
    '06:30:00',
    '06:30:00.1234567',
    '06:30:00.',
  ],
  ...[
    '2024-02-29T06:30:00',
    '2024-02-29T06:30:00Z',
    '2024-02-29t06:30:00z',
    '2024-02-29T06:30:00+00:00',
    '2024-02-29T06:30:00.Z',
    '2024-02-29T06:3',
  ],
  ...[
    '0',
    '-',
    '.',
    '-.',
    '1.',
    '.5',
    '-0',
    '00.100',
    '1e5',
    '+1',
    ' 1',
    '1 ',
    '１',
    `${'9'.repeat(29)}.${'9'.repeat(9)}`,
    '9'.repeat(39),
    `0.${'0'.repeat(39)}`,
  ],
  ...['a@b.no', 'a@b', '{"a":1}', '{', '1e999'],
  ...[0, -0, 0.5, 1, 5, -3, -4, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 32 - 1, 2 ** 53, 2 ** 53 - 1, 1e300],
  ...[
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0n,
    5n,
    -5n,
    -6n,
    2n ** 63n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
  ],
  ...[
    true,
    false,
    {},
    [],
    ['a'],
    new Date(0),
    new Uint8Array([1]),
    Buffer.from('a'),
    new Uint16Array(1),
    new String('a'),
    new Number(1),
    Symbol.iterator,
  ],
]

describe('what is decided quickly of', () => {
  test.each(Object.entries(schemas))('%s is what zod decides', async (name, schema) => {
    const quick = quickTest(schema)
    if (quick === undefined) throw new Error('zod is asked')
    const zod = fieldsOf({ [name]: schema })[name] as z.ZodType
    const same = (value: unknown): void => {
      expect([value, quick(value)]).toEqual([value, zod.safeParse(value).success])
    }
    for (const value of hostile) same(value)
    const fits = valuesOf(columnOf(name, schema))
    const near = fc
      .tuple(fits, fc.nat(), fc.constantFrom('', '0', '9', '.', '-', ':', 'Z', 'T', 'a', '\n', '\ud800', '😀'))
      .map(([value, place, change]) => {
        if (typeof value !== 'string') return value
        const at = value === '' ? 0 : place % value.length
        return place % 2 === 0 ? value.slice(0, at) + change + value.slice(at) : value.slice(0, at) + change + value.slice(at + 1)
      })
    await fc.assert(fc.property(fc.oneof(fits, near, fc.anything({ withBigInt: true }), fc.double(), fc.integer()), same), {
      numRuns: 300,
    })
  })

  test('what only zod knows is left to it', () => {
    for (const schema of [
      z.url(),
      z.iso.time({ precision: 0 }),
      z.number().multipleOf(0.1),
      z.string().check(z.email()),
      z.string().startsWith('a'),
    ])
      expect(quickTest(schema)).toBeUndefined()
    expect(quickTest(z.stringFormat('bq.date', text => text === 'now'))?.('now')).toBe(true)
  })
})

test('times and decimals are what their patterns say', async () => {
  const time = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/
  const decimal = (text: string, whole: number, fraction: number) => {
    const parts = /^-?0*(\d*)(?:\.(\d*?)0*)?$/.exec(text)
    return parts !== null && /\d/.test(text) && (parts[1] ?? '').length <= whole && (parts[2] ?? '').length <= fraction
  }
  const of = (unit: string, maxLength: number) => fc.array(fc.constantFrom(...unit), { maxLength }).map(list => list.join(''))
  const two = of('0123456', 2)
  const clock = fc.tuple(two, two, two, of('.0123', 8)).map(([h, m, s, rest]) => `${h}:${m}:${s}${rest}`)
  await fc.assert(
    fc.property(fc.oneof(of('-.0123x', 9), clock, of('0123456:.', 12)), fc.nat(4), fc.nat(4), (text, whole, fraction) => {
      expect([text, isDecimal(text, whole, fraction)]).toEqual([text, decimal(text, whole, fraction)])
      expect([text, isTime(text)]).toEqual([text, time.test(text)])
      expect(isDatetime(`2024-02-29T${text}`)).toBe(time.test(text))
      expect(isTimestamp(`2024-02-29T${text}Z`)).toBe(time.test(text))
      expect(isTimestamp(text)).toBe(false)
    }),
    { numRuns: 5000 },
  )
})

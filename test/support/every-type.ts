import { bq, type Row, row } from 'nais-etl'
import * as z from 'zod'

/** The closed table of column types (docs/authoring.md), a column each. */
const free = {
  text: z.string(),
  whole: z.int(),
  big: bq.int64(),
  number: z.number(),
  flag: z.boolean(),
  day: z.iso.date(),
  date: bq.date(),
  clock: z.iso.time(),
  time: bq.time(),
  at: bq.timestamp(),
  local: bq.datetime(),
  numeric: bq.numeric(),
  bignumeric: bq.bignumeric(),
  bytes: bq.bytes(),
  json: bq.json(),
}

/** Those with a rule, which the audit of a sql transform looks at; it sees no elements of arrays. */
const ruled = {
  choice: z.enum(['på', "it's", '\\', '']),
  literal: z.literal('alltid'),
  uuid: z.uuid(),
  guid: z.guid(),
  small: z.int32(),
  unsigned: z.uint32(),
}
const scalars = { ...free, ...ruled }
type Scalars = typeof scalars

const Record = z.object({ ...scalars, ...repeated(free), inner: z.object(nullable(free)) })
const Element = z.object({ ...free, inner: z.object(free).nullable(), inners: z.array(z.object(nullable(free))) })

/** Every type alone, nullable and repeated; in a record, in a nullable record, in repeated records, and in records of those. */
export const EveryType = row(
  {
    id: z.int(),
    dato: z.iso.date(),
    ...scalars,
    ...nullable(scalars),
    ...repeated(free),
    record: Record,
    maybe: z.object(free).nullable(),
    elements: z.array(Element),
  },
  { key: ['dato', 'id'] },
)

/** What a sql transform's target can't have: rules of array elements, and checks without an equal in SQL; and GEOGRAPHY, which no evaluator here has. */
export const NotForSql = row(
  {
    id: z.int(),
    email: z.email(),
    url: z.url(),
    place: bq.geography(),
    place_or_null: bq.geography().nullable(),
    places: z.array(bq.geography()),
    ...repeated(ruled),
    ruled: z.array(z.object(ruled)),
  },
  { key: ['id'] },
)

const times = ['00:00:00', '23:59:59.999999', '06:30:00.500000', '06:30:00.000001']
const dates = ['0001-01-01', '9999-12-31', '1969-12-31', '1970-01-01', '2024-02-29']
const moments = [
  '0001-01-01T00:00:00',
  '0001-01-01T00:00:00.000001',
  '9999-12-31T23:59:59.999999',
  '1969-12-31T23:59:59.999999',
  '1969-12-31T23:59:59.500000',
  '1969-12-31T23:59:59',
  '1970-01-01T00:00:00',
  '2022-01-20T06:30:00.123456',
]
const ids = [
  '123e4567-e89b-42d3-a456-426614174000',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
]

/** The values that are lost first, each in the one form in which the project writes it. */
const values: { readonly [N in keyof Scalars]: readonly z.output<Scalars[N]>[] } = {
  text: [
    '',
    'a\u0000b',
    '"\\/\b\f\n\r\t\u0001\u007f\'`',
    'æøå ÆØÅ',
    '\uFEFF',
    '\uFEFF\uFFFD\uFFFF\uE000\uD7FF',
    Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x1234)).join(''),
    '\u{10ffff}',
    '👩‍👩‍👧‍👦 e\u0301 \u2028\u2029',
    'null',
  ],
  choice: ['på', "it's", '\\', ''],
  literal: ['alltid'],
  uuid: ids,
  guid: [...ids, 'DEADBEEF-0000-0000-0000-00000000CAFE'],
  whole: [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0, -1],
  small: [2_147_483_647, -2_147_483_648, 0],
  unsigned: [4_294_967_295, 0],
  big: [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 0n],
  number: [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    0,
    5e-324,
    -5e-324,
    2.225073858507201e-308,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    0.1,
    0.1 + 0.2,
    1e21,
    123456789012345680,
  ],
  flag: [true, false],
  day: dates,
  date: dates,
  clock: times,
  time: times,
  at: moments.map(moment => `${moment}Z`),
  local: moments,
  numeric: [
    `${'9'.repeat(29)}.${'9'.repeat(9)}`,
    `-${'9'.repeat(29)}.${'9'.repeat(9)}`,
    '0.000000001',
    '-0.000000001',
    '-0.5',
    '0',
    '100',
    '12345678901234567890123456789.123456789',
  ],
  bignumeric: [
    `${'9'.repeat(38)}.${'9'.repeat(38)}`,
    `-${'9'.repeat(38)}.${'9'.repeat(38)}`,
    `0.${'0'.repeat(37)}1`,
    `-0.${'0'.repeat(37)}1`,
    '-0.5',
    '0',
    '100',
    '12345678901234567890123456789012345678.12345678901234567890123456789012345678',
  ],
  bytes: [[], [0], [255], [0, 255, 0], Array.from({ length: 256 }, (_, byte) => byte)].map(bytes => Uint8Array.from(bytes)),
  json: [
    '{"a":[1,null,{"b":{"c":[[],{}]}}],"æ":"\\u0000😀","":false}',
    '9007199254740993',
    '-9223372036854775808',
    '18446744073709551615',
    '{"n":[1.7976931348623157e+308,5e-324,0.1,0.30000000000000004,-1.5]}',
    '"text"',
    '""',
    'true',
    '[]',
    '{}',
  ],
}

type EveryRow = Row<typeof EveryType>

/** Rows in which every value stands in every place; each nullable there and NULL, each array empty, with one and with all elements. */
export const everyRow: readonly EveryRow[] = Array.from({ length: longest() }, (_, index) => {
  const few = required(free, index)
  const inners = Array.from({ length: (index + 1) % 3 }, (_, at) => nullables(free, index + at))
  const element = { ...few, inner: index % 2 === 0 ? few : null, inners }
  return {
    id: index,
    // Slices: days that a plan may take; it ends at today.
    dato: ['0001-01-01', '1969-12-31', '2022-01-20'][index % 3],
    ...required(scalars, index),
    ...nullables(scalars, index),
    ...arrays(free, index),
    record: { ...required(scalars, index), ...arrays(free, index), inner: nullables(free, index) },
    maybe: index % 2 === 0 ? few : null,
    elements: Array.from({ length: index % 3 }, () => element),
  } as unknown as EveryRow
})

export const notForSqlRows = everyRow.slice(0, 6).map((_, index) => ({
  id: index,
  email: 'ola.nordmann+etl@example.no',
  url: 'https://example.no/?q=%C3%A6#å',
  place: 'POINT(10.5 59.9)',
  place_or_null: index % 2 === 0 ? null : 'POLYGON((0 0, 1 0, 1 1, 0 0))',
  places: ['POINT(0 0)', 'POINT EMPTY'].slice(0, index % 3),
  ...arrays(ruled, index),
  ruled: Array.from({ length: index % 3 }, (_, at) => required(ruled, index + at)),
})) as unknown as readonly Row<typeof NotForSql>[]

type Named = { readonly [N in keyof Scalars]?: unknown }
type Made = { readonly [name: string]: unknown }

function required(shape: Named, index: number): Made {
  return columns(shape, '', all => all[index % all.length])
}

function nullables(shape: Named, index: number): Made {
  return columns(shape, '_or_null', (all, place) => ((index + place) % 3 === 0 ? null : all[index % all.length]))
}

function arrays(shape: Named, index: number): Made {
  return columns(shape, '_list', (all, place) => [[], [all[index % all.length]], all][(index + place) % 3])
}

function columns(shape: Named, ending: string, value: (all: readonly unknown[], place: number) => unknown): Made {
  const names = Object.keys(shape) as (keyof Scalars)[]
  return Object.fromEntries(names.map((name, place) => [`${name}${ending}`, value(values[name], place)]))
}

function longest(): number {
  return Math.max(...Object.values(values).map(all => all.length))
}

function nullable<S extends Readonly<Record<string, z.ZodType>>>(
  shape: S,
): { readonly [N in keyof S & string as `${N}_or_null`]: z.ZodNullable<S[N]> } {
  return Object.fromEntries(Object.entries(shape).map(([name, type]) => [`${name}_or_null`, type.nullable()])) as never
}

function repeated<S extends Readonly<Record<string, z.ZodType>>>(
  shape: S,
): { readonly [N in keyof S & string as `${N}_list`]: z.ZodArray<S[N]> } {
  return Object.fromEntries(Object.entries(shape).map(([name, type]) => [`${name}_list`, z.array(type)])) as never
}

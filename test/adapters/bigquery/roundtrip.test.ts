import fc from 'fast-check'
import { bq, dataset, pipeline, replace, row, table } from 'nais-etl'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { AnyRow } from '../../../src/domain/column.ts'
import { type Local, startLocal } from '../../support/local.ts'
import { connected, freshTarget, identity, named, publication, staged } from './world.ts'

/** Every type, alone, nullable, repeated, and inside a record inside an array. */
const scalars = {
  text: z.string(),
  whole: z.int(),
  big: bq.int64(),
  number: z.number(),
  flag: z.boolean(),
  numeric: bq.numeric(),
  bignumeric: bq.bignumeric(),
  at: bq.timestamp(),
  local: bq.datetime(),
  day: z.iso.date(),
  time: bq.time(),
  bytes: bq.bytes(),
  json: bq.json(),
}
const Inner = z.object({
  ...scalars,
  tags: z.array(z.string()),
  deeper: z.object({ big: bq.bignumeric().nullable(), json: bq.json() }).nullable(),
})
const All = row(
  {
    id: z.int(),
    ...scalars,
    big_or_null: bq.int64().nullable(),
    bignumeric_or_null: bq.bignumeric().nullable(),
    json_or_null: bq.json().nullable(),
    bytes_or_null: bq.bytes().nullable(),
    numbers: z.array(z.number()),
    bignumerics: z.array(bq.bignumeric()),
    jsons: z.array(bq.json()),
    record: Inner.nullable(),
    records: z.array(Inner),
  },
  { key: ['id'] },
)

const Place = row({ id: z.int(), place: bq.geography().nullable() })

const digits = (count: number) => fc.bigInt(0n, 10n ** BigInt(count) - 1n)
const decimal = (whole: number, fraction: number) =>
  fc.tuple(fc.boolean(), digits(whole), digits(fraction)).map(([negative, before, after]) => {
    const rest = String(after).padStart(fraction, '0').replace(/0+$/, '')
    const text = rest === '' ? String(before) : `${before}.${rest}`
    return negative && text !== '0' ? `-${text}` : text
  })
const micros = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 1, max: 999_999 }).map(fraction => `.${String(fraction).padStart(6, '0')}`),
)
const day = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map(date => date.toISOString().slice(0, 10))
const time = fc
  .tuple(fc.integer({ min: 0, max: 86_399 }), micros)
  .map(([second, fraction]) => new Date(second * 1000).toISOString().slice(11, 19) + fraction)
const datetime = fc.tuple(day, time).map(([date, clock]) => `${date}T${clock}`)
const text = fc.string({ unit: 'binary', maxLength: 6 })
const json = fc.constantFrom('null', '1', '"æ"', '[]', '{"a":[1,{"b":null}]}', '12345678901234567', '0.1')
const scalarValues = {
  text: fc.oneof(fc.constantFrom('', '\u0000\u{10ffff}🦊æøå\n"\'\\`'), text),
  whole: fc.maxSafeInteger(),
  big: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  number: fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0)),
  flag: fc.boolean(),
  numeric: decimal(29, 9),
  bignumeric: decimal(38, 38),
  at: fc.oneof(
    datetime.map(value => `${value}Z`),
    fc.constantFrom('1969-12-31T23:59:59.999999Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z'),
  ),
  local: datetime,
  day,
  time,
  bytes: fc.uint8Array({ maxLength: 5 }),
  json,
}
const inner = fc.record({
  ...scalarValues,
  tags: fc.array(scalarValues.text, { maxLength: 3 }),
  deeper: fc.option(fc.record({ big: fc.option(scalarValues.bignumeric), json })),
})
const anyRow = fc.record({
  ...scalarValues,
  big_or_null: fc.option(scalarValues.big),
  bignumeric_or_null: fc.option(scalarValues.bignumeric),
  json_or_null: fc.option(json),
  bytes_or_null: fc.option(scalarValues.bytes),
  numbers: fc.array(scalarValues.number, { maxLength: 3 }),
  bignumerics: fc.array(scalarValues.bignumeric, { maxLength: 3 }),
  jsons: fc.array(json, { maxLength: 3 }),
  record: fc.option(inner),
  records: fc.array(inner, { maxLength: 2 }),
})

let local: Local
beforeAll(async () => {
  local = await startLocal()
})
afterAll(() => local?.stop())

/** Publishes the rows and reads the table back, by `id`. */
async function roundTrip(schema: typeof All | typeof Place, rows: readonly AnyRow[]): Promise<AnyRow[]> {
  const adapter = await connected(local)
  const tables = await freshTarget(local)
  const target = dataset('anything').table('t', schema as typeof Place)
  const everything = named(
    pipeline({ schedule: '0 6 * * *', from: { source: table(schema as typeof Place, 'a.b') }, to: target, write: replace() }),
  )
  const state = await adapter.warehouse.describe(everything, tables, 'run')
  await adapter.warehouse.bootstrap(state.missing, 'aaaaaa')
  const stage = await staged(adapter, tables, schema.columns, rows, 'aaaaaa')
  const wanted = publication(everything, tables, stage, { identity: identity('run', 'aaaaaa') })
  expect(await adapter.warehouse.publish(wanted, 1, async () => {})).toMatchObject({ outcome: 'published' })
  const published = table(schema as typeof Place, `${tables.target.dataset}.t`)
  const read: AnyRow[] = []
  for await (const page of adapter.reader.read(
    published,
    { columns: schema.columns, slices: null },
    new AbortController().signal,
  ))
    read.push(...page)
  return read.sort((a, b) => Number(a.id) - Number(b.id))
}

test('every value comes back the same after spool, load job, publish and read', async () => {
  const rows = fc
    .sample(anyRow, { numRuns: 60, seed: 20_240_229 })
    .map((values, id) => ({ id, ...values })) as unknown as AnyRow[]
  const read = await roundTrip(All, rows)
  expect(read).toHaveLength(rows.length)
  for (const [index, back] of read.entries()) expect(back).toEqual(rows[index])
})

test('GEOGRAPHY passes through as its text', async () => {
  const rows = [
    { id: 1, place: 'POINT(10.5 59.9)' },
    { id: 2, place: null },
  ]
  expect(await roundTrip(Place, rows)).toEqual(rows)
})

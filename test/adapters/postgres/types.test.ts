import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { openBulk } from '../../../src/adapters/parquet/bulk.ts'
import { createPostgresReader } from '../../../src/adapters/postgres/reader.ts'
import { checkRows } from '../../../src/domain/check.ts'
import type { AnyRow } from '../../../src/domain/column.ts'
import type { RowSchema } from '../../../src/domain/row.ts'
import { bq, pg, postgres, row } from '../../../src/index.ts'
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts'
import { reachOf } from './reach.ts'

// Every value goes two ways: as a row, and as bytes of Parquet that no row was made for. Both must say what Postgres itself says.
let server: TestPostgres
let directory: string
beforeAll(async () => {
  server = await startTestPostgres()
  directory = await mkdtemp(join(tmpdir(), 'etl-types-'))
  await server.run(
    `CREATE TYPE slag AS ENUM ('søknad', 'vedtak'); CREATE DOMAIN kr AS numeric(12,2); CREATE DOMAIN kort AS text CHECK (length(value) < 9)`,
  )
})
afterAll(async () => {
  await server?.stop()
  await rm(directory, { recursive: true, force: true })
})

const signal = new AbortController().signal
const sourceOf = (schema: RowSchema, query: string) => postgres(schema, 'SAK_DB', pg({ raw: [query] } as never))

async function rowsOf(schema: RowSchema, query: string): Promise<readonly AnyRow[]> {
  const reader = createPostgresReader(reachOf(server))
  const rows: AnyRow[] = []
  try {
    for await (const page of reader.read(sourceOf(schema, query), { columns: schema.columns, slices: null }, signal))
      rows.push(...page)
  } finally {
    await reader.end?.()
  }
  return checkRows(schema, rows) as readonly AnyRow[]
}

async function parquetOf(
  schema: RowSchema,
  query: string,
  select: string,
  where = '',
): Promise<readonly Record<string, unknown>[]> {
  const reader = createPostgresReader(reachOf(server))
  const writer = await openBulk(schema.columns, { directory })
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    for await (const page of reader.bulk?.(sourceOf(schema, query), { columns: schema.columns, slices: null }, signal) ?? [])
      await writer.write(page)
    const { files } = await writer.finish()
    await connection.run("SET TimeZone = 'UTC'")
    return (
      await connection.runAndReadAll(`SELECT ${select} FROM read_parquet(['${files.join("','")}']) ${where}`)
    ).getRowObjectsJson()
  } finally {
    await reader.end?.()
    connection.closeSync()
    instance.closeSync()
    await writer.discard()
  }
}

const Scalars = row({
  i2: z.int(),
  i4: bq.int64(),
  i8: bq.int64(),
  f4: z.number(),
  f8: z.number(),
  n: bq.numeric(),
  n_of_int: bq.numeric(),
  n_text: z.string(),
  bn: bq.bignumeric(),
  b: z.boolean(),
  t: z.string(),
  v: z.string(),
  c: z.string(),
  e: z.enum(['søknad', 'vedtak']),
  u: z.uuid(),
  j: bq.json(),
  jb: bq.json(),
  jb_text: z.string(),
  d: z.iso.date(),
  ti: bq.time(),
  ts: bq.datetime(),
  tz: bq.timestamp(),
  by: bq.bytes(),
  iv: z.string(),
  ip: z.string(),
  r: z.string(),
  dom: bq.numeric(),
  domt: z.string(),
})
const select = (values: Record<keyof typeof Scalars.shape, string>) =>
  `SELECT ${Object.entries(values)
    .map(([name, value]) => `${value} AS ${name}`)
    .join(', ')}`
const ordinary = {
  i2: "'-32768'::int2",
  i4: '2147483647::int4',
  i8: "'-9223372036854775808'::int8",
  f4: '1.5::float4',
  f8: "'-1.7976931348623157e308'::float8",
  n: "'-12345678901234567890123456789.123456789'::numeric",
  n_of_int: '9007199254740993::int8',
  n_text: "'0.1234567890123456789012345678'::numeric",
  bn: "'0.1234567890123456789012345678'::numeric",
  b: 'true',
  t: "E'æ \\u2028 \\\\ \" \\n, 🙂'",
  v: "''::varchar(3)",
  c: "'ab'::char(4)",
  e: "'søknad'::slag",
  u: "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
  j: `'{"a": 1.10, "b": [ null, "x" ]}'::json`,
  jb: `'{"b": 1, "a": 9223372036854775807}'::jsonb`,
  jb_text: `'null'::jsonb`,
  d: "'0001-01-01'::date",
  ti: "'23:59:59.999999'::time",
  ts: "'9999-12-31 23:59:59.999999'::timestamp",
  tz: "'1969-12-31 23:59:59.999999+00'::timestamptz",
  by: "'\\x00ff27'::bytea",
  iv: "'1 mon -2 days 03:00:00.5'::interval",
  ip: "'10.0.0.0/8'::cidr",
  r: "'[1,5)'::int4range",
  dom: '12.30::kr',
  domt: "'kort'::kort",
}

test('every type, as rows and as Parquet', async () => {
  const query = select(ordinary)
  const [found] = await rowsOf(Scalars, query)
  expect(found).toEqual({
    i2: -32768,
    i4: 2147483647n,
    i8: -9223372036854775808n,
    f4: 1.5,
    f8: -1.7976931348623157e308,
    n: '-12345678901234567890123456789.123456789',
    n_of_int: '9007199254740993',
    n_text: '0.1234567890123456789012345678',
    bn: '0.1234567890123456789012345678',
    b: true,
    t: 'æ \u2028 \\ " \n, 🙂',
    v: '',
    c: 'ab  ',
    e: 'søknad',
    u: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    j: '{"a": 1.10, "b": [ null, "x" ]}',
    jb: '{"a": 9223372036854775807, "b": 1}',
    jb_text: 'null',
    d: '0001-01-01',
    ti: '23:59:59.999999',
    ts: '9999-12-31T23:59:59.999999',
    tz: '1969-12-31T23:59:59.999999Z',
    by: new Uint8Array([0, 255, 39]),
    iv: '1 mon -2 days +03:00:00.5',
    ip: '10.0.0.0/8',
    r: '[1,5)',
    dom: '12.3',
    domt: 'kort',
  })
  const parquet = await parquetOf(Scalars, query, '* REPLACE (hex("by") AS "by", strftime(tz, \'%Y-%m-%dT%H:%M:%S.%fZ\') AS tz)')
  expect(parquet).toEqual([
    {
      ...found,
      ...{ i2: '-32768', i4: '2147483647', i8: '-9223372036854775808', by: '00FF27' },
      ...{ n_of_int: '9007199254740993.000000000', dom: '12.300000000', ts: '9999-12-31 23:59:59.999999' },
    },
  ])
})

describe('numbers', () => {
  const Numbers = row({ id: z.int(), n: bq.numeric(), bn: bq.bignumeric() })
  test('of many digits are Postgres’ own text', async () => {
    const values = [
      '0',
      '1',
      '-1',
      '10000',
      '9999.9999',
      '0.000000001',
      '-0.000000001',
      '100000000',
      '123456789012.000000001',
      '999999999999.999999999',
    ]
    values.push(
      '-999999999999.999999999',
      '1000000000000',
      '-1e28',
      '0.00010001',
      '4294967296',
      '-4294967296',
      '18446744073.709551616',
      '-18446744073.709551616',
    )
    for (let index = 0; index < 200; index++) {
      const digits = (seed: number, count: number) =>
        Array.from({ length: count }, (_, at) => (seed * (at + 7) * 7919 + at * at) % 10).join('')
      values.push(`${index % 2 ? '-' : ''}${digits(index + 1, 1 + (index % 29))}.${digits(index + 3, 1 + (index % 9))}`)
    }
    const query = `SELECT (o - 1)::int AS id, v::numeric AS n, v::numeric AS bn FROM unnest(ARRAY['${values.join("','")}']) WITH ORDINALITY AS t (v, o)`
    const { rows: said } = await server.run(
      `SELECT trim_scale(v::numeric)::text AS v FROM unnest(ARRAY['${values.join("','")}']) AS t (v)`,
    )
    const expected = said.map(({ v }) => v)
    const rows = await rowsOf(Numbers, query)
    expect(rows.map(({ n }) => n)).toEqual(expected)
    expect(rows.map(({ bn }) => bn)).toEqual(expected)
    const parquet = await parquetOf(Numbers, query, "rtrim(rtrim(n::VARCHAR, '0'), '.') AS n, bn")
    expect(parquet.map(({ n }) => n)).toEqual(expected)
    expect(parquet.map(({ bn }) => bn)).toEqual(expected)
  })
})

test('times of all centuries are Postgres’ own text', async () => {
  const Times = row({ id: z.int(), tz: bq.timestamp(), d: z.iso.date() })
  const query = `SELECT i AS id, timestamptz '0001-01-01 00:00:00+00' + i * interval '7 days 5 hours 3.000001 seconds' AS tz, date '0001-01-01' + i * 7 AS d FROM generate_series(0, 9000) AS i`
  const { rows: said } = await server.run(
    `SELECT to_char(tz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS tz, d::text AS d FROM (${query}) AS q ORDER BY id`,
  )
  const rows = await rowsOf(Times, query)
  expect(rows.map(({ tz, d }) => ({ tz: String(tz).replace(/:(\d\d)Z$/, ':$1.000000Z'), d }))).toEqual(said)
  expect(await parquetOf(Times, query, "strftime(tz, '%Y-%m-%dT%H:%M:%S.%fZ') AS tz, strftime(d, '%Y-%m-%d') AS d")).toEqual(said)
})

test('NULL and arrays, as rows and as Parquet', async () => {
  const Lists = row({
    id: z.int(),
    t: z.string().nullable(),
    f: z.boolean().nullable(),
    l: z.array(z.string()),
    n: z.array(bq.numeric()),
    e: z.array(z.string()),
    i: z.array(z.string()),
  })
  const query = `SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'tekst ' || i || repeat('.', i % 300) END AS t, CASE WHEN i % 5 <> 0 THEN i % 2 = 0 END AS f,
    CASE WHEN i % 7 <> 0 THEN ARRAY(SELECT 'e' || k FROM generate_series(1, i % 4) AS k) END AS l, ARRAY[i::numeric, 0.5] AS n,
    ARRAY['vedtak']::slag[] AS e, ARRAY[interval '1 day'] AS i FROM generate_series(0, 40000) AS i`
  const rows = await rowsOf(Lists, query)
  expect(rows.length).toBe(40_001)
  expect(rows[6]).toEqual({ id: 6, t: 'tekst 6......', f: true, l: ['e1', 'e2'], n: ['6', '0.5'], e: ['vedtak'], i: ['1 day'] })
  expect(rows[7]).toMatchObject({ t: null, f: false, l: [] })
  const parquet = await parquetOf(
    Lists,
    query,
    "* REPLACE (list_transform(n, lambda x: rtrim(rtrim(x::VARCHAR, '0'), '.')) AS n)",
    'WHERE id % 97 = 0',
  )
  expect(parquet).toEqual(rows.filter(({ id }) => Number(id) % 97 === 0).map(each => ({ ...each, id: String(each.id) })))
  expect(await parquetOf(Lists, query, 'count(*)::INT AS rows, count(t)::INT AS texts, sum(len(l))::INT AS elements')).toEqual([
    {
      rows: rows.length,
      texts: rows.filter(({ t }) => t !== null).length,
      elements: rows.reduce((sum, { l }) => sum + (l as string[]).length, 0),
    },
  ])
})

describe('what BigQuery has no place for is reported by row, and its value is not shown', () => {
  const One = {
    i: z.int(),
    n: bq.numeric(),
    bn: bq.bignumeric(),
    f: z.number(),
    d: z.iso.date(),
    ti: bq.time(),
    ts: bq.datetime(),
    tz: bq.timestamp(),
    j: bq.json(),
    l: z.array(z.int()),
    t: z.string(),
  }
  test.each([
    ['d', "'infinity'::date", 'infinity, or a day outside of the years 1 to 9999'],
    ['d', "'0001-12-31 BC'::date", 'infinity, or a day outside'],
    ['d', "'10000-01-01'::date", 'infinity, or a day outside'],
    ['ts', "'-infinity'::timestamp", 'infinity, or a time outside of the years 1 to 9999'],
    ['tz', "'infinity'::timestamptz", 'infinity, or a time outside'],
    ['tz', "'0001-12-31 23:59:59.999999+00 BC'::timestamptz", 'infinity, or a time outside'],
    ['tz', "'10000-01-01 00:00:00+00'::timestamptz", 'infinity, or a time outside'],
    ['ti', "'24:00:00'::time", 'the time 24:00:00'],
    ['n', "'NaN'::numeric", 'NaN'],
    ['n', "'-Infinity'::numeric", 'infinity'],
    ['n', "'0.1234567891'::numeric", 'a number with more than 9 digits after the point'],
    ['n', "'99990000100002000030000.00000000001'::numeric", 'a number with more than 9 digits after the point'],
    ['n', "'123456789012345678901234567890'::numeric", 'a number with more than 29 digits before the point'],
    ['bn', '1e39::numeric', 'a number with more than 38 digits before the point'],
    ['bn', '1e-39::numeric', 'a number with more than 38 digits after the point'],
    ['f', "'NaN'::float8", 'NaN'],
    ['f', "'Infinity'::float4", 'infinity'],
    ['i', '9007199254740992::int8', 'a whole number beyond 2^53'],
    ['j', `'{"hemmelig": 0.12345678901234567890123}'::jsonb`, 'JSON with a number that neither 64 bits nor a double hold'],
    ['l', 'ARRAY[[1,2],[3,4]]', 'an array of more than one dimension'],
    ['l', 'ARRAY[1,NULL]', 'an array with a NULL in it'],
    ['t', 'NULL::text', 'NULL'],
  ] as const)('%s %s', async (name, value, problem) => {
    const schema = row({ x: One[name] }) as RowSchema
    const good = { i: '1::int8', l: 'ARRAY[1]', t: "'a'", j: `'1'::jsonb`, f: "'1'::float8", ti: "'00:00'::time" } as Record<
      string,
      string
    >
    const first =
      good[name] ??
      (name === 'n' || name === 'bn' ? '1.5' : `'2024-01-31'::${{ d: 'date', ts: 'timestamp', tz: 'timestamptz' }[name as 'd']}`)
    const second = name === 'f' ? `${value}::float8` : value
    const query = `SELECT v AS x FROM (SELECT 1 AS o, ${first} AS v UNION ALL SELECT 2, ${second}) AS t ORDER BY o`
    for (const read of [rowsOf, parquetOf]) {
      const error = await read(schema, query, '*').then(
        () => undefined,
        error => error,
      )
      expect(error).toMatchObject({ kind: 'row', where: { at: 'row 2 › x' } })
      expect(error.message).toContain(`got ${problem}`)
      expect(error.message).not.toMatch(/hemmelig|1234567/)
    }
  })
})

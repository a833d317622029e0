import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { bq, env, file, row } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createFileReader } from '../../../src/adapters/files/reader.ts'
import type { AnyRow } from '../../../src/domain/column.ts'
import type { FileSource } from '../../../src/domain/source.ts'

const never = new AbortController().signal
const App = row({ dato: z.iso.date(), cluster: z.string() })

let root: string
let reader: ReturnType<typeof createFileReader>
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'formats-test-'))
  reader = createFileReader({ root, environment: 'dev' })
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function all(source: FileSource, slices: { column: string; dates: readonly string[] } | null = null): Promise<AnyRow[]> {
  const rows: AnyRow[] = []
  for await (const page of reader.read(source, { columns: source.row.columns, slices }, never)) rows.push(...page)
  return rows
}

async function parquet(name: string, select: string): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (${select}) TO '${join(root, name)}' (FORMAT parquet)`)
  connection.closeSync()
}

const All = row({
  whole: z.int(),
  big: bq.int64(),
  number: z.number(),
  exact: bq.numeric(),
  flag: z.boolean(),
  at: bq.timestamp(),
  local: bq.datetime(),
  day: z.iso.date(),
  clock: bq.time(),
  bytes: bq.bytes(),
  json: bq.json().nullable(),
  tags: z.array(z.string()),
  inner: z.object({ id: bq.int64(), days: z.array(z.iso.date()) }),
  none: z.string().nullable(),
})
const value = {
  whole: 9007199254740991,
  big: 9223372036854775807n,
  number: 0.1,
  exact: '12345678901234567890.123456789',
  flag: true,
  at: '1969-12-31T23:59:59.5Z',
  local: '2024-01-31T06:30:00.123456',
  day: '2024-02-29',
  clock: '06:30:00',
  bytes: new Uint8Array([0, 255, 10]),
  json: '{"a":12345678901234567890}',
  tags: ['a', 'b'],
  inner: { id: -9223372036854775808n, days: ['2024-01-01'] },
  none: null,
}

describe('an NDJSON file', () => {
  test('has exact values of every type; absent and null are the same', async () => {
    await writeFile(
      join(root, 'all.ndjson'),
      `\ufeff{"more": 1, "whole": 9007199254740991, "big": 9223372036854775807, "number": 0.1, "exact": 12345678901234567890.123456789, "flag": true, "at": "1969-12-31 23:59:59.5 UTC", "local": "2024-01-31T06:30:00.123456", "day": "2024-02-29", "clock": "06:30:00", "bytes": "AP8K", "json": {"a": 12345678901234567890}, "tags": ["a", "b"], "inner": {"id": -9223372036854775808, "days": ["2024-01-01"]}}\r\n\n`,
    )
    const [found, ...others] = await all(file(All, 'all.ndjson'))
    expect(others).toEqual([])
    expect(All.zod.parse(found)).toEqual({ ...value, at: '1969-12-31T23:59:59.500000Z' })
  })

  test('tells its keys and rows, dates and slices', async () => {
    await writeFile(join(root, 'apps.jsonl'), [3, 1, 2].map(day => `{"dato":"2022-01-0${day}","cluster":"c${day}"}`).join('\n'))
    const source = file(App, 'apps.jsonl')
    expect(await reader.facts(source)).toEqual({ name: 'apps.jsonl', columns: [{ name: 'dato' }, { name: 'cluster' }], rows: 3 })
    expect(await reader.dates(source, 'dato', '2022-01-02')).toEqual(['2022-01-01', '2022-01-02'])
    const slices = { column: 'dato', dates: ['2022-01-01', '2022-01-03'] }
    expect((await all(source, slices)).map(({ cluster }) => cluster)).toEqual(['c1', 'c3'])
  })

  test.each([
    [
      '{"dato":"2022-20-01","cluster":"a"}',
      'bad.ndjson › row 1 › dato: 2022-20-01 is no date (month 20). Did you mean 2022-01-20?',
    ],
    [
      '{"dato":"2022-01-20","cluster":"a"}\n\n{"dato":"2022-01-20","cluster":7}',
      'bad.ndjson › row 2 (line 3) › cluster: expected text, got the number 7.',
    ],
    ['[{"dato":"2022-01-20"}]', 'bad.ndjson › row 1: a line must be one JSON object: "[{\\"dato\\":\\"2022-01-20\\"}]".'],
    ['{"dato":"2022-01-20","cluster":"a"},', 'bad.ndjson › row 1: a line must be one JSON object'],
  ])('with %s says where and what', async (text, problem) => {
    await writeFile(join(root, 'bad.ndjson'), text)
    await expect(all(file(App, 'bad.ndjson'))).rejects.toMatchObject({ kind: 'row', problem: expect.stringContaining(problem) })
  })

  test('quotes no line of one with personal data', async () => {
    await writeFile(join(root, 'personal.ndjson'), '"01020312345"\n')
    const Person = row({ ident: z.string().meta({ pii: 'direct' }) })
    await expect(all(file(Person, 'personal.ndjson'))).rejects.toMatchObject({
      problem: 'personal.ndjson › row 1: a line must be one JSON object.',
    })
  })

  test('that is not there names those beside it', async () => {
    await expect(all(file(App, 'al.ndjson'))).rejects.toMatchObject({
      kind: 'notFound',
      hint: expect.stringContaining('all.ndjson'),
    })
  })
})

describe('a Parquet file', () => {
  test('has exact values of every type, whatever the order of its columns', async () => {
    await parquet(
      'all.parquet',
      `SELECT 1 AS more, 9007199254740991::BIGINT AS WHOLE, 9223372036854775807::BIGINT AS big, 0.1::DOUBLE AS number, 12345678901234567890.123456789::DECIMAL(38,9) AS exact, true AS flag, make_timestamp(-500000) AS at, TIMESTAMP '2024-01-31 06:30:00.123456' AS local, DATE '2024-02-29' AS day, TIME '06:30:00' AS clock, '\\x00\\xFF\\x0A'::BLOB AS bytes, '{"a":12345678901234567890}' AS json, ['a', 'b'] AS tags, {'id': (-9223372036854775808)::BIGINT, 'days': [DATE '2024-01-01']} AS inner, NULL::VARCHAR AS none`,
    )
    const [found] = await all(file(All, 'all.parquet'))
    expect(found).toEqual({ ...value, at: '1969-12-31T23:59:59.500000Z' })
    expect(await reader.facts(file(All, 'all.parquet'))).toMatchObject({
      rows: 1,
      columns: expect.arrayContaining([{ name: 'big', type: 'BIGINT' }]),
    })
  })

  test('has floats that JSON has no word for', async () => {
    await parquet('floats.parquet', "SELECT unnest(['NaN', '-Infinity', '-0.0', '5e-324'])::DOUBLE AS x")
    expect((await all(file(row({ x: z.number() }), 'floats.parquet'))).map(({ x }) => x)).toEqual([
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      -0,
      5e-324,
    ])
  })

  test('of many rows comes page by page, with row numbers in what is wrong', async () => {
    await parquet(
      'many.parquet',
      "SELECT '2024-01-01' AS dato, CASE WHEN i = 4999 THEN NULL ELSE 'c' || i END AS cluster FROM range(5000) r(i)",
    )
    const pages: number[] = []
    const source = file(App, 'many.parquet')
    for await (const page of reader.read(source, { columns: App.columns, slices: null }, never)) pages.push(page.length)
    expect(pages.reduce((sum, rows) => sum + rows, 0)).toBe(5000)
    expect(Math.max(...pages)).toBeLessThanOrEqual(2048)
    await parquet(
      'wrong.parquet',
      "SELECT CASE WHEN i = 2999 THEN '2024-13-01' ELSE '2024-01-01' END AS dato, 'c' AS cluster FROM range(3000) r(i)",
    )
    await expect(all(file(App, 'wrong.parquet'))).rejects.toMatchObject({
      kind: 'row',
      problem: expect.stringContaining('wrong.parquet › row 3000 › dato: 2024-13-01 is no date'),
    })
  })

  test('that lacks a column, is none, or is not there says so', async () => {
    await parquet('other.parquet', "SELECT '2024-01-01' AS dato, 'c' AS clustre")
    await expect(all(file(App, 'other.parquet'))).rejects.toMatchObject({
      kind: 'schema',
      problem: 'other.parquet has no column cluster.',
      hint: 'did you mean clustre? the columns there are: dato, clustre',
    })
    await writeFile(join(root, 'none.parquet'), 'dato,cluster\n')
    await expect(all(file(App, 'none.parquet'))).rejects.toMatchObject({
      kind: 'schema',
      problem: 'none.parquet is no Parquet file, or a damaged one.',
    })
    await expect(all(file(App, 'al.parquet'))).rejects.toMatchObject({ kind: 'notFound' })
  })
})

test('the format is told by the ending, or said; environments have one', () => {
  expect(['a.csv', 'a.ndjson', 'a.JSONL', 'a.parquet', 'a.txt'].map(path => file(App, path).format)).toEqual([
    'csv',
    'ndjson',
    'ndjson',
    'parquet',
    'csv',
  ])
  expect(file(App, 'a.json', { format: 'ndjson' }).format).toBe('ndjson')
  expect(() => file(App, env({ dev: 'a.csv', prod: 'a.parquet' }))).toThrow(
    'a file source is one format in every environment, not csv and parquet.',
  )
})

import type { BigQuery } from '@google-cloud/bigquery'
import { bq, dataset, partition, pipeline, replace, row, sql, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { fieldOf } from '../src/adapters/bigquery/types.ts'
import type { AnyRow } from '../src/domain/column.ts'
import { microsOf } from '../src/domain/micros.ts'
import { makePlan } from '../src/engine/plan.ts'
import { currentRows } from '../src/engine/rows.ts'
import { findPython, runPython } from './clients/python/support.ts'
import { client } from './local/support/client.ts'
import { asValues, fromClient, loadTable, restRow } from './support/as-values.ts'
import { EveryType, everyRow, NotForSql, notForSqlRows } from './support/every-type.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'

const project = 'team-dev'
const python = findPython()
const { columns } = EveryType
const rows = everyRow as unknown as readonly AnyRow[]
const expected = asValues(columns, rows)

const common = { schedule: '0 6 * * *', from: { source: table(EveryType, 'source.every') } }
const to = (name: string) => dataset('published').table(name, EveryType)
const slices = partition('dato')
const pipelines = [
  {
    name: 'rows_replace',
    ...pipeline({ ...common, to: to('rows_replace'), write: replace(), transform: ({ source }) => [...source] }),
  },
  {
    name: 'rows_partition',
    ...pipeline({ ...common, to: to('rows_partition'), write: slices, transform: ({ source }) => [...source] }),
  },
  {
    name: 'each_partition',
    ...pipeline({ ...common, to: to('each_partition'), write: slices, transform: { each: ({ source }) => [source] } }),
  },
  { name: 'none_replace', ...pipeline({ ...common, to: to('none_replace'), write: replace() }) },
  {
    name: 'sql_replace',
    ...pipeline({ ...common, to: to('sql_replace'), write: replace(), transform: sql`SELECT * FROM ${'source'}` }),
  },
  {
    name: 'sql_partition',
    ...pipeline({ ...common, to: to('sql_partition'), write: slices, transform: sql`SELECT * FROM ${'source'}` }),
  },
]
const published = (name: string) => `SELECT * FROM \`${project}.published.${name}\` ORDER BY id`
const history = (name: string) =>
  `SELECT * FROM \`${project}.published.${name}__history\` WHERE version > TIMESTAMP '2000-01-01 00:00:00+00' ORDER BY id`
const queries = (name: string) => [published(name), history(name)]

let local: Local
let google: BigQuery
beforeAll(async () => {
  local = await startLocal()
  google = client(local.url, project)
  for (const name of ['source', 'published', 'published_etl']) await google.createDataset(name)
  await loadTable(google, 'source', 'every', columns, rows)
})
afterAll(() => local?.stop())

test('the rows have every type that a row schema can have', () => {
  const types = new Set([...columns, ...NotForSql.columns].map(column => column.type))
  expect([...types].sort()).toEqual(
    'BIGNUMERIC BOOL BYTES DATE DATETIME FLOAT64 GEOGRAPHY INT64 JSON NUMERIC RECORD STRING TIME TIMESTAMP'.split(' '),
  )
})

// Source → read → transform → stage → audit → publish → read. The tests of one pipeline build on its first.
describe.each(pipelines)('$name', pipeline => {
  const { name } = pipeline

  test('publishes every value', async () => {
    expect(await attempt(local.url, pipeline, `${name}-aaaaa`)).toMatchObject({ outcome: 'published', rows: rows.length })
    const { ports, request, settings } = await worldOn(local.url)
    const { tables } = await makePlan(pipeline, request, ports, settings)
    const current = await currentRows(pipeline, tables, ports.warehouse, 1000)
    expect(asValues(columns, byId(current.rows))).toEqual(expected)
  })

  test('which another pipeline reads as they were', async () => {
    const { ports } = await worldOn(local.url)
    const source = table(EveryType, `published.${name}`)
    const read: AnyRow[] = []
    for await (const page of ports.readers.table.read(source, { columns, slices: null }, new AbortController().signal))
      read.push(...page)
    // With the JavaScript types of the row schema: z.int() is a number, bq.int64() a bigint.
    expect(byId(read).map(({ whole, big, whole_list, big_list }) => ({ whole, big, whole_list, big_list }))).toEqual(
      rows.map(({ whole, big, whole_list, big_list }) => ({ whole, big, whole_list, big_list })),
    )
    expect(asValues(columns, byId(read))).toEqual(expected)
  })

  test('and keeps them in its history', async () => {
    expect(asValues(columns, (await ask(local.url, history(name))) as AnyRow[])).toEqual(expected)
  })

  test('Google’s Node client reads them', async () => {
    for (const query of queries(name)) {
      const [read] = await google.query({ query, wrapIntegers: { integerTypeCastFunction: BigInt } })
      expect(asValues(columns, fromClient(columns, read, rows))).toEqual(expected)
    }
  })
})

test('Google’s Node client reads times before 1970 exactly as microseconds', async () => {
  for (const { name } of pipelines) {
    const list = 'ARRAY(SELECT UNIX_MICROS(e) FROM UNNEST(at_list) AS e)'
    const query = `SELECT id, UNIX_MICROS(\`at\`) AS micros, ${list} AS list FROM \`${project}.published.${name}\` ORDER BY id`
    const [read] = await google.query({ query, wrapIntegers: { integerTypeCastFunction: BigInt } })
    expect(read).toEqual(
      everyRow.map(({ id, at, at_list }) => ({ id: BigInt(id), micros: microsOf(at), list: at_list.map(microsOf) })),
    )
  }
})

test.skipIf(!python)('Google’s Python client reads every table and every history', async () => {
  const asked = Object.fromEntries(
    pipelines.flatMap(({ name }) => queries(name).map((query, index) => [`${name} ${index}`, query])),
  )
  const wanted = rows.map(row => restRow(columns, row)).join(',')
  const input = `{"project":"${project}","queries":${JSON.stringify(asked)},"columns":${JSON.stringify(columns.map(fieldOf))},"rows":[${wanted}]}`
  const said = await runPython(python ?? '', 'read_published.py', local.url, input)
  expect(said.trim().split('\n')).toEqual(Object.keys(asked).map(name => `${name} ${rows.length}`))
})

test('what a sql transform can’t have comes through the others', async () => {
  await loadTable(google, 'source', 'not_for_sql', NotForSql.columns, notForSqlRows as unknown as AnyRow[])
  const source = { source: table(NotForSql, 'source.not_for_sql') }
  const target = dataset('published').table('not_for_sql', NotForSql)
  const name = 'not_for_sql'
  await attempt(local.url, { name, ...pipeline({ ...common, from: source, to: target, write: replace() }) }, `${name}-aaaaa`)
  const wanted = asValues(NotForSql.columns, notForSqlRows)
  for (const query of queries(name)) {
    expect(asValues(NotForSql.columns, await ask(local.url, query))).toEqual(wanted)
    const [read] = await google.query({ query, wrapIntegers: { integerTypeCastFunction: BigInt } })
    expect(asValues(NotForSql.columns, fromClient(NotForSql.columns, read, notForSqlRows))).toEqual(wanted)
  }
})

// A load job takes JSON's null for NULL, so this source is made in SQL.
test('JSON’s null is a value, and NULL is none', async () => {
  const Json = row(
    { id: z.int(), json: bq.json(), json_or_null: bq.json().nullable(), list: z.array(bq.json()) },
    { key: ['id'] },
  )
  const source = `\`${project}.source.json\``
  await ask(local.url, `CREATE TABLE ${source} (id INT64 NOT NULL, json JSON NOT NULL, json_or_null JSON, list ARRAY<JSON>)`)
  const cells = `(1, JSON 'null', NULL, [JSON 'null', JSON '1']), (2, JSON '{"a": null}', JSON 'null', [])`
  await ask(local.url, `INSERT INTO ${source} (id, json, json_or_null, list) VALUES ${cells}`)
  const json = { ...common, from: { source: table(Json, 'source.json') }, write: replace() }
  const target = (name: string) => dataset('published').table(name, Json)
  for (const each of [
    { name: 'json_none', ...pipeline({ ...json, to: target('json_none') }) },
    { name: 'json_sql', ...pipeline({ ...json, to: target('json_sql'), transform: sql`SELECT * FROM ${'source'}` }) },
  ]) {
    await attempt(local.url, each, `${each.name}-aaaaa`)
    for (const query of queries(each.name)) {
      expect(asValues(Json.columns, await ask(local.url, query))).toEqual([
        { id: 1n, json: null, json_or_null: null, list: [null, 1n] },
        { id: 2n, json: new Map([['a', null]]), json_or_null: null, list: [] },
      ])
      const isNull = `SELECT json IS NULL AS json, json_or_null IS NULL AS json_or_null FROM (${query}) ORDER BY id`
      expect(await ask(local.url, isNull)).toEqual([
        { json: false, json_or_null: true },
        { json: false, json_or_null: false },
      ])
    }
  }
})

function byId(given: readonly AnyRow[]): AnyRow[] {
  return [...given].sort((a, b) => Number(a.id) - Number(b.id))
}

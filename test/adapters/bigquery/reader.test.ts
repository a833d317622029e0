import { env, row, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createReader } from '../../../src/adapters/bigquery/reader.ts'
import type { AnyRow } from '../../../src/domain/column.ts'
import { type Local, startLocal } from '../../support/local.ts'
import { done, type Seen, service } from './service.ts'
import { connected, makeDataset, project, sql } from './world.ts'

const App = row({ dato: z.iso.date(), cluster: z.string() })
const apps = table(App, 'source.apps')

let local: Local
let reader: Awaited<ReturnType<typeof connected>>['reader']
beforeAll(async () => {
  local = await startLocal()
  reader = (await connected(local)).reader
  await makeDataset(local, 'source')
  await sql(local, `CREATE TABLE \`${project}.source.apps\` (name STRING, cluster STRING, dato DATE)`)
  const values = [3, 1, 2, 1].map((day, index) => `('app-${index}', 'c${index}', DATE '2024-01-0${day}')`)
  await sql(local, `INSERT INTO \`${project}.source.apps\` (name, cluster, dato) VALUES ${values.join(', ')}`)
  await local.call('POST', `/${project}/datasets/source/tables`, {
    tableReference: { projectId: project, datasetId: 'source', tableId: 'unique_apps' },
    view: { query: `SELECT dato, cluster FROM \`${project}.source.apps\``, useLegacySql: false },
  })
})
afterAll(() => local?.stop())

async function all(
  source: typeof apps,
  slices: { column: string; dates: readonly string[] } | null,
  signal = new AbortController().signal,
): Promise<AnyRow[]> {
  const rows: AnyRow[] = []
  for await (const page of reader.read(source, { columns: source.row.columns, slices }, signal)) rows.push(...page)
  return rows
}

describe('a table', () => {
  test('tells its columns and rows', async () => {
    expect(await reader.facts(apps)).toEqual({
      name: `${project}.source.apps`,
      columns: [
        { name: 'name', type: 'STRING' },
        { name: 'cluster', type: 'STRING' },
        { name: 'dato', type: 'DATE' },
      ],
      rows: 4,
      past: { kind: 'table', partitionedBy: null, days: null },
    })
  })

  test('may be a view, of which nobody knows the rows', async () => {
    expect(await reader.facts(table(App, 'source.unique_apps'))).toMatchObject({
      rows: null,
      past: { kind: 'none' },
    })
  })

  test('has another name in each environment', async () => {
    expect((await reader.facts(table(App, env({ dev: 'source.apps', prod: 'nowhere.apps' })))).name).toBe(
      `${project}.source.apps`,
    )
  })

  test('is read slice after slice, the named columns only', async () => {
    const slices = { column: 'dato', dates: ['2024-01-01', '2024-01-03'] }
    const rows = await all(apps, slices)
    expect(rows.map(each => each.dato)).toEqual(['2024-01-01', '2024-01-01', '2024-01-03'])
    expect(rows.at(-1)).toEqual({ dato: '2024-01-03', cluster: 'c0' })
    expect(reader.text(apps, { columns: App.columns, slices })).toBe(
      `SELECT \`dato\`, \`cluster\` FROM \`${project}.source.apps\` WHERE \`dato\` IN (DATE '2024-01-01', DATE '2024-01-03') ORDER BY \`dato\``,
    )
  })

  test('of which more would be read than is allowed is refused before it runs, and costs nothing', async () => {
    const small = table(App, 'source.apps', { maxBytes: 1e6 })
    const refusal = {
      kind: 'query',
      problem: expect.stringMatching(
        /^reading test-project\.source\.apps \(job \S+\): it would read 10\.5 MB, and 1\.0 MB are allowed\. Nothing was read, and nothing is billed\.$/,
      ),
      hint: expect.stringContaining('maxBytes'),
    }
    await expect(all(small, null)).rejects.toMatchObject(refusal)
    await expect(reader.dates(small, 'dato', '2024-01-02')).rejects.toMatchObject({
      kind: 'query',
      problem: expect.stringContaining('10.5 MB'),
    })
    expect(await all(table(App, 'source.apps', { maxBytes: 11e6 }), null)).toHaveLength(4)
  })

  test('has dates, ascending, up to a day', async () => {
    expect(await reader.dates(apps, 'dato', '2024-01-02')).toEqual(['2024-01-01', '2024-01-02'])
  })

  test('with rows in many pages is read to the end, and no further than it is told', async () => {
    await sql(
      local,
      `CREATE TABLE \`${project}.source.many\` AS SELECT DATE '2024-01-01' AS dato, CAST(a * 1000 + b AS STRING) AS cluster FROM UNNEST(GENERATE_ARRAY(0, 44)) AS a, UNNEST(GENERATE_ARRAY(1, 1000)) AS b`,
    )
    const many = table(App, 'source.many')
    const read = await all(many, null)
    expect(new Set(read.map(each => each.cluster)).size).toBe(45_000)
    const stop = new AbortController()
    let seen = 0
    for await (const page of reader.read(many, { columns: App.columns, slices: null }, stop.signal)) {
      seen += page.length
      stop.abort()
    }
    expect(seen).toBeLessThan(45_000)
  })
})

describe('a source that does not fit', () => {
  test('names the table that was probably meant', async () => {
    await expect(reader.dates(table(App, 'source.aps'), 'dato', '2024-01-01')).rejects.toMatchObject({ kind: 'notFound' })
    await expect(reader.facts(table(App, 'source.aps'))).rejects.toMatchObject({
      kind: 'notFound',
      problem: `table ${project}.source.aps does not exist.`,
      hint: expect.stringContaining('did you mean apps? the dataset source has apps'),
    })
  })

  test('names the dataset that was probably meant', async () => {
    await expect(reader.facts(table(App, 'sorce.apps'))).rejects.toMatchObject({
      kind: 'notFound',
      problem: `dataset sorce does not exist in the project ${project}.`,
      hint: 'did you mean source? the project test-project has source.',
    })
  })

  test('names missing columns, other types, and the columns there are', async () => {
    const Other = row({ dato: z.string(), clustr: z.string() })
    await expect(reader.facts(table(Other, 'source.apps'))).rejects.toMatchObject({
      kind: 'schema',
      problem: `${project}.source.apps: column dato is DATE there, the row schema says STRING; there is no column clustr (did you mean cluster?).`,
      hint: 'the columns there are: name STRING, cluster STRING, dato DATE',
    })
  })

  test('with a row without a date says so', async () => {
    await sql(local, `CREATE TABLE \`${project}.source.gaps\` AS SELECT CAST(NULL AS DATE) AS dato, 'x' AS cluster`)
    await expect(reader.dates(table(App, 'source.gaps'), 'dato', '2024-01-02')).rejects.toMatchObject({ kind: 'row' })
  })
})

test('a server that dies in the middle of a read is an error with its address; a read that is told to stop just ends', async () => {
  const other = await startLocal()
  try {
    await makeDataset(other, 'source')
    const thousands = 'UNNEST(GENERATE_ARRAY(0, 44)) AS a, UNNEST(GENERATE_ARRAY(1, 1000)) AS b'
    await sql(
      other,
      `CREATE TABLE \`${project}.source.many\` AS SELECT DATE '2024-01-01' AS dato, CONCAT(REPEAT('x', 200), CAST(a * 1000 + b AS STRING)) AS cluster FROM ${thousands}`,
    )
    const dying = (await connected(other)).reader
    const read = async (signal: AbortSignal, onPage: () => unknown) => {
      for await (const _ of dying.read(table(App, 'source.many'), { columns: App.columns, slices: null }, signal)) await onPage()
    }
    const stop = new AbortController()
    await read(stop.signal, () => stop.abort())
    await expect(read(new AbortController().signal, () => other.kill())).rejects.toMatchObject({
      kind: 'unavailable',
      problem: expect.stringContaining(`BigQuery at ${other.url} does not answer`),
    })
  } finally {
    await other.stop()
  }
})

test('a read that is told to stop does not wait for its query', async () => {
  const stop = new AbortController()
  const running = (seen: Seen) => ({ status: 200, body: { ...(done()(seen).body as object), status: { state: 'RUNNING' } } })
  const { api, jobs, seen } = await service([
    running,
    () => {
      setImmediate(() => stop.abort())
      return 'hang'
    },
  ])
  const waiting = createReader(api, jobs, { project, location: 'europe-north1', environment: 'dev' })
  for await (const _ of waiting.read(apps, { columns: App.columns, slices: null }, stop.signal)) throw new Error('never')
  expect(seen.at(-1)?.path).toBe('/bigquery/v2/projects/p/queries/etl-read-apps-abcdef-1')
})

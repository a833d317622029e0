import { beforeAll, expect, test } from 'vitest'
import { call, client, load, parquet } from '../support/client.ts'
import { useServer } from '../support/server.ts'

const server = useServer()
const data = '/projects/p/datasets/d/tables/t/data'
beforeAll(async () => {
  await client(server.url).createDataset('d')
  const rows = "SELECT i AS n, 's' || i AS s, TIMESTAMPTZ '2022-01-20 00:00:00+00' AS at FROM range(1000) AS r(i)"
  await load(client(server.url), 'd', 't', await parquet(server.dir, rows))
})

test('rows come in pages, each row once and in order', async () => {
  const seen: number[] = []
  let token: string | undefined
  do {
    const { body } = await call(server.url, 'GET', `${data}?maxResults=300${token ? `&pageToken=${token}` : ''}`)
    expect(body.totalRows).toBe('1000')
    seen.push(...body.rows.map((row: { f: { v: string }[] }) => Number(row.f[0]?.v)))
    token = body.pageToken
  } while (token)
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => n))
})

test('the pages of one listing are of one moment, whatever is written meanwhile', async () => {
  const bigquery = client(server.url)
  const path = await parquet(server.dir, 'SELECT i AS n FROM range(100) AS r(i)')
  await load(bigquery, 'd', 'moving', path)
  const moving = '/projects/p/datasets/d/tables/moving/data?maxResults=60'
  const first = (await call(server.url, 'GET', moving)).body
  await load(bigquery, 'd', 'moving', await parquet(server.dir, 'SELECT 7 AS n'), { writeDisposition: 'WRITE_TRUNCATE' })
  const second = (await call(server.url, 'GET', `${moving}&pageToken=${first.pageToken}`)).body
  expect([second.rows.length, second.rows[0], second.totalRows]).toEqual([40, { f: [{ v: '60' }] }, '100'])
  expect((await call(server.url, 'GET', moving)).body.rows).toEqual([{ f: [{ v: '7' }] }])
})

test('only the selected fields come, from where the client begins', async () => {
  const { body } = await call(server.url, 'GET', `${data}?selectedFields=s&startIndex=998`)
  expect(body.rows).toEqual([{ f: [{ v: 's998' }] }, { f: [{ v: 's999' }] }])
})

test('timestamps are seconds, or microseconds where the client asks for them', async () => {
  const at = async (query: string) =>
    (await call(server.url, 'GET', `${data}?maxResults=1&selectedFields=at${query}`)).body.rows[0].f[0].v
  expect(await at('')).toBe('1.6426368E9')
  expect(await at('&formatOptions.useInt64Timestamp=true')).toBe('1642636800000000')
  // Google's Python client writes its booleans so.
  expect(await at('&formatOptions.useInt64Timestamp=True')).toBe('1642636800000000')
  const refused = await call(server.url, 'GET', `${data}?formatOptions.timestampOutputFormat=ISO8601_STRING`)
  expect(refused.status).toBe(501)
})

test('paths work with and without /bigquery/v2', async () => {
  const [short, long] = await Promise.all(
    ['', '/bigquery/v2'].map(prefix => call(server.url, 'GET', `${prefix}${data}?startIndex=999`)),
  )
  expect(short?.body.rows).toEqual(long?.body.rows)
})

test('a page token that is not ours is refused', async () => {
  expect((await call(server.url, 'GET', `${data}?pageToken=other`)).body.error.message).toBe('Invalid page token: other')
  const gone = await call(server.url, 'GET', `${data}?pageToken=snapshot-0123456789abcdef-5`)
  expect(gone.body.error.message).toBe('The page token has expired: list the table from its beginning.')
})

test('a table with a column called rowid is paged as well', async () => {
  await load(client(server.url), 'd', 'odd', await parquet(server.dir, 'SELECT 100 - i AS rowid FROM range(5) AS r(i)'))
  const odd = '/projects/p/datasets/d/tables/odd/data?maxResults=3'
  const first = (await call(server.url, 'GET', odd)).body
  const second = (await call(server.url, 'GET', `${odd}&pageToken=${first.pageToken}`)).body
  expect([...first.rows, ...second.rows]).toEqual([100, 99, 98, 97, 96].map(rowid => ({ f: [{ v: String(rowid) }] })))
})

test('streaming inserts are refused with a sentence', async () => {
  const { status, body } = await call(server.url, 'POST', '/projects/p/datasets/d/tables/t/insertAll', { rows: [] })
  expect([status, body.error.message]).toEqual([
    501,
    'The local BigQuery has no streaming inserts (tabledata.insertAll): they keep no promise about duplicates. Use a load job.',
  ])
})

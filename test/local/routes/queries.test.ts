import { beforeAll, expect, test } from 'vitest'
import { call, client, ended, load, parquet, refusal } from '../support/client.ts'
import { useServer } from '../support/server.ts'

const server = useServer()
beforeAll(async () => {
  await client(server.url).createDataset('d')
  await load(client(server.url), 'd', 't', await parquet(server.dir, "SELECT i AS n, 's' || i AS s FROM range(1000) AS r(i)"))
})
const bigquery = () => client(server.url)
const post = (body: object) => call(server.url, 'POST', '/projects/p/queries', { useLegacySql: false, ...body })

test('a query answers its rows, typed', async () => {
  const [rows] = await bigquery().query(
    "SELECT 1 AS n, 'æøå' AS s, [1, 2] AS l, STRUCT(DATE '2022-01-20' AS d) AS r, NULL AS nothing",
  )
  expect(rows).toEqual([{ n: 1, s: 'æøå', l: [1, 2], r: { d: bigquery_date('2022-01-20') }, nothing: null }])
})

test('the first page holds maxResults rows, and getQueryResults has the others', async () => {
  const first = (await post({ query: 'SELECT n FROM `p.d.t` ORDER BY n', maxResults: 400 })).body
  expect([first.jobComplete, first.totalRows, first.rows.length]).toEqual([true, '1000', 400])
  const { jobId } = first.jobReference
  const page = async (more: string) => (await call(server.url, 'GET', `/projects/p/queries/${jobId}?${more}`)).body
  const second = await page(`maxResults=400&pageToken=${first.pageToken}`)
  const third = await page(`maxResults=400&pageToken=${second.pageToken}`)
  const seen = [first, second, third].flatMap(body => body.rows.map((row: { f: { v: string }[] }) => Number(row.f[0]?.v)))
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  expect(third.pageToken).toBeUndefined()
  expect((await page('startIndex=998')).rows).toEqual([{ f: [{ v: '998' }] }, { f: [{ v: '999' }] }])
  const none = await page('maxResults=0')
  expect([none.rows, none.totalRows, none.pageToken]).toEqual([undefined, '1000', 'local-0'])
})

test('the result can be listed as the table that the job names', async () => {
  const [job] = await bigquery().createQueryJob('SELECT n FROM `p.d.t` WHERE n < 3 ORDER BY n')
  const { destinationTable } = (await ended(job)).configuration.query
  const table = bigquery().dataset(destinationTable.datasetId).table(destinationTable.tableId)
  expect((await table.getMetadata())[0].numRows).toBe('3')
  expect((await table.getRows())[0]).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
})

test('a page ends at about 10 MB', async () => {
  const path = await parquet(server.dir, "SELECT repeat('x', 100000) AS s FROM range(300)")
  await load(bigquery(), 'd', 'long', path)
  const { body } = await post({ query: 'SELECT s FROM `p.d.long`', timeoutMs: 30_000 })
  expect(body.rows.length).toBeGreaterThan(90)
  expect(body.rows.length).toBeLessThan(260)
  expect(body.pageToken).toBe(`local-${body.rows.length}`)
})

test('a query that takes longer than timeoutMs is answered as not complete, and gets ready', async () => {
  await call(server.url, 'POST', '/_local/faults', { kind: 'holdCommit' })
  const script =
    'BEGIN TRANSACTION; INSERT INTO `p.d.t` (n, s) SELECT n, s FROM `p.d.t` WHERE n = -1; COMMIT TRANSACTION; SELECT 1 AS done'
  const { body } = await post({ query: script, timeoutMs: 200 })
  expect([body.jobComplete, body.rows]).toEqual([false, undefined])
  const path = `/projects/p/queries/${body.jobReference.jobId}?timeoutMs`
  expect((await call(server.url, 'GET', `${path}=0`)).body.jobComplete).toBe(false)
  await call(server.url, 'DELETE', '/_local/faults')
  expect((await call(server.url, 'GET', `${path}=20000`)).body.rows).toEqual([{ f: [{ v: '1' }] }])
})

test('the same request id runs once and is answered alike', async () => {
  await bigquery().dataset('d').createTable('counted', { schema: 'n:INT64' })
  const insert = { query: 'INSERT INTO `p.d.counted` (n) VALUES (1)', requestId: 'request-1' }
  const answers = [...(await Promise.all([post(insert), post(insert)])), await post(insert)]
  expect(new Set(answers.map(answer => answer.body.jobReference.jobId)).size).toBe(1)
  expect(answers.map(answer => answer.body.numDmlAffectedRows)).toEqual(['1', '1', '1'])
  expect((await bigquery().query('SELECT COUNT(*) AS n FROM `p.d.counted`'))[0]).toEqual([{ n: 1 }])
})

test('parameters come by name, typed, also null and arrays', async () => {
  const sql = 'SELECT @n AS n, @s AS s, @l AS l, @none AS none, @d AS d'
  const [rows] = await bigquery().query({
    query: sql,
    params: { n: 1, s: "it's", l: ['a', 'b'], none: null, d: bigquery_date('2022-01-20') },
    types: { none: 'STRING' },
  })
  expect(rows).toEqual([{ n: 1, s: "it's", l: ['a', 'b'], none: null, d: bigquery_date('2022-01-20') }])
})

test('a default dataset fills names in', async () => {
  const options = { query: 'SELECT COUNT(*) AS n FROM t', defaultDataset: { datasetId: 'd' } }
  expect((await bigquery().query(options))[0]).toEqual([{ n: 1000 }])
})

test('a wrong query is refused with 400 and invalidQuery', async () => {
  expect(await refusal(bigquery().query('SELEC 1'))).toMatchObject({ code: 400, reason: 'invalidQuery' })
  expect(await refusal(bigquery().query('SELECT nope FROM `p.d.t`'))).toMatchObject({ code: 400, reason: 'invalidQuery' })
})

test('a dry run answers the schema and no rows', async () => {
  const { body } = await post({ query: 'SELECT n, s FROM `p.d.t`', dryRun: true })
  expect([body.jobComplete, body.rows, body.schema.fields.map((field: { name: string }) => field.name)]).toEqual([
    true,
    undefined,
    ['n', 's'],
  ])
})

const bigquery_date = (value: string) => bigquery().date(value)

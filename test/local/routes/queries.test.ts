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

const named = (name: string, type: string, value: string | null) => ({
  name,
  parameterType: { type },
  parameterValue: { value },
})
const publish = `
  DECLARE outcome STRING DEFAULT 'lost';
  BEGIN TRANSACTION;
  UPDATE \`p.d.head\` SET n = n + 1, run = @run WHERE n < @upto;
  IF (SELECT COUNT(*) = 1 FROM \`p.d.head\` WHERE run = @run) THEN
    MERGE \`p.d.body\` AS t USING (SELECT 1 AS k, @run AS v) AS s ON t.k = s.k
      WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v);
    COMMIT TRANSACTION;
    SET outcome = 'published';
  ELSE
    ROLLBACK TRANSACTION;
  END IF;
  SELECT outcome, h.* FROM \`p.d.head\` AS h`
const heads = async () => {
  await post({
    query:
      'DROP TABLE IF EXISTS `p.d.head`; CREATE TABLE `p.d.head` AS SELECT 0 AS n, "" AS run; DROP TABLE IF EXISTS `p.d.body`; CREATE TABLE `p.d.body` (k INT64, v STRING)',
    timeoutMs: 20_000,
  })
}
const scripted = (run: string, more: object = {}) =>
  post({
    query: publish,
    timeoutMs: 20_000,
    parameterMode: 'NAMED',
    queryParameters: [named('run', 'STRING', run), named('upto', 'INT64', '1')],
    ...more,
  })
const cells = (body: { rows: { f: { v: string }[] }[] }) => body.rows.map(row => row.f.map(({ v }) => v))

test('a script with named parameters answers its last SELECT at once, and its job says what it was', async () => {
  await heads()
  const { body } = await scripted('a')
  expect([body.jobComplete, cells(body), body.totalRows]).toEqual([true, [['published', '1', 'a']], '1'])
  expect(body.schema.fields.map(({ name }: { name: string }) => name)).toEqual(['outcome', 'n', 'run'])
  const job = (await call(server.url, 'GET', `/projects/p/jobs/${body.jobReference.jobId}`)).body
  expect([job.statistics.query.statementType, job.status]).toEqual(['SCRIPT', { state: 'DONE' }])
  expect(cells((await scripted('b')).body)).toEqual([['lost', '1', 'a']])
  // The same by jobs.insert.
  const configuration = {
    query: {
      query: publish,
      useLegacySql: false,
      parameterMode: 'NAMED',
      queryParameters: [named('run', 'STRING', 'c'), named('upto', 'INT64', '5')],
    },
  }
  const inserted = (await call(server.url, 'POST', '/projects/p/jobs', { configuration })).body
  const results = (await call(server.url, 'GET', `/projects/p/queries/${inserted.jobReference.jobId}?timeoutMs=20000`)).body
  expect(cells(results)).toEqual([['published', '2', 'c']])
})

test('DML answers how many rows it touched, and of which kind', async () => {
  await heads()
  const dml = async (query: string) => {
    const { body } = await post({
      query,
      timeoutMs: 20_000,
      parameterMode: 'NAMED',
      queryParameters: [named('v', 'STRING', 'x')],
    })
    return [body.jobComplete, body.numDmlAffectedRows, body.dmlStats, body.rows, body.schema]
  }
  const stats = (insertedRowCount: string, updatedRowCount: string, deletedRowCount: string) => ({
    insertedRowCount,
    updatedRowCount,
    deletedRowCount,
  })
  expect(await dml('INSERT INTO `p.d.body` (k, v) VALUES (1, @v), (2, @v)')).toEqual([
    true,
    '2',
    stats('2', '0', '0'),
    undefined,
    undefined,
  ])
  expect(await dml("UPDATE `p.d.body` SET v = CONCAT(@v, 'y') WHERE k = 2")).toEqual([
    true,
    '1',
    stats('0', '1', '0'),
    undefined,
    undefined,
  ])
  expect(
    await dml(
      'MERGE `p.d.body` AS t USING (SELECT 2 AS k UNION ALL SELECT 3) AS s ON t.k = s.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, @v) WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = NULL',
    ),
  ).toEqual([true, '3', stats('1', '1', '1'), undefined, undefined])
  expect(await dml('DELETE FROM `p.d.body` WHERE v != @v')).toEqual([true, '0', stats('0', '0', '0'), undefined, undefined])
})

test('a request id is answered by its job while that runs, after it is done, and after it failed; another id runs again', async () => {
  await heads()
  await call(server.url, 'POST', '/_local/faults', { kind: 'holdCommit' })
  const first = (await scripted('a', { requestId: 'r-1', timeoutMs: 100 })).body
  const second = (await scripted('a', { requestId: 'r-1', timeoutMs: 100 })).body
  expect([first.jobComplete, second.jobComplete, second.jobReference]).toEqual([false, false, first.jobReference])
  const waiting = scripted('a', { requestId: 'r-1' })
  await call(server.url, 'DELETE', '/_local/faults')
  for (const { body } of [await waiting, await scripted('a', { requestId: 'r-1' })]) {
    expect([body.jobReference, cells(body)]).toEqual([first.jobReference, [['published', '1', 'a']]])
  }
  expect(cells((await scripted('b', { requestId: 'r-2' })).body)).toEqual([['lost', '1', 'a']])
  const fails = {
    query: 'INSERT INTO `p.d.body` (k) VALUES (CAST(@v AS INT64))',
    queryParameters: [named('v', 'STRING', 'x')],
    requestId: 'r-3',
  }
  const [once, again] = [await post(fails), await post(fails)]
  expect([once.status, once.body.error.message]).toEqual([400, 'Bad int64 value: x'])
  expect(again.body).toEqual(once.body)
})

test('a snapshot is listed and read as one, and takes no rows', async () => {
  await post({
    query: "CREATE SNAPSHOT TABLE `p.d.snap` CLONE `p.d.t` OPTIONS (expiration_timestamp = TIMESTAMP '2999-01-01 00:00:00+00')",
    timeoutMs: 20_000,
  })
  const [metadata] = await bigquery().dataset('d').table('snap').getMetadata()
  expect(metadata).toMatchObject({
    type: 'SNAPSHOT',
    numRows: '1000',
    expirationTime: String(Date.parse('2999-01-01')),
    snapshotDefinition: { baseTableReference: { projectId: 'p', datasetId: 'd', tableId: 't' } },
  })
  expect((await bigquery().dataset('d').table('snap').getRows({ maxResults: 5 }))[0]).toHaveLength(5)
  const refused = 'p:d.snap is not allowed for this operation because it is currently a SNAPSHOT.'
  const loaded = await load(bigquery(), 'd', 'snap', await parquet(server.dir, "SELECT 1::BIGINT AS n, 'x' AS s"))
  expect(loaded.status.errorResult?.message).toBe(refused)
  const patch = { schema: { fields: [...metadata.schema.fields, { name: 'more', type: 'STRING' }] } }
  expect(await refusal(bigquery().dataset('d').table('snap').setMetadata(patch))).toMatchObject({ code: 400, reason: 'invalid' })
  await bigquery().dataset('d').table('snap').setMetadata({ description: 'kept' })
  await bigquery().dataset('d').table('snap').delete()
})

import { beforeAll, expect, test } from 'vitest'
import { call, client, ended, load, parquet, refusal } from '../support/client.ts'
import { useServer } from '../support/server.ts'

const server = useServer()
beforeAll(() => client(server.url).createDataset('d'))
const bigquery = () => client(server.url)
const insert = (body: object) => call(server.url, 'POST', '/projects/p/jobs', body)
const query = (sql: string, more: object = {}) => ({ query: { query: sql, useLegacySql: false, ...more } })

test('a query job keeps its id, location, labels and limits, and tells what it did', async () => {
  const [job] = await bigquery().createQueryJob({
    query: 'SELECT 1 AS n UNION ALL SELECT 2',
    jobId: 'told',
    location: 'europe-north1',
    labels: { run: 'r1' },
    jobTimeoutMs: 60_000,
  })
  const metadata = await ended(job)
  expect(metadata).toMatchObject({
    id: 'p:europe-north1.told',
    jobReference: { projectId: 'p', jobId: 'told', location: 'europe-north1' },
    configuration: { jobType: 'QUERY', labels: { run: 'r1' }, jobTimeoutMs: '60000' },
    statistics: { query: { statementType: 'SELECT', totalBytesProcessed: '0' } },
    status: { state: 'DONE' },
  })
  const { creationTime, startTime, endTime } = metadata.statistics
  for (const time of [creationTime, startTime, endTime]) expect(time).toMatch(/^\d{13}$/)
  expect((await job.getQueryResults())[0]).toEqual([{ n: 1 }, { n: 2 }])
})

test('a job’s id is used once, also when the job failed', async () => {
  await ended((await bigquery().createQueryJob({ query: "SELECT ERROR('no')", jobId: 'burnt' }))[0])
  const again = refusal(bigquery().createQueryJob({ query: 'SELECT 1', jobId: 'burnt' }))
  expect(await again).toEqual({ code: 409, reason: 'duplicate', message: 'Already Exists: Job p:europe-north1.burnt' })
  const elsewhere = client(server.url, 'other').createQueryJob({ query: 'SELECT 1', jobId: 'burnt' })
  expect((await ended((await elsewhere)[0])).status).toEqual({ state: 'DONE' })
})

test('of many that insert one id at once, one gets it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => insert({ jobReference: { jobId: 'raced' }, configuration: query('SELECT 1') })),
  )
  expect(answers.map(answer => answer.status).sort()).toEqual([200, 409, 409, 409, 409, 409, 409, 409])
})

test('a failed query is a failed job, and asking for its rows gives its error', async () => {
  const [job] = await bigquery().createQueryJob({ query: 'SELECT * FROM `p.d.nope`', jobId: 'failing' })
  const { status } = await ended(job)
  expect(status).toMatchObject({
    state: 'DONE',
    errorResult: { reason: 'notFound', message: expect.stringContaining('p:d.nope') },
  })
  expect(status.errors[0]).toEqual(status.errorResult)
  const results = await call(server.url, 'GET', '/projects/p/queries/failing')
  expect([results.status, results.body.error.errors[0].reason]).toEqual([404, 'notFound'])
})

test('an unknown job, or one in another location, is not found', async () => {
  await ended((await bigquery().createQueryJob({ query: 'SELECT 1', jobId: 'here', location: 'EU' }))[0])
  expect(await refusal(bigquery().job('nowhere').getMetadata())).toMatchObject({ code: 404, reason: 'notFound' })
  expect((await bigquery().job('here', { location: 'EU' }).getMetadata())[0].jobReference.location).toBe('EU')
  expect((await refusal(bigquery().job('here', { location: 'US' }).getMetadata())).message).toBe('Not found: Job p:US.here')
})

test('a job runs on when its client goes away', async () => {
  await call(server.url, 'POST', '/_local/faults', { kind: 'holdCommit', match: '^left$' })
  const path = await parquet(server.dir, 'SELECT 1 AS n')
  await bigquery().dataset('d').table('left').createLoadJob(path, { sourceFormat: 'PARQUET', jobId: 'left' })
  expect((await bigquery().job('left').getMetadata())[0].status.state).toBe('RUNNING')
  await call(server.url, 'DELETE', '/_local/faults')
  expect((await ended(bigquery().job('left'))).status).toEqual({ state: 'DONE' })
})

test('a cancelled job says stopped and leaves nothing', async () => {
  await call(server.url, 'POST', '/_local/faults', { kind: 'holdCommit', match: '^cancelled$' })
  const path = await parquet(server.dir, 'SELECT 1 AS n')
  await bigquery().dataset('d').table('cancelled').createLoadJob(path, { sourceFormat: 'PARQUET', jobId: 'cancelled' })
  await bigquery().job('cancelled').cancel()
  await call(server.url, 'DELETE', '/_local/faults')
  const { status } = await ended(bigquery().job('cancelled'))
  expect(status.errorResult).toEqual({ reason: 'stopped', message: 'Job execution was cancelled: User requested cancellation' })
  expect(await bigquery().dataset('d').table('cancelled').exists()).toEqual([false])
})

test('a job that takes longer than jobTimeoutMs is stopped', async () => {
  await call(server.url, 'POST', '/_local/faults', { kind: 'delayCommit', match: '^slow$', ms: 300 })
  const request = {
    jobReference: { jobId: 'slow' },
    configuration: {
      jobTimeoutMs: '50',
      load: {
        sourceFormat: 'NEWLINE_DELIMITED_JSON',
        schema: { fields: [{ name: 'n', type: 'INT64' }] },
        destinationTable: { projectId: 'p', datasetId: 'd', tableId: 'slow' },
      },
    },
  }
  const begun = await call(server.url, 'POST', '/upload/bigquery/v2/projects/p/jobs?uploadType=resumable', request)
  await fetch(begun.headers.get('location') ?? '', { method: 'PUT', body: '{"n": 1}\n' })
  expect((await ended(bigquery().job('slow'))).status.errorResult.reason).toBe('stopped')
})

test('jobs are listed newest first, and a finished one can be removed', async () => {
  const own = client(server.url, 'listing')
  for (const jobId of ['first', 'second']) {
    await ended((await own.createQueryJob({ query: 'SELECT 1', jobId }))[0])
    await new Promise(later => setTimeout(later, 5))
  }
  const ids = async () => (await own.getJobs())[0].map(job => job.id)
  expect(await ids()).toEqual(['second', 'first'])
  expect((await call(server.url, 'DELETE', '/projects/listing/jobs/first/delete')).status).toBe(204)
  expect(await ids()).toEqual(['second'])
})

test('a query can write its rows to a table', async () => {
  const destinationTable = { projectId: 'p', datasetId: 'd', tableId: 'written' }
  const write = async (sql: string, more: object) => {
    const { body } = await insert({ configuration: query(sql, { destinationTable, ...more }) })
    return (await ended(bigquery().job(body.jobReference.jobId))).status.errorResult
  }
  const rows = async () => (await bigquery().dataset('d').table('written').getRows())[0]
  expect(await write('SELECT 1 AS n', {})).toBeUndefined()
  expect(await write('SELECT 2 AS n', {})).toEqual({ reason: 'duplicate', message: 'Already Exists: Table p:d.written' })
  expect(await write('SELECT 3 AS n', { writeDisposition: 'WRITE_APPEND' })).toBeUndefined()
  expect(await rows()).toEqual([{ n: 1 }, { n: 3 }])
  expect(await write("SELECT 'x' AS s", { writeDisposition: 'WRITE_TRUNCATE' })).toBeUndefined()
  expect(await rows()).toEqual([{ s: 'x' }])
})

test('a statement without rows can’t have a destination, and isn’t run', async () => {
  await bigquery().dataset('d').createTable('untouched', { schema: 'n:INT64' })
  const destinationTable = { projectId: 'p', datasetId: 'd', tableId: 'written' }
  const { body } = await insert({ configuration: query('INSERT INTO `p.d.untouched` (n) VALUES (1)', { destinationTable }) })
  expect((await ended(bigquery().job(body.jobReference.jobId))).status.errorResult.reason).toBe('invalidQuery')
  expect((await bigquery().dataset('d').table('untouched').getRows())[0]).toEqual([])
})

test('a script that is cancelled before its COMMIT says stopped and leaves nothing', async () => {
  await bigquery().dataset('d').createTable('uncommitted', { schema: 'n:INT64' })
  await call(server.url, 'POST', '/_local/faults', { kind: 'holdCommit', match: '^given_up$' })
  const script =
    'BEGIN TRANSACTION; INSERT INTO `p.d.uncommitted` (n) VALUES (1); COMMIT TRANSACTION; INSERT INTO `p.d.uncommitted` (n) VALUES (2);'
  await bigquery().createQueryJob({ query: script, jobId: 'given_up' })
  while ((await call(server.url, 'GET', '/_local/faults')).body.held === 0) await new Promise(later => setTimeout(later, 10))
  await bigquery().job('given_up').cancel()
  await call(server.url, 'DELETE', '/_local/faults')
  expect((await ended(bigquery().job('given_up'))).status.errorResult.reason).toBe('stopped')
  expect((await bigquery().dataset('d').table('uncommitted').getRows())[0]).toEqual([])
})

test('a dry run runs nothing and keeps no job', async () => {
  await load(bigquery(), 'd', 'dry', await parquet(server.dir, 'SELECT 1::BIGINT AS n'))
  const [job] = await bigquery().createQueryJob({ query: 'SELECT n FROM `p.d.dry`', dryRun: true, jobId: 'dry' })
  expect(job.metadata.status).toEqual({ state: 'DONE' })
  expect(job.metadata.statistics.query.schema.fields).toEqual([{ name: 'n', type: 'INTEGER', mode: 'NULLABLE' }])
  expect((await call(server.url, 'GET', '/projects/p/jobs/dry')).status).toBe(404)
})

test.each([
  [{ copy: {} }, 'The local BigQuery has no copy and no extract jobs. Use INSERT … SELECT, or read the rows.'],
  [
    { load: { sourceUris: ['gs://b/x'] } },
    'The local BigQuery loads uploaded files only, nothing from Cloud Storage (sourceUris).',
  ],
  [{}, 'Job configuration must contain exactly one job-specific configuration object (e.g., query, load, extract, copy).'],
])('what it can’t do is refused with a sentence: %o', async (configuration, message) => {
  expect((await insert({ configuration })).body.error.message).toBe(message)
})

test.each([
  [
    { query: { query: 'SELECT 1' } },
    'The local BigQuery has no legacy SQL: set useLegacySql to false (it is true by default in the REST API).',
  ],
  [query('SELECT 1', { createSession: true }), "The local BigQuery has no sessions ('createSession')."],
])('a query that asks for more than there is fails with a sentence: %o', async (configuration, message) => {
  const { body } = await insert({ configuration })
  expect((await ended(bigquery().job(body.jobReference.jobId))).status.errorResult).toMatchObject({
    reason: 'notImplemented',
    message,
  })
})

test('a bad id is refused', async () => {
  const { status, body } = await insert({ jobReference: { jobId: 'a b' }, configuration: query('SELECT 1') })
  expect([status, body.error.errors[0].reason]).toEqual([400, 'invalid'])
})

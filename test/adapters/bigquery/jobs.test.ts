import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { openApi } from '../../../src/adapters/bigquery/api.ts'
import { createJobs } from '../../../src/adapters/bigquery/jobs.ts'
import { queryConfiguration } from '../../../src/adapters/bigquery/query.ts'
import { upload } from '../../../src/adapters/bigquery/upload.ts'
import { clock } from '../../../src/adapters/clock.ts'
import { production, scaled } from '../../../src/domain/policy.ts'

/*
 * What the service may answer and the local server never does: its own failures. A page of answers in their order stands in for it.
 */
type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'cut'
type Seen = { method: string; path: string; body: string; range: string | undefined }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function service(answers: (Answer | ((seen: Seen) => Answer))[]) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const one = {
      method: request.method ?? '',
      path: (request.url ?? '').replace(/\?.*/, ''),
      body: await bodyOf(request),
      range: request.headers['content-range'],
    }
    seen.push(one)
    const next = answers.shift() ?? { status: 500, body: { error: { message: 'no answer is left' } } }
    const answer = typeof next === 'function' ? next(one) : next
    if (answer === 'cut') return request.socket.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise(resolve => server.close(() => resolve())))
  const address = server.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const api = await openApi({ project: 'p', location: 'europe-north1', clock, policy: scaled(production, 0.002), endpoint })
  return { api, jobs: createJobs(api, 'abcdef'), seen, endpoint }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const idOf = (seen: Seen) => (JSON.parse(seen.body) as { jobReference: { jobId: string } }).jobReference.jobId
const done =
  (text = 'SELECT 1', errorResult?: object) =>
  (seen: Seen) => ({
    status: 200,
    body: {
      jobReference: { jobId: seen.method === 'POST' ? idOf(seen) : seen.path.split('/').at(-1) },
      configuration: { query: { query: text } },
      status: { state: 'DONE', ...(errorResult === undefined ? {} : { errorResult }) },
    },
  })
const refused = (status: number, reason: string, message = reason): Answer => ({
  status,
  body: { error: { code: status, message, errors: [{ reason, message }] } },
})
const select = queryConfiguration('SELECT 1')

describe('a job', () => {
  test('has an id of ours, our label and its place', async () => {
    const { jobs, seen } = await service([done()])
    await jobs.run('etl-ask-my.table', select, 'a question')
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      jobReference: { projectId: 'p', jobId: 'etl-ask-my_table-abcdef-1', location: 'europe-north1' },
      configuration: { labels: { tool: 'nais-etl' }, query: { query: 'SELECT 1', useLegacySql: false } },
    })
  })

  test('that the service broke burns its id: the next number is tried', async () => {
    const { jobs, seen } = await service([done('SELECT 1', { reason: 'backendError', message: 'x' }), done()])
    expect((await jobs.run('etl-ask', select, 'a question')).jobReference.jobId).toBe('etl-ask-abcdef-2')
    expect(seen.map(idOf)).toEqual(['etl-ask-abcdef-1', 'etl-ask-abcdef-2'])
  })

  test('that was refused for its text is not tried again', async () => {
    const { jobs, seen } = await service([done('SELECT 1', { reason: 'invalidQuery', message: 'Unrecognized name: x at [1:8]' })])
    await expect(jobs.run('etl-ask', select, 'a question')).rejects.toMatchObject({
      kind: 'query',
      problem: 'a question (job etl-ask-abcdef-1): Unrecognized name: x at [1:8].',
    })
    expect(seen).toHaveLength(1)
  })

  test('whose id is taken is adopted, if it runs the same text', async () => {
    const { jobs, seen } = await service([refused(409, 'duplicate'), done()])
    expect((await jobs.one('etl-publish-1', select)).jobReference.jobId).toBe('etl-publish-1')
    expect(seen.map(one => `${one.method} ${one.path}`)).toEqual([
      'POST /bigquery/v2/projects/p/jobs',
      'GET /bigquery/v2/projects/p/jobs/etl-publish-1',
    ])
    const other = await service([refused(409, 'duplicate'), done('SELECT 2')])
    await expect(other.jobs.one('etl-publish-1', select)).rejects.toMatchObject({ kind: 'bug' })
  })

  test('that never came is submitted again under the same id', async () => {
    const { jobs, seen } = await service([
      'cut',
      refused(404, 'notFound'),
      refused(503, 'backendError'),
      refused(404, 'notFound'),
      done(),
    ])
    await jobs.one('etl-publish-1', select)
    expect(seen.filter(one => one.method === 'POST').map(idOf)).toEqual(['etl-publish-1', 'etl-publish-1', 'etl-publish-1'])
  })

  test('is given up after some tries, in a sentence', async () => {
    const { jobs, endpoint } = await service(Array.from({ length: 200 }, () => refused(503, 'backendError')))
    await expect(jobs.run('etl-ask', select, 'a question')).rejects.toMatchObject({
      kind: 'unavailable',
      problem: `a question (job etl-ask-abcdef-1): BigQuery at ${endpoint} could not do it just now (backendError), also after several tries.`,
    })
  })

  test('is waited for until it is done', async () => {
    const running = (seen: Seen): Answer => ({ status: 200, body: { ...done()(seen).body, status: { state: 'RUNNING' } } })
    const { jobs } = await service([
      running,
      { status: 200, body: { jobComplete: false } },
      running,
      refused(500, 'internalError'),
      done('SELECT 1', { reason: 'invalidQuery' }),
    ])
    await expect(jobs.run('etl-ask', select, 'a question')).rejects.toMatchObject({ kind: 'query' })
  })
})

describe('an upload', () => {
  let folder: string
  afterEach(() => rm(folder, { recursive: true, force: true }))
  async function file(size: number): Promise<string> {
    folder = await mkdtemp(join(tmpdir(), 'upload-test-'))
    const path = join(folder, 'part.parquet')
    await writeFile(path, Buffer.alloc(size, 'x'))
    return path
  }
  const session =
    (endpoint: () => string): ((seen: Seen) => Answer) =>
    () => ({ status: 200, headers: { location: `${endpoint()}/upload/session` } })
  const job = { status: 200, body: { jobReference: { jobId: 'etl-load-1' }, status: { state: 'DONE' } } }

  test('goes on from where the service says it is, also after a lost answer', async () => {
    const mebibyte = 1024 * 1024
    const path = await file(20 * mebibyte)
    let endpoint = ''
    const made = await service([
      session(() => endpoint),
      { status: 308, headers: { range: `bytes=0-${8 * mebibyte - 1}` } },
      'cut',
      { status: 308, headers: { range: `bytes=0-${9 * mebibyte - 1}` } },
      { status: 308, headers: { range: `bytes=0-${17 * mebibyte - 1}` } },
      job,
    ])
    endpoint = made.endpoint
    expect(await upload(made.api, 'etl-load-1', { load: {} }, path)).toEqual(job.body)
    const size = 20 * mebibyte
    expect(made.seen.map(one => one.range)).toEqual([
      undefined,
      `bytes 0-${8 * mebibyte - 1}/${size}`,
      `bytes ${8 * mebibyte}-${16 * mebibyte - 1}/${size}`,
      `bytes */${size}`,
      `bytes ${9 * mebibyte}-${17 * mebibyte - 1}/${size}`,
      `bytes ${17 * mebibyte}-${size - 1}/${size}`,
    ])
    expect(JSON.parse(made.seen[0]?.body ?? '')).toEqual({
      jobReference: { projectId: 'p', jobId: 'etl-load-1', location: 'europe-north1' },
      configuration: { load: {} },
    })
  })

  test('of a file that is gone is an error of ours, not a crash', async () => {
    const { api } = await service([])
    await expect(upload(api, 'etl-load-1', {}, join(tmpdir(), 'no-such-file.parquet'))).rejects.toMatchObject({ kind: 'bug' })
  })
})

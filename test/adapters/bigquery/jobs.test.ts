import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Failure } from '../../../src/adapters/bigquery/errors.ts'
import { parameter } from '../../../src/adapters/bigquery/publish.ts'
import { ask, queryConfiguration } from '../../../src/adapters/bigquery/query.ts'
import { upload } from '../../../src/adapters/bigquery/upload.ts'
import { type Answer, done, idOf, refused, type Seen, service } from './service.ts'

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
    expect((await jobs.accepted('etl-publish-1', select)).jobReference.jobId).toBe('etl-publish-1')
    expect(seen.map(one => `${one.method} ${one.path}`)).toEqual([
      'POST /bigquery/v2/projects/p/jobs',
      'GET /bigquery/v2/projects/p/jobs/etl-publish-1',
    ])
    const other = await service([refused(409, 'duplicate'), done('SELECT 2')])
    await expect(other.jobs.accepted('etl-publish-1', select)).rejects.toMatchObject({ kind: 'bug' })
  })

  test('is only adopted with the same values of its parameters', async () => {
    const asked = (run: string, version: string) =>
      queryConfiguration('SELECT @run', [parameter('run', 'STRING', run), parameter('version', 'TIMESTAMP', version)])
    const there = (seen: Seen): Answer => ({
      status: 200,
      body: { ...(done()(seen).body as object), configuration: asked('run-1', '2024-01-01T00:00:00Z') },
    })
    const first = await service([refused(409, 'duplicate'), there, refused(409, 'duplicate'), there])
    await first.jobs.accepted('etl-publish-1', asked('run-1', '2024-01-01T00:00:00Z'))
    await expect(first.jobs.accepted('etl-publish-1', asked('run-1', '2024-01-02T00:00:00Z'))).rejects.toMatchObject({
      kind: 'bug',
    })
    const lost = await service(['cut', there, 'cut', there])
    await lost.jobs.run('etl-note', asked('run-1', '2024-01-01T00:00:00Z'), 'a note')
    await expect(lost.jobs.run('etl-note', asked('run-2', '2024-01-01T00:00:00Z'), 'a note')).rejects.toMatchObject({
      kind: 'bug',
    })
  })

  test("whose id is taken before there was any doubt is somebody else's: the next number is tried", async () => {
    const { jobs, seen } = await service([refused(409, 'duplicate'), done()])
    expect((await jobs.run('etl-ask', select, 'a question')).jobReference.jobId).toBe('etl-ask-abcdef-2')
    expect(seen.map(one => one.method)).toEqual(['POST', 'POST'])
  })

  test('whose id is always taken is given up', async () => {
    const { jobs, seen } = await service(Array.from({ length: 200 }, () => refused(409, 'duplicate')))
    await expect(jobs.run('etl-ask', select, 'a question')).rejects.toMatchObject({ kind: 'query' })
    expect(seen.length).toBeLessThan(10)
  })

  test('whose answer was lost is adopted, if it is the same', async () => {
    for (const answers of [
      ['cut', done()],
      ['cut', refused(404, 'notFound'), refused(409, 'duplicate'), done()],
    ] as Parameters<typeof service>[0][]) {
      const { jobs } = await service(answers)
      expect((await jobs.run('etl-ask', select, 'a question')).jobReference.jobId).toBe('etl-ask-abcdef-1')
    }
    const other = await service(['cut', done('SELECT 2')])
    await expect(other.jobs.run('etl-ask', select, 'a question')).rejects.toMatchObject({ kind: 'bug' })
  })

  test('that loads is adopted after a doubt inside the upload, if it loads into the same table', async () => {
    const load = (tableId: string) => ({ load: { destinationTable: { tableId }, writeDisposition: 'WRITE_APPEND' } })
    const { jobs } = await service([
      seen => ({ status: 200, body: { ...(done()(seen).body as object), configuration: { ...load('t'), jobType: 'LOAD' } } }),
    ])
    const submit = async (_: string, onDoubt: () => void) => {
      onDoubt()
      throw new Failure(409, 'duplicate', '')
    }
    await jobs.runBy('etl-stage', submit, load('t'), 'a stage')
    const other = await service([
      seen => ({ status: 200, body: { ...(done()(seen).body as object), configuration: load('other') } }),
    ])
    await expect(other.jobs.runBy('etl-stage', submit, load('t'), 'a stage')).rejects.toMatchObject({ kind: 'bug' })
  })

  test('has an id of its own also where a table has the longest of names', async () => {
    const { jobs, seen } = await service([done(), done()])
    for (const _ of [1, 2]) await jobs.run(`etl-read-${'t'.repeat(1024)}`, select, 'reading')
    expect(new Set(seen.map(idOf)).size).toBe(2)
    expect(idOf(seen[0] as Seen).length).toBeLessThanOrEqual(1024)
  })

  test('is no longer waited for once somebody says stop', async () => {
    const stop = new AbortController()
    const running: Answer = { status: 200, body: { jobReference: { jobId: 'j' }, jobComplete: false } }
    const asked = (seen: Seen): Answer => {
      setImmediate(() => stop.abort())
      return seen.path.endsWith('/queries/j') ? 'hang' : refused(500, 'no such question')
    }
    const { api } = await service([running, asked])
    await expect(ask(api, 'SELECT 1', 'the dates', [], stop.signal)).rejects.toMatchObject({ kind: 'stopped' })
  })

  test('that only asks is one call; without an answer it is repeated under the request id that the service knows it by', async () => {
    const rows = { jobReference: { jobId: 'j' }, jobComplete: true, schema: { fields: [{ name: 'n', type: 'INTEGER' }] } }
    const answer: Answer = { status: 200, body: { ...rows, rows: [{ f: [{ v: '1' }] }] } }
    const one = await service([answer])
    expect((await ask(one.api, 'SELECT 1 AS n', 'a question')).rows).toEqual([{ n: 1n }])
    expect(one.seen.map(seen => `${seen.method} ${seen.path}`)).toEqual(['POST /bigquery/v2/projects/p/queries'])
    expect(JSON.parse(one.seen[0]?.body ?? '')).toMatchObject({ location: 'europe-north1', useLegacySql: false })
    const lost = await service(['cut', refused(503, 'backendError'), refused(503, 'backendError'), answer])
    await ask(lost.api, 'SELECT 1 AS n', 'a question')
    const ids = lost.seen.map(seen => (JSON.parse(seen.body) as { requestId: string }).requestId)
    expect(ids[1]).toBe(ids[0])
    expect(ids[3]).not.toBe(ids[0])
    const failed = await service([refused(400, 'invalidQuery', 'Unrecognized name: x at [1:8]')])
    await expect(ask(failed.api, 'SELECT x', 'a question')).rejects.toMatchObject({
      kind: 'query',
      problem: 'a question: Unrecognized name: x at [1:8].',
    })
  })

  test('that never came is submitted again under the same id', async () => {
    const { jobs, seen } = await service([
      'cut',
      refused(404, 'notFound'),
      refused(503, 'backendError'),
      refused(404, 'notFound'),
      done(),
    ])
    await jobs.accepted('etl-publish-1', select)
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
    let doubts = 0
    expect(
      await upload(made.api, 'etl-load-1', { load: {} }, path, () => {
        doubts += 1
      }),
    ).toEqual(job.body)
    expect(doubts).toBe(1)
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

  test('of a small file is one request, the job and the bytes in two parts', async () => {
    const path = await file(5_000_000)
    const { api, seen } = await service([job])
    expect(await upload(api, 'etl-load-1', { load: { x: 'æ' } }, path, () => {})).toEqual(job.body)
    expect(seen.map(one => `${one.method} ${one.path}`)).toEqual(['POST /upload/bigquery/v2/projects/p/jobs'])
    const [boundary, type, , sent, , bytesType, , bytes, ...end] = seen[0]?.body.split('\r\n') ?? []
    expect([type, bytesType]).toEqual(['Content-Type: application/json; charset=UTF-8', 'Content-Type: application/octet-stream'])
    expect(JSON.parse(sent ?? '')).toEqual({
      jobReference: { projectId: 'p', jobId: 'etl-load-1', location: 'europe-north1' },
      configuration: { load: { x: 'æ' } },
    })
    expect(bytes).toBe('x'.repeat(5_000_000))
    expect(end).toEqual([`${boundary}--`, ''])
  })

  test('whose answer is lost is looked up by the id of its job, and sent again only where there is none', async () => {
    const path = await file(10)
    const load = { destinationTable: { tableId: 't' }, writeDisposition: 'WRITE_APPEND' }
    const found: Answer = { status: 200, body: { ...job.body, configuration: { load } } }
    const { api, jobs, seen } = await service(['cut', refused(404, 'notFound'), refused(503, 'backendError'), found])
    const submit = (id: string, onDoubt: () => void) => upload(api, id, { load }, path, onDoubt)
    await jobs.runBy('etl-stage', submit, { load }, 'a stage')
    expect(seen.map(one => one.method)).toEqual(['POST', 'GET', 'POST', 'GET'])
  })

  test('whose session is over is looked up as a job, and begins again where there is none', async () => {
    const path = await file(6_000_000)
    let endpoint = ''
    const over = refused(404, 'notFound')
    const there = (seen: Seen): Answer => ({
      status: 200,
      body: { ...(done()(seen).body as object), configuration: { load: {} } },
    })
    const made = await service([
      session(() => endpoint),
      over,
      refused(404, 'notFound'),
      session(() => endpoint),
      'cut',
      over,
      there,
    ])
    endpoint = made.endpoint
    const submit = (id: string, onDoubt: () => void) => upload(made.api, id, { load: {} }, path, onDoubt)
    await made.jobs.runBy('etl-stage', submit, { load: {} }, 'a stage')
    expect(made.seen.map(one => `${one.method} ${one.range ?? ''}`.trim())).toEqual([
      'POST',
      'PUT bytes 0-5999999/6000000',
      'GET',
      'POST',
      'PUT bytes 0-5999999/6000000',
      'PUT bytes */6000000',
      'GET',
    ])
  })

  test('of a file that is gone is an error of ours, not a crash', async () => {
    const { api } = await service([])
    await expect(upload(api, 'etl-load-1', {}, join(tmpdir(), 'no-such-file.parquet'), () => {})).rejects.toMatchObject({
      kind: 'bug',
    })
  })
})

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { upload } from '../../src/adapters/bigquery/upload.ts'
import { createSpool } from '../../src/adapters/duckdb/spool.ts'
import type { AnyRow } from '../../src/domain/column.ts'
import type { TableRef } from '../../src/domain/source.ts'
import { freshTarget, project, sql, staged } from '../adapters/bigquery/world.ts'
import { Out, processOn, type Subject } from './subject.ts'

const rows = (count: number): AnyRow[] => Array.from({ length: count }, (_, n) => ({ dato: '2024-01-01', env: String(n), n }))

/** Rows that take about so many bytes in a Parquet file, also when compressed. */
export function rowsOfBytes(count: number, bytes: number): AnyRow[] {
  return rows(count).map(each => ({ ...each, env: randomBytes(Math.ceil((bytes * 1.1) / count)).toString('base64') }))
}

/** Load jobs of Parquet, by both kinds of upload. */
export function loadsContract(on: Subject): void {
  describe('a load job', () => {
    test('of a multipart upload appends the rows of a Parquet file, once for one id', async () => {
      const table = await emptyTable()
      await onFile(rows(100), async path => {
        const { token } = await processOn(on.server.url)
        expect(await multipart(`etl-stage-${token}`, table, path)).toMatchObject({ status: 200 })
        expect(await finished(`etl-stage-${token}`)).toMatchObject({ statistics: { load: { outputRows: '100' } } })
        expect(await multipart(`etl-stage-${token}`, table, path)).toMatchObject({ status: 409 })
        expect(await counted(table)).toEqual([['100', '100', '4950']])
      })
    })

    test('of a resumable upload goes on from where the server says it is, and is submitted with the last part', async () => {
      const table = await emptyTable()
      await onFile(rowsOfBytes(100, 400_000), async path => {
        const { token } = await processOn(on.server.url)
        const id = `etl-stage-${token}`
        const file = await readFile(path)
        const part = 256 * 1024
        expect(file.length).toBeGreaterThan(part)
        const session = await begin(id, table, file.length)
        expect(await put(session, `bytes */${file.length}`)).toEqual({ status: 308, range: null })
        const first = await put(session, `bytes 0-${part - 1}/${file.length}`, file.subarray(0, part))
        expect(first).toEqual({ status: 308, range: `bytes=0-${part - 1}` })
        expect(await put(session, `bytes */${file.length}`)).toEqual(first)
        expect((await on.server.call('GET', `/${project}/jobs/${id}`)).status).toBe(404)
        const last = await put(session, `bytes ${part}-${file.length - 1}/${file.length}`, file.subarray(part))
        expect(last.status).toBe(200)
        expect(await finished(id)).toMatchObject({ statistics: { load: { outputRows: '100' } } })
        expect(await counted(table)).toEqual([['100', '100', '4950']])
      })
    })

    test('by our own upload is one job of the id that it was given, and its file is in the table once', async () => {
      const table = await emptyTable()
      await onFile(rows(10), async path => {
        const { api, jobs, token } = await processOn(on.server.url)
        const id = `etl-stage-${token}`
        await jobs.finished(await upload(api, id, { load: loadInto(table) }, path, () => {}))
        await expect(upload(api, id, { load: loadInto(table) }, path, () => {})).rejects.toMatchObject({ status: 409 })
        expect(await counted(table)).toEqual([['10', '10', '45']])
      })
    })

    test('into a table that is not there fails, where it may not make it', async () => {
      const table = { ...(await emptyTable()), table: 'none' }
      await onFile(rows(1), async path => {
        const { token } = await processOn(on.server.url)
        await multipart(`etl-stage-${token}`, table, path)
        expect(await finished(`etl-stage-${token}`)).toMatchObject({ status: { errorResult: { reason: 'notFound' } } })
      })
    })

    test('of a NULL in a required column fails, and leaves nothing', async () => {
      const { runs } = await freshTarget(on.server)
      const table = { ...runs, table: 'strict' }
      await sql(on.server, `CREATE TABLE \`${project}.${runs.dataset}.strict\` (dato DATE, env STRING, n INT64 NOT NULL)`)
      await onFile([...rows(3), { dato: '2024-01-01', env: 'x', n: null }], async path => {
        const { token } = await processOn(on.server.url)
        await multipart(`etl-stage-${token}`, table, path, { ...loadInto(table), schema: undefined })
        expect(await finished(`etl-stage-${token}`)).toMatchObject({ status: { errorResult: expect.anything() } })
        expect(await counted(table)).toEqual([['0', '0', null]])
      })
    })
  })

  describe('a stage', () => {
    test('filled again in one attempt starts from nothing; dropped twice is gone', async () => {
      const tables = await freshTarget(on.server)
      const first = await staged(on.adapter, tables, Out.columns, rows(2), 'aaaaaa')
      const second = await staged(on.adapter, tables, Out.columns, rows(2), 'aaaaaa')
      expect(second.table).not.toEqual(first.table)
      expect(second).toMatchObject({ rows: 2, contentHash: first.contentHash })
      await on.adapter.warehouse.drop(first.table)
      await on.adapter.warehouse.drop(first.table)
      await expect(counted(first.table)).rejects.toThrow('Not found')
    })

    test('is filled by a query as well', async () => {
      const tables = await freshTarget(on.server)
      const text = "SELECT DATE '2024-01-01' AS dato, env, 7 AS n FROM UNNEST(['dev', 'prod']) AS env"
      const stage = await on.adapter.warehouse.stage(tables, Out.columns, { kind: 'query', sql: text }, 'aaaaaa')
      expect(stage).toMatchObject({ rows: 2 })
      expect(await counted(stage.table)).toEqual([['2', '2', '14']])
    })
  })

  async function emptyTable(): Promise<TableRef> {
    const { runs } = await freshTarget(on.server)
    await sql(on.server, `CREATE TABLE \`${project}.${runs.dataset}.loaded\` (dato DATE, env STRING, n INT64)`)
    return { ...runs, table: 'loaded' }
  }

  function counted({ dataset, table }: TableRef) {
    return sql(on.server, `SELECT COUNT(*), COUNT(DISTINCT env), SUM(n) FROM \`${project}.${dataset}.${table}\``)
  }

  async function multipart(id: string, table: TableRef, path: string, load: object = loadInto(table)) {
    const boundary = 'the-boundary'
    const head = `--${boundary}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(jobOf(id, load))}\r\n--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`
    const body = Buffer.concat([Buffer.from(head), await readFile(path), Buffer.from(`\r\n--${boundary}--`)])
    const headers = { 'content-type': `multipart/related; boundary=${boundary}` }
    const answer = await fetch(uploads('multipart'), { method: 'POST', headers, body })
    return { status: answer.status, body: await answer.json() }
  }

  async function begin(id: string, table: TableRef, size: number): Promise<string> {
    const headers = { 'content-type': 'application/json', 'x-upload-content-length': String(size) }
    const body = JSON.stringify(jobOf(id, loadInto(table)))
    const answer = await fetch(uploads('resumable'), { method: 'POST', headers, body })
    return answer.headers.get('location') as string
  }

  async function finished(id: string): Promise<Record<string, unknown>> {
    const { jobs } = await processOn(on.server.url)
    const job = await jobs.find(id)
    return (job === undefined ? {} : await jobs.finished(job)) as Record<string, unknown>
  }

  function uploads(type: string): string {
    return `${on.server.url}/upload/bigquery/v2/projects/${project}/jobs?uploadType=${type}`
  }
}

async function put(session: string, range: string, body: Uint8Array<ArrayBuffer> = new Uint8Array()) {
  const answer = await fetch(session, { method: 'PUT', headers: { 'content-range': range }, body, redirect: 'manual' })
  return { status: answer.status, range: answer.headers.get('range') }
}

function jobOf(id: string, load: object): object {
  return { jobReference: { projectId: project, jobId: id, location: 'europe-north1' }, configuration: { load } }
}

function loadInto({ dataset, table }: TableRef): object {
  return {
    sourceFormat: 'PARQUET',
    destinationTable: { projectId: project, datasetId: dataset, tableId: table },
    createDisposition: 'CREATE_NEVER',
    writeDisposition: 'WRITE_APPEND',
  }
}

/** Rows as a Parquet file of our spool, for the time of the work. */
async function onFile(values: readonly AnyRow[], work: (path: string) => Promise<void>): Promise<void> {
  const columns = Out.columns.map(column => ({ ...column, mode: 'NULLABLE' as const }))
  const writer = await createSpool({ directory: tmpdir() }).open(columns)
  try {
    await writer.write(values)
    const { files } = await writer.finish()
    await work(files[0] as string)
  } finally {
    await writer.discard()
  }
}

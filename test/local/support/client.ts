import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { BigQuery, type Job } from '@google-cloud/bigquery'
import { PassThroughClient } from 'google-auth-library'

/** Google's own client on a local server. */
export function client(url: string, projectId = 'p'): BigQuery {
  return new BigQuery({ projectId, apiEndpoint: url, authClient: new PassThroughClient() })
}

// biome-ignore lint/suspicious/noExplicitAny: the tests look at what a server answers; the compiler knows nothing of it.
export type Answered = any

export type Reply = { readonly status: number; readonly headers: Headers; readonly body: Answered }

/** One plain HTTP call. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(typeof body === 'object' ? { 'Content-Type': 'application/json' } : {}), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined }
}

/** Writes a Parquet file with the rows of a DuckDB query. */
export async function parquet(dir: string, sql: string): Promise<string> {
  const path = join(dir, `${createHash('sha1').update(sql).digest('hex')}.parquet`)
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  return path
}

/** Writes a text file. */
export function file(dir: string, name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

/** Loads a file and waits for the end; gives the job's metadata, failed or not. */
export async function load(
  bigquery: BigQuery,
  dataset: string,
  table: string,
  path: string,
  options: object = {},
): Promise<Answered> {
  const [job] = await bigquery
    .dataset(dataset)
    .table(table)
    .createLoadJob(path, { sourceFormat: 'PARQUET', ...options })
  return ended(bigquery.job(job.id ?? ''))
}

/** The job's metadata once it is done. */
export async function ended(job: Job): Promise<Answered> {
  for (;;) {
    const [metadata] = await job.getMetadata()
    if (metadata.status.state === 'DONE') return metadata
    await new Promise(later => setTimeout(later, 20))
  }
}

/** What a call is refused with: its code, its reason and its message. */
export async function refusal(promise: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> {
  try {
    await promise
  } catch (error) {
    const { code, errors, message } = error as { code: number; message: string; errors?: { reason: string }[] }
    return { code, reason: errors?.[0]?.reason ?? '', message }
  }
  throw new Error('The call was expected to be refused, but it went through.')
}

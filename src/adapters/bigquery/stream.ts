import type { AnyRow, Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import type { Page } from '../../ports/reader.ts'
import type { Api } from './api.ts'
import { decoder, type RawRow } from './decode.ts'
import type { Job, Jobs } from './jobs.ts'
import { queryConfiguration } from './query.ts'
import { rawPages } from './rows.ts'
import { loadStorage, storageRows } from './storage.ts'

/** A query whose rows are read, however many they are. */
export type Reading = {
  readonly sql: string
  /** The job's, before it is made unique. */
  readonly name: string
  /** For sentences. */
  readonly what: string
  readonly columns: readonly Column[]
  /** The query orders its rows, and somebody relies on it. */
  readonly ordered: boolean
  /** Declared large: worth a read by the Storage Read API. */
  readonly large: boolean
  /** What it may be billed for; null is no limit. */
  readonly maxBytes: number | null
}

/**
 * Runs a query and gives its rows, by the Storage Read API where that is worth it and may be had, else page by page. Ends soon after `signal` aborts, also
 * while the query runs. `told` hears which way a large one goes and why. Throws EtlError.
 */
export async function* streamed(
  api: Api,
  jobs: Jobs,
  reading: Reading,
  signal: AbortSignal,
  told: (way: string) => void = () => {},
): AsyncGenerator<Page> {
  const running = ran(jobs, reading, signal)
  // The query's time is the processor's to load what its answer may be read with.
  if (reading.large && api.storage !== undefined) await Promise.allSettled([running, loadStorage()])
  const job = await running
  if (job === undefined) return
  const id = job.jobReference.jobId
  if (reading.large) {
    const rows = await storageRows(api, jobs, id, reading, signal, told)
    if (rows !== undefined) return yield* rows
  }
  const decode = decoder(reading.columns)
  for await (const page of rawPages(api, id, reading.what, signal)) yield decodedPage(page, decode, reading.columns)
}

/** The pages of a query's answer as they come, nothing decoded: what a read costs at least. */
export async function* scanned(api: Api, jobs: Jobs, reading: Reading, signal: AbortSignal): AsyncGenerator<readonly RawRow[]> {
  const job = await ran(jobs, reading, signal)
  if (job !== undefined) yield* rawPages(api, job.jobReference.jobId, reading.what, signal)
}

/** undefined if it was told to stop. */
async function ran(jobs: Jobs, { name, sql, what, maxBytes }: Reading, signal: AbortSignal): Promise<Job | undefined> {
  try {
    const job = await jobs.run(name, queryConfiguration(sql, [], maxBytes), what, signal)
    return signal.aborted ? undefined : job
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

function decodedPage(page: readonly RawRow[], decode: (row: RawRow) => AnyRow, columns: readonly Column[]): readonly AnyRow[] {
  try {
    return page.map(decode)
  } catch (cause) {
    throw new EtlError('bug', `BigQuery's answer does not have the columns ${columns.map(column => column.name).join(', ')}.`, {
      cause,
    })
  }
}

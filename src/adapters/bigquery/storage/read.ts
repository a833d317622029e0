import { setImmediate } from 'node:timers/promises'
import type { Column } from '../../../domain/column.ts'
import { EtlError } from '../../../domain/error.ts'
import type { Page } from '../../../ports/reader.ts'
import { type Api, failed, pause } from '../api.ts'
import { failureOf } from '../errors.ts'
import { arrowBatch, arrowSchema } from './arrow.ts'
import type { StorageClient } from './client.ts'
import { merged } from './merged.ts'
import { rowReader } from './vectors.ts'

/** A table to be read, `projects/p/datasets/d/tables/t`. `ordered`: in the order in which its rows lie, which one stream alone keeps. */
export type StorageRequest = { readonly table: string; readonly columns: readonly Column[]; readonly ordered: boolean }

type RowsOf = ReturnType<typeof rowReader>

/** A session whose schema we understand; only its rows are missing. */
export type OpenSession = { readonly streams: readonly string[]; readonly rowsOf: RowsOf }

/** Streams that are read side by side: enough to hide the way to the service; decoding is one thread's work. */
const streamsAtOnce = 2

/** Rows a page, at most: a batch may have many more, but what is alive at once is copied by every collection of the young generation. */
const pageRows = 1_024
/** After so many rows the connection is looked at, of which a turn takes 64 KiB. */
const rowsATurn = 4_096

/** Opens a session. Throws a `Failure`, or RangeError for columns in a form that we don't know. */
export async function openSession(
  client: StorageClient,
  { table, columns, ordered }: StorageRequest,
  signal: AbortSignal,
): Promise<OpenSession> {
  const names = columns.map(column => column.name)
  const { schema, streams } = await client.createSession(table, names, ordered ? 1 : streamsAtOnce, signal)
  return {
    streams,
    rowsOf: streams.length === 0 ? () => ({ rows: () => [], isTyped: () => true }) : rowReader(columns, arrowSchema(schema)),
  }
}

/**
 * All rows of a session. A stream that breaks is taken up where it broke, each time with all tries of the policy. Ends early when `signal` aborts.
 * @throws EtlError.
 */
export async function* sessionRows(
  api: Api,
  client: StorageClient,
  { streams, rowsOf }: OpenSession,
  what: string,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const own = new AbortController()
  const either = AbortSignal.any([signal, own.signal])
  yield* merged(
    streams.map(stream => streamRows(api, client, stream, rowsOf, what, either)),
    () => own.abort(),
  )
}

async function* streamRows(
  api: Api,
  client: StorageClient,
  stream: string,
  rowsOf: RowsOf,
  what: string,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  let [offset, since] = [0, 0]
  for (let tried = 1; ; tried++) {
    try {
      for await (const { bytes, rows } of client.readRows(stream, offset, signal)) {
        for (const page of pagesOf(rowsOf, bytes, rows, what)) {
          yield page
          // Where pages are only decoded and looked at the event loop never has a turn, in which more could arrive.
          since += page.length
          if (since < rowsATurn) continue
          since = 0
          await setImmediate()
        }
        offset += rows
        tried = 1
      }
      return
    } catch (error) {
      if (signal.aborted) return
      const failure = failureOf(error)
      if (!failure.passing || tried >= api.policy.request.tries) throw failed(api, failure, what)
      await pause(api.policy, api.clock, tried, signal)
    }
  }
}

function* pagesOf(rowsOf: RowsOf, bytes: Uint8Array, rows: number, what: string): Generator<Page> {
  try {
    const batch = rowsOf(arrowBatch(bytes))
    for (let from = 0; from < rows; from += pageRows) {
      const page = batch.rows(from, Math.min(from + pageRows, rows))
      yield batch.isTyped() ? Object.assign(page, { isTyped: true } as const) : page
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new EtlError('bug', `${what}: a record batch could not be decoded.`, { cause })
  }
}

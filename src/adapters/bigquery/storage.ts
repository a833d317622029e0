import type { Column } from '../../domain/column.ts'
import type { Page } from '../../ports/reader.ts'
import { type Api, failed } from './api.ts'
import { Failure, failureOf } from './errors.ts'
import type { Jobs } from './jobs.ts'
import { fetchPage } from './rows.ts'
import type { StorageClient } from './storage/client.ts'

/** So many rows are worth a session of the Storage Read API; fewer are some pages, which come as soon. */
export const worthRows = 100_000

type Answer = { readonly what: string; readonly columns: readonly Column[]; readonly ordered: boolean }

/**
 * The rows of a finished query by the Storage Read API: its anonymous table, which lies there for a day (BigQuery: Writing query results, 'Temporary
 * tables'), the very values that the pages have. undefined where there are too few rows for it, and where it can't be had: `told` hears why.
 * Throws EtlError.
 */
export async function storageRows(
  api: Api,
  jobs: Jobs,
  id: string,
  answer: Answer,
  signal: AbortSignal,
  told: (way: string) => void,
): Promise<AsyncGenerator<Page> | undefined> {
  const table = await answerTable(api, jobs, id, answer.what, signal)
  if (table === undefined) return undefined
  if (api.storage === undefined) {
    told(`${pages}: this emulator has no Storage Read API`)
    return undefined
  }
  const [{ openStorage }, { openSession, sessionRows }] = await loadStorage()
  const client = openStorage(api, api.storage)
  try {
    const session = await openSession(client, { table, ...answer }, signal)
    const streams = session.streams.length === 1 ? '1 stream' : `${session.streams.length} streams`
    told(`the Storage Read API, ${streams}`)
    return closing(client, sessionRows(api, client, session, answer.what, signal))
  } catch (error) {
    client.close()
    if (!signal.aborted) told(`${pages}: the Storage Read API ${refusal(error)}`)
    return undefined
  }
}

/** Loads gRPC and the decoder, which most runs never need. */
export function loadStorage() {
  return Promise.all([import('./storage/client.ts'), import('./storage/read.ts')])
}

const pages = 'pages of the REST API'

/** The path of the table that has the answer; undefined for a small answer. */
async function answerTable(api: Api, jobs: Jobs, id: string, what: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { totalRows } = await fetchPage(api, id, undefined, 'repeat', signal, 0)
    if (Number(totalRows ?? 0) < worthRows) return undefined
    const query = (await jobs.find(id))?.configuration?.query as { destinationTable?: Record<string, string> } | undefined
    const { projectId, datasetId, tableId } = query?.destinationTable ?? {}
    return tableId === undefined ? undefined : `projects/${projectId}/datasets/${datasetId}/tables/${tableId}`
  } catch (error) {
    if (signal.aborted) return undefined
    throw failed(api, error, what, id)
  }
}

/** Why not, behind "the Storage Read API": whatever it is, the pages have the same rows. Nothing that isn't a refusal or our own gap gets here unthrown. */
function refusal(error: unknown): string {
  if (error instanceof RangeError) return `sends a column in a form that is unknown here (${error.message})`
  const failure = error instanceof Failure ? error : failureOf(error)
  if (failure.status === 403)
    return 'may not be used by this service account: it lacks roles/bigquery.readSessionUser, which the manifest of a pipeline with a large source asks for; deploy it'
  if (failure.status === 501) return 'is not served there'
  return `made no session (${failure.reason})`
}

async function* closing<T>(client: StorageClient, rows: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* rows
  } finally {
    client.close()
  }
}

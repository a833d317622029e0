import { type Api, failed } from './api.ts'
import type { RawRow } from './decode.ts'
import type { Field } from './types.ts'

/** A page of a query's answer as it came. */
export type RawPage = {
  readonly jobReference?: { readonly jobId?: string }
  readonly jobComplete: boolean
  readonly schema?: { readonly fields?: readonly Field[] }
  readonly rows?: readonly RawRow[]
  readonly pageToken?: string
  readonly totalRows?: string
}

/** Rows of a small answer's page, and of a large one's first, which tells how long the rows are. The service itself ends a page at 10 to 20 MB. */
const pageRows = 10_000
const firstRows = 1000

/** About so many bytes of text a large answer's page has; one page and the next are in memory at a time, as objects of several times that. */
const pageBytes = 2_000_000

/**
 * The pages of a finished query's answer, nothing decoded, as many rows in each as the last one's make `pageBytes`. The next page is fetched while the
 * current one is worked on.
 * Timestamps are whole microseconds. Whoever stops reading ends the fetching too. Throws EtlError.
 */
export async function* rawPages(api: Api, job: string, what: string, signal?: AbortSignal): AsyncGenerator<readonly RawRow[]> {
  // Of this read alone: the page that is fetched ahead, with its tries, would keep the process alive for nobody.
  const own = new AbortController()
  const either = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal])
  try {
    let next: Promise<RawPage> | undefined = fetchPage(api, job, undefined, 'repeat', either, firstRows)
    next.catch(() => {})
    while (next !== undefined) {
      let page: RawPage
      try {
        page = await next
      } catch (error) {
        if (signal?.aborted) return
        throw failed(api, error, what, job)
      }
      const token = page.pageToken
      next = token === undefined ? undefined : fetchPage(api, job, token, 'repeat', either, fitting(page.rows ?? []))
      // Looked at in the next turn; until then a failure must not count as unhandled.
      next?.catch(() => {})
      if (signal?.aborted) return
      if (page.rows !== undefined) yield page.rows
    }
  } finally {
    own.abort()
  }
}

/** How many rows like these make a page: the length of some of them, evenly taken, tells that of all. */
function fitting(rows: readonly RawRow[]): number {
  const step = Math.max(1, Math.floor(rows.length / 32))
  let [bytes, looked] = [0, 0]
  for (let index = 0; index < rows.length; index += step) {
    bytes += JSON.stringify(rows[index]).length
    looked += 1
  }
  return looked === 0 ? firstRows : Math.min(Math.max(Math.floor((pageBytes * looked) / bytes), 1), 100_000)
}

/** The whole answer that begins with this page, with its columns; where the query was not done yet, once it is. For small answers. Throws a `Failure`. */
export async function allPages(
  api: Api,
  first: RawPage,
  signal?: AbortSignal,
): Promise<{ fields: readonly Field[]; rows: readonly RawRow[] }> {
  let page = first
  const job = page.jobReference?.jobId ?? ''
  while (!page.jobComplete) page = await fetchPage(api, job, undefined, 'repeat', signal)
  const fields = page.schema?.fields ?? []
  const rows = [...(page.rows ?? [])]
  while (page.pageToken !== undefined) {
    page = await fetchPage(api, job, page.pageToken, 'repeat', signal)
    rows.push(...(page.rows ?? []))
  }
  return { fields, rows }
}

/** How every page is asked for: the service holds its answer until the query is done, or for so long. */
export function pageOptions(api: Api): Readonly<Record<string, unknown>> {
  return { maxResults: pageRows, timeoutMs: Math.round(api.policy.poll.hang), formatOptions: { useInt64Timestamp: true } }
}

/** One page of a job's answer. Throws a `Failure`. */
export function fetchPage(
  api: Api,
  job: string,
  pageToken: string | undefined,
  tries: 'once' | 'repeat',
  signal?: AbortSignal,
  rows = pageRows,
): Promise<RawPage> {
  return api[tries]<RawPage>({
    path: `${api.project}/queries/${job}`,
    query: {
      location: api.location,
      maxResults: rows,
      pageToken,
      prettyPrint: false,
      timeoutMs: Math.round(api.policy.poll.hang),
      'formatOptions.useInt64Timestamp': true,
    },
    ...(signal === undefined ? {} : { signal }),
  })
}

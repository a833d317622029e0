import { setImmediate } from 'node:timers/promises'
import { type Api, failed } from './api.ts'
import type { RawRow } from './decode.ts'
import { pageOf, type RawPage, type TextPage } from './page.ts'
import type { Field } from './types.ts'

/** Rows of a small answer's page, and of a large one's first, which tells how long the rows are. The service itself ends a page at 10 to 20 MB. */
const pageRows = 10_000
const firstRows = 1000

/** About so many bytes of text a large answer's page has; one page and the next are in memory at a time. */
const pageBytes = 8_000_000

/**
 * The rows of a finished query's answer, nothing decoded, part by part of its pages; a page has as many rows as the last one's length says make `pageBytes`.
 * The next page is fetched while the current one is worked on.
 * Timestamps are whole microseconds. Whoever stops reading ends the fetching too. Throws EtlError.
 */
export async function* rawPages(api: Api, job: string, what: string, signal?: AbortSignal): AsyncGenerator<readonly RawRow[]> {
  // Of this read alone: the page that is fetched ahead, with its tries, would keep the process alive for nobody.
  const own = new AbortController()
  const either = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal])
  const fetched = async (pageToken: string | undefined, rows: number) =>
    pageOf(await api.repeat<string>({ ...pageCall(api, job, pageToken, rows), as: 'text', signal: either }))
  try {
    let next: Promise<TextPage> | undefined = fetched(undefined, firstRows)
    next.catch(() => {})
    while (next !== undefined) {
      let page: TextPage
      try {
        page = await next
      } catch (error) {
        if (signal?.aborted) return
        throw failed(api, error, what, job)
      }
      const token = page.head.pageToken
      next = token === undefined ? undefined : fetched(token, fitting(page))
      // Looked at in the next turn; until then a failure must not count as unhandled.
      next?.catch(() => {})
      for (const rows of page.parts()) {
        if (signal?.aborted) return
        yield rows
        // Where rows are only decoded and looked at the event loop never has a turn, in which the next page could arrive.
        await setImmediate()
      }
    }
  } finally {
    own.abort()
  }
}

/** How many rows like these make a page. */
function fitting({ count, length }: TextPage): number {
  return count === 0 ? firstRows : Math.min(Math.max(Math.floor((pageBytes * count) / length), 1), 100_000)
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
  return api[tries]<RawPage>({ ...pageCall(api, job, pageToken, rows), ...(signal === undefined ? {} : { signal }) })
}

function pageCall(api: Api, job: string, pageToken: string | undefined, rows: number) {
  return {
    path: `${api.project}/queries/${job}`,
    query: {
      location: api.location,
      maxResults: rows,
      pageToken,
      prettyPrint: false,
      timeoutMs: Math.round(api.policy.poll.hang),
      'formatOptions.useInt64Timestamp': true,
    },
  }
}

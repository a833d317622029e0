import { jitter, type Policy } from '../../domain/policy.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Failure, failureOf, toEtlError } from './errors.ts'

/** How to reach BigQuery. */
export type Options = {
  /** The project that runs and pays for the jobs. */
  readonly project: string
  /** Where every job runs; the datasets must lie there. */
  readonly location: string
  readonly clock: Clock
  /** Address of an emulator, such as `http://127.0.0.1:9050`; then no credentials are looked for or sent. */
  readonly endpoint?: string | undefined
  /** Where that emulator answers the Storage Read API, such as `127.0.0.1:9060`; undefined if it doesn't. */
  readonly storage?: string | undefined
  /** Every wait between two tries. */
  readonly policy: Policy
}

/** One call of the REST API; the path starts behind `projects/`. */
type Call = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** The answer as its text, not parsed. */
  readonly as?: 'text'
  readonly signal?: AbortSignal
}

/** An answer of the REST API, with its headers: what an upload needs. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly data: unknown }

/** BigQuery's REST API through Google's client library: its credentials, its address, none of its retries. */
export type Api = {
  readonly project: string
  readonly location: string
  readonly clock: Clock
  readonly policy: Policy
  /** The address, for sentences. */
  readonly address: string
  /** True for an emulator: it has no console. */
  readonly local: boolean
  /** One try. Throws a `Failure`. */
  once<T>(call: Call): Promise<T>
  /** A call that may be repeated: tried again while the failure is a passing one. Throws a `Failure`. */
  repeat<T>(call: Call): Promise<T>
  /** Where the Storage Read API answers, `host:port`; undefined for an emulator that has none. */
  readonly storage: string | undefined
  /** The headers that say who asks. Throws where there are no credentials. */
  authorization(): Promise<Iterable<readonly [string, string]>>
  /** One try of an upload's part: any status is an answer. Throws a `Failure` where there is none. */
  send(url: string, method: 'POST' | 'PUT', headers: Record<string, string>, body: string | Uint8Array): Promise<Answer>
}

/** Opens the API. The client is loaded here, so that a run that needs no BigQuery never loads it. */
export async function openApi(options: Options): Promise<Api> {
  const { BigQuery } = await import('@google-cloud/bigquery')
  const { PassThroughClient } = await import('google-auth-library')
  const { project, location, clock, policy, endpoint } = options
  const local = endpoint !== undefined
  const address = (endpoint ?? 'https://bigquery.googleapis.com').replace(/\/$/, '')
  const client = new BigQuery({
    projectId: project,
    location,
    ...(local ? { apiEndpoint: address, authClient: new PassThroughClient() } : {}),
  })
  // One request of the library's transport. Not BigQuery#request: it deep-copies every answer, which halves the rate of reading rows.
  const request = async (
    url: string,
    init: { method: string; headers?: Record<string, string>; body?: string | Uint8Array; as?: 'text'; signal?: AbortSignal },
    anyStatus = false,
  ) => {
    try {
      const { signal, body, as = 'json', ...rest } = init
      signal?.throwIfAborted()
      const sent = client.authClient.request({
        url,
        ...rest,
        // With a body the transport must not see the signal: it destroys the body of a request that it has not begun, where nobody listens.
        ...(body === undefined ? { ...(signal === undefined ? {} : { signal }) } : { body: body as never }),
        retry: false,
        redirect: 'manual',
        timeout: 180_000,
        responseType: as,
        ...(anyStatus ? { validateStatus: () => true } : {}),
      })
      const answer = await (signal === undefined ? sent : untilAborted(sent, signal))
      return { status: answer.status, headers: answer.headers as Headers, data: answer.data as unknown }
    } catch (error) {
      throw failureOf(error, local)
    }
  }
  const once = async <T>({ method = 'GET', path, query = {}, body, as, signal }: Call): Promise<T> => {
    const parameters = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    )
    const search = parameters.length === 0 ? '' : `?${new URLSearchParams(parameters)}`
    const { data } = await request(`${address}/bigquery/v2/projects/${path}${search}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      ...(as === undefined ? {} : { as }),
      ...(signal === undefined ? {} : { signal }),
    })
    return data as T
  }
  return {
    project,
    location,
    clock,
    policy,
    address,
    local,
    storage: local ? options.storage : 'bigquerystorage.googleapis.com:443',
    authorization: async () => client.authClient.getRequestHeaders('https://bigquerystorage.googleapis.com/'),
    once,
    repeat: call => repeated(policy, clock, () => once(call), call.signal),
    send: (url, method, headers, body) => request(url, { method, headers, body }, true),
  }
}

/** Stops waiting when told to; what was asked may go on. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
    work.catch(() => undefined)
  }
}

/** Tries again while the failure is a passing one and nobody has said stop. */
export async function repeated<T>(policy: Policy, clock: Clock, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await work()
    } catch (error) {
      const failure = failureOf(error)
      if (!failure.passing || number >= policy.request.tries || signal?.aborted) throw failure
      await pause(policy, clock, number, signal)
    }
  }
}

/** Waits after try number `tried`, the first being 1. */
export function pause(policy: Policy, clock: Clock, tried: number, signal?: AbortSignal): Promise<void> {
  return clock.sleep(jitter(policy.request, tried - 1, Math.random()), signal)
}

/** A failure of the API as an error of ours. */
export function failed(api: Api, error: unknown, what: string, job?: string): Error {
  const failure: Failure = failureOf(error)
  return toEtlError(failure, { what, address: api.address, ...(job === undefined ? {} : { job, console: consoleUrl(api, job) }) })
}

function consoleUrl(api: Api, job: string): string | undefined {
  return api.local
    ? undefined
    : `https://console.cloud.google.com/bigquery?project=${api.project}&j=bq:${api.location}:${job}&page=queryresults`
}

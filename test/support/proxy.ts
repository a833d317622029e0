import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** A request as it came in. */
export type Request = {
  /** 1, 2, …: in the order in which they came. */
  readonly number: number
  readonly method: string
  /** Without the query, such as /bigquery/v2/projects/p/jobs. */
  readonly path: string
  readonly query: URLSearchParams
  /** The body, where it is JSON. */
  readonly json: unknown
  /** The id of the job that it is about: of the path or the body, or a query's requestId. */
  readonly job: string | undefined
}

/** Milliseconds to wait, or what to wait for: a hook may kill the client, or hold the request as long as it likes. */
type Wait = number | (() => unknown)

/**
 * What becomes of a request.
 * - `pass`: forwarded, and the answer given back.
 * - `dropAnswer`, `unavailableAfter`: forwarded and carried out; then the connection is cut, or the answer is 503.
 * - `cutBefore`, `unavailable`, `notFound`, `denied`: not forwarded; the connection is cut, or the answer is 503, or 404 as of something that can't be seen yet, or 403 as of a table that may not be
 *   read.
 *
 * `before` comes before it is forwarded; a JSON request whose client dies meanwhile is forwarded all the same, late, as a network may do it.
 * `after` comes when the server has answered and before the client hears of it.
 */
export type Fate = {
  readonly kind: 'pass' | 'dropAnswer' | 'unavailable' | 'unavailableAfter' | 'cutBefore' | 'notFound' | 'denied'
  readonly before?: Wait
  readonly after?: Wait
}

/** A request with what became of it; `status` is what the server said, absent where it was not asked or did not answer. */
type Seen = Request & { readonly fate: Fate['kind']; status?: number }

/** A proxy in front of a BigQuery server. */
export type FaultProxy = {
  readonly url: string
  /** Everything that came in, in order: its length is the number of API calls. */
  readonly seen: readonly Seen[]
  /** Waits until nothing is on its way any more: a request that is held for a client that has gone, too. */
  idle(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts an HTTP proxy on loopback in front of `target` (`http://host:port`). `decide` says what becomes of each request, `pass` if it says nothing. Bodies
 * pass as they are, piece by piece; the address of a resumable upload is changed, so that its parts come through here too.
 */
export async function startProxy(
  target: string,
  decide: (request: Request) => Fate | undefined | Promise<Fate | undefined> = () => undefined,
): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true })
  const seen: Seen[] = []
  const open = new Set<Promise<void>>()
  let [count, url] = [0, '']

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const number = ++count
    const isJson = /^application\/json/i.test(incoming.headers['content-type'] ?? '')
    const body = isJson ? await buffer(incoming) : undefined
    const asked = readRequest(number, incoming, body)
    const fate: Fate = (await decide(asked)) ?? { kind: 'pass' }
    const record: Seen = { ...asked, fate: fate.kind }
    seen.push(record)
    await wait(fate.before)
    if (fate.kind === 'cutBefore') return void incoming.socket.destroy()
    if (fate.kind === 'unavailable' || fate.kind === 'notFound' || fate.kind === 'denied') {
      // What was not read yet would be taken for the next request.
      incoming.resume()
      if (fate.kind === 'unavailable') return unavailable(outgoing)
      return fate.kind === 'denied'
        ? refuse(outgoing, 403, 'accessDenied', 'Access Denied: Table p:d.t: User does not have permission', 'PERMISSION_DENIED')
        : refuse(outgoing, 404, 'notFound', 'Not found: Job', 'NOT_FOUND')
    }
    const answer = await forward(incoming, body)
    if (answer.statusCode !== undefined) record.status = answer.statusCode
    if (fate.kind === 'pass' && fate.after === undefined) return reply(answer, outgoing)
    const content = await buffer(answer)
    await wait(fate.after)
    if (fate.kind === 'dropAnswer') return void incoming.socket.destroy()
    if (fate.kind === 'unavailableAfter') return unavailable(outgoing)
    reply(answer, outgoing, content)
  }

  const forward = (incoming: IncomingMessage, body: Buffer | undefined) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { ...incoming.headers, host: new URL(target).host }
      delete headers.connection
      const sent = httpRequest(new URL(incoming.url ?? '/', target), { method: incoming.method, headers, agent })
      sent.once('response', resolve).once('error', reject)
      if (body === undefined) pipeline(incoming, sent).catch(reject)
      else sent.end(body)
    })

  const reply = (answer: IncomingMessage, outgoing: ServerResponse, content?: Buffer): void => {
    const headers = { ...answer.headers }
    for (const name of ['connection', 'keep-alive', 'transfer-encoding']) delete headers[name]
    if (headers.location !== undefined) headers.location = here(headers.location, url)
    outgoing.writeHead(answer.statusCode ?? 502, headers)
    if (content !== undefined) outgoing.end(content)
    else pipeline(answer, outgoing).catch(() => outgoing.destroy())
  }

  const server = createServer((incoming, outgoing) => {
    // A client that is gone, or a server that is: the other side sees a cut connection, which is what a network shows.
    const handled: Promise<void> = handle(incoming, outgoing)
      .catch(() => void incoming.socket.destroy())
      .finally(() => open.delete(handled))
    open.add(handled)
  })
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    seen,
    async idle() {
      await Promise.all(open)
    },
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

function readRequest(number: number, incoming: IncomingMessage, body: Buffer | undefined): Request {
  const { pathname: path, searchParams: query } = new URL(incoming.url ?? '/', 'http://proxy')
  const json = body === undefined || body.length === 0 ? undefined : parsed(body.toString('utf8'))
  const { jobReference, requestId } = (json ?? {}) as { jobReference?: { jobId?: string }; requestId?: string }
  const job = /\/(?:jobs|queries)\/([^/]+)/.exec(path)?.[1] ?? jobReference?.jobId ?? requestId
  return { number, method: incoming.method ?? 'GET', path, query, json, job }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function wait(until: Wait | undefined): Promise<void> {
  if (typeof until === 'number') await new Promise(resolve => setTimeout(resolve, until))
  else await until?.()
}

/** The same address at the proxy. */
function here(location: string, url: string): string {
  const { pathname, search } = new URL(location, url)
  return `${url}${pathname}${search}`
}

/** BigQuery: Error messages, backendError. */
function unavailable(outgoing: ServerResponse): void {
  refuse(outgoing, 503, 'backendError', 'The service is currently unavailable.', 'UNAVAILABLE')
}

/** As Google's APIs answer. */
function refuse(outgoing: ServerResponse, code: number, reason: string, message: string, status: string): void {
  const errors = [{ reason, message, domain: 'global' }]
  outgoing.writeHead(code, { 'content-type': 'application/json' })
  outgoing.end(JSON.stringify({ error: { code, message, status, errors } }))
}

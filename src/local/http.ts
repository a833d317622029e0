import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { Answer, Call, Handler, Routes } from './call.ts'
import { BigQueryError } from './contract.ts'
import { errorAnswer } from './errors.ts'
import type { Fault } from './faults.ts'
import { type JsonObject, parseObject } from './json.ts'

/** Answers one HTTP request by the routes; `takeFault` may spoil it. */
export function createListener(routes: Routes, takeFault: (method: string, path: string) => Fault | undefined) {
  const compiled = Object.entries(routes).map(([route, handler]) => ({ ...compile(route), handler }))
  return async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      refuseBrowsers(incoming)
      const call = readCall(incoming)
      const fault = call.path.startsWith('/_local/') ? undefined : takeFault(call.method, call.path)
      if (fault?.kind === 'rateLimit')
        throw new BigQueryError('rateLimitExceeded', 'Exceeded rate limits: a fault asked for this.')
      if (fault?.kind === 'unavailable') throw new BigQueryError('backendError', 'Service unavailable: a fault asked for this.')
      const answer = await answerOf(compiled, call)
      if (fault?.kind === 'unavailableAfter') {
        throw new BigQueryError('backendError', 'Service unavailable after the request was carried out: a fault asked for this.')
      }
      if (fault?.kind === 'dropAnswer') incoming.socket.destroy()
      else send(response, answer)
    } catch (error) {
      send(response, errorAnswer(error))
    }
  }
}

/** There are no credentials here: a page in a browser on this machine must not reach the data, neither directly nor by a name that it points here. */
function refuseBrowsers({ headers }: IncomingMessage): void {
  const isLocal = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(headers.host ?? '')
  if (isLocal && headers.origin === undefined) return
  throw new BigQueryError(
    'accessDenied',
    'The local BigQuery answers programs on this machine only: no browsers, and no other host name than 127.0.0.1.',
  )
}

type Compiled = { readonly method: string; readonly pattern: RegExp; readonly handler: Handler }

async function answerOf(routes: readonly Compiled[], call: Call): Promise<Answer> {
  for (const { method, pattern, handler } of routes) {
    const match = method === call.method && pattern.exec(call.path)
    if (!match) continue
    const at = Object.entries(match.groups ?? {}).map(([name, value]) => [name, decoded(value)])
    return handler({ ...call, at: Object.fromEntries(at) })
  }
  throw new BigQueryError(
    'notImplemented',
    `The local BigQuery has no ${call.method} ${call.path}. It answers datasets, tables, tabledata.list, jobs, queries and uploads; nothing else of the API.`,
  )
}

function compile(route: string): { method: string; pattern: RegExp } {
  const [method = '', path = ''] = route.split(' ')
  return { method, pattern: new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`) }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new BigQueryError('invalid', `Invalid path: ${part}`)
  }
}

function readCall(incoming: IncomingMessage): Call {
  const url = new URL(`http://127.0.0.1${incoming.url ?? '/'}`)
  let body: Promise<JsonObject> | undefined
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname.replace(/^(\/upload)?\/bigquery\/v2\//, '$1/').replace(/^\/+/, '/'),
    at: {},
    query: url.searchParams,
    headers: incoming.headers,
    incoming,
    origin: `http://${incoming.headers.host ?? '127.0.0.1'}`,
    json: () => (body ??= readJson(incoming)),
  }
}

/** BigQuery: Quotas, 'Maximum request size': 10 MB. */
const maxRequestBytes = 10 * 1024 * 1024

async function readJson(incoming: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    size += chunk.length
    // What comes on is read and thrown away, so that the client gets the answer.
    if (size <= maxRequestBytes) chunks.push(chunk)
  }
  if (size > maxRequestBytes)
    throw new BigQueryError('invalid', `Request payload size exceeds the limit: ${maxRequestBytes} bytes.`)
  const sent = Buffer.concat(chunks)
  const plain = incoming.headers['content-encoding'] === 'gzip' && sent.length > 0 ? gunzipSync(sent) : sent
  return parseObject(plain.toString('utf8'))
}

function send(response: ServerResponse, answer: Answer): void {
  const pieces = answer.pieces ?? (answer.body ? [Buffer.from(JSON.stringify(answer.body))] : [])
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const type = length > 0 ? { 'Content-Type': 'application/json; charset=UTF-8' } : {}
  response.writeHead(answer.status ?? (length > 0 ? 200 : 204), { ...type, 'Content-Length': length, ...answer.headers })
  response.end(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))
}

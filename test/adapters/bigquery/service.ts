import { createServer, type IncomingMessage } from 'node:http'
import { afterEach } from 'vitest'
import { openApi } from '../../../src/adapters/bigquery/api.ts'
import { createJobs } from '../../../src/adapters/bigquery/jobs.ts'
import { clock } from '../../../src/adapters/clock.ts'
import { production, scaled } from '../../../src/domain/policy.ts'

/*
 * What the service may answer and the local server never does: its own failures. A page of answers in their order stands in for it.
 */
export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'cut' | 'hang'
export type Seen = { method: string; path: string; query: URLSearchParams; body: string; range: string | undefined }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A server that gives these answers; `jobs` are ours behind it. `ended` is called when a client leaves without an answer. */
export async function service(
  answers: (Answer | ((seen: Seen) => Answer))[],
  ended: (seen: Seen) => void = () => {},
  storage?: string,
) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const one = {
      method: request.method ?? '',
      path: (request.url ?? '').replace(/\?.*/, ''),
      query: new URL(request.url ?? '', 'http://service').searchParams,
      body: await bodyOf(request),
      range: request.headers['content-range'],
    }
    seen.push(one)
    const next = answers.shift() ?? { status: 500, body: { error: { message: 'no answer is left' } } }
    const answer = typeof next === 'function' ? next(one) : next
    if (answer === 'cut') return request.socket.destroy()
    if (answer === 'hang') return void response.once('close', () => ended(one))
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const address = server.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const api = await openApi({
    project: 'p',
    location: 'europe-north1',
    clock,
    policy: scaled(production, 0.002),
    endpoint,
    storage,
  })
  return { api, jobs: createJobs(api, 'abcdef'), seen, endpoint }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The id under which a job was submitted. */
export const idOf = (seen: Seen) => (JSON.parse(seen.body) as { jobReference: { jobId: string } }).jobReference.jobId
/** The answer that a job is done. */
export const done =
  (text = 'SELECT 1', errorResult?: object) =>
  (seen: Seen) => ({
    status: 200,
    body: {
      jobReference: { jobId: seen.method === 'POST' ? idOf(seen) : seen.path.split('/').at(-1) },
      configuration: { query: { query: text } },
      status: { state: 'DONE', ...(errorResult === undefined ? {} : { errorResult }) },
    },
  })
/** An error of the API. */
export const refused = (status: number, reason: string, message = reason): Answer => ({
  status,
  body: { error: { code: status, message, errors: [{ reason, message }] } },
})

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Fate, type FaultProxy, type Request, startProxy } from './support/proxy.ts'

// The server behind is a small one of the test's: it keeps what it got.
type Got = { readonly method: string; readonly url: string; readonly body: Buffer }
const got: Got[] = []
let fate: (request: Request) => Fate | undefined
let proxy: FaultProxy
const server = createServer(async (request, response) => {
  const body = await buffer(request)
  got.push({ method: request.method ?? '', url: request.url ?? '', body })
  if (request.url?.includes('uploadType') && request.method === 'POST') {
    response.setHeader('location', `http://${request.headers.host}/upload/bigquery/v2/projects/p/jobs?upload_id=7`)
  }
  response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'text/plain' })
  response.end(body)
})

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await startProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, request => fate(request))
})
beforeEach(() => {
  got.length = 0
  fate = () => undefined
})
afterAll(async () => {
  await proxy.close()
  server.close()
})
const post = (body: unknown) =>
  fetch(`${proxy.url}/bigquery/v2/projects/p/jobs?x=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('passes a request and its answer, and keeps what it saw', async () => {
  const before = proxy.seen.length
  const answer = await post({ jobReference: { jobId: 'etl-publish-1' } })
  expect(await answer.json()).toEqual({ jobReference: { jobId: 'etl-publish-1' } })
  expect(got.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /bigquery/v2/projects/p/jobs?x=1'])
  expect(proxy.seen.slice(before)).toMatchObject([
    { method: 'POST', path: '/bigquery/v2/projects/p/jobs', job: 'etl-publish-1', fate: 'pass', status: 200 },
  ])
})

test('binary bodies arrive byte by byte, both ways', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 256))
  const answer = await fetch(`${proxy.url}/upload/x`, { method: 'PUT', body: bytes })
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true)
  expect(got[0]?.body.equals(bytes)).toBe(true)
})

test('an upload goes on through the proxy', async () => {
  const answer = await fetch(`${proxy.url}/upload/bigquery/v2/projects/p/jobs?uploadType=resumable`, {
    method: 'POST',
    body: 'x',
  })
  expect(answer.headers.get('location')).toBe(`${proxy.url}/upload/bigquery/v2/projects/p/jobs?upload_id=7`)
})

test.each(['dropAnswer', 'unavailableAfter'] as const)('%s: carried out, and the client does not hear of it', async kind => {
  fate = () => ({ kind })
  const answer = await post({ a: 1 }).catch(() => undefined)
  expect(answer?.status).toBe(kind === 'dropAnswer' ? undefined : 503)
  expect(got).toHaveLength(1)
})

test.each(['cutBefore', 'unavailable', 'notFound'] as const)('%s: not carried out', async kind => {
  fate = () => ({ kind })
  const answer = await post({ a: 1 }).catch(() => undefined)
  expect(answer?.status).toBe({ cutBefore: undefined, unavailable: 503, notFound: 404 }[kind])
  if (answer !== undefined)
    expect(await answer.json()).toMatchObject({ error: { errors: [{ reason: kind === 'notFound' ? kind : 'backendError' }] } })
  expect(got).toHaveLength(0)
})

test('hooks come before it is forwarded, and after it was carried out', async () => {
  const order: string[] = []
  fate = () => ({
    kind: 'pass',
    before: () => order.push(`before ${got.length}`),
    after: () => order.push(`after ${got.length}`),
  })
  expect((await post({})).status).toBe(200)
  expect(order).toEqual(['before 0', 'after 1'])
})

test('a request that is held is forwarded when it is let go, also for a client that has gone', async () => {
  const gate = Promise.withResolvers<void>()
  fate = () => ({ kind: 'pass', before: () => gate.promise })
  const gone = AbortSignal.timeout(50)
  const asked = fetch(`${proxy.url}/x`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    signal: gone,
  })
  await expect(asked).rejects.toThrow()
  expect(got).toHaveLength(0)
  gate.resolve()
  await expect.poll(() => got.length).toBe(1)
})

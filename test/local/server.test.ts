import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../../src/local/server.ts'
import { call } from './support/client.ts'
import { temporaryFolder } from './support/server.ts'

const folder = temporaryFolder()
let server: Server
beforeAll(async () => {
  server = await startServer({ port: 0, dir: folder.dir, faults: [{ kind: 'rateLimit', match: '/datasets$' }] })
})
afterAll(async () => {
  await server.close()
  folder.remove()
})

test('it listens on 127.0.0.1, on a port that the system chose, and says that it is well', async () => {
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
  expect((await call(server.url, 'GET', '/_local/health')).body).toEqual({ status: 'ok' })
})

test('faults can be given at the start', async () => {
  const answers = [await call(server.url, 'GET', '/projects/p/datasets'), await call(server.url, 'GET', '/projects/p/datasets')]
  expect(answers.map(answer => answer.status)).toEqual([403, 200])
})

test.each([
  ['//', 501],
  ['/projects/p/datasets/%E0%A4%A', 400],
  ['/projects/p/datasets/..%2F..', 404],
  ['/', 501],
])('a strange path (%s) is answered, and the server goes on', async (path, status) => {
  expect(await statusOf({ path })).toBe(status)
  expect((await call(server.url, 'GET', '/_local/health')).status).toBe(200)
})

test('a page in a browser can’t reach it: another host name and an origin are refused', async () => {
  expect(await statusOf({ headers: { host: 'evil.example' } })).toBe(403)
  expect(await statusOf({ headers: { origin: 'https://evil.example' } })).toBe(403)
  expect(await statusOf({ headers: { host: `localhost:${server.port}` } })).toBe(200)
})

test('a body that is no JSON object, and one that is too large, are refused', async () => {
  const post = async (body: string) => (await call(server.url, 'POST', '/projects/p/queries', body)).body.error
  expect((await post('{"query":')).message).toBe('Invalid JSON payload received. Unexpected token.')
  expect((await post('[1]')).message).toBe('Invalid value: The request body must be an object.')
  expect((await post(`{"query": "${'x'.repeat(11 << 20)}"}`)).message).toBe(
    'Request payload size exceeds the limit: 10485760 bytes.',
  )
})

/** The status of a GET, sent as it is: fetch would tidy the path and refuse the headers. */
function statusOf(options: { path?: string; headers?: Record<string, string> }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path: '/_local/health', ...options }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}

import { afterEach, beforeAll, expect, test } from 'vitest'
import { call, client } from './support/client.ts'
import { useServer } from './support/server.ts'

const server = useServer()
beforeAll(() => client(server.url).createDataset('d'))
afterEach(() => call(server.url, 'DELETE', '/_local/faults'))
const ask = (fault: object) => call(server.url, 'POST', '/_local/faults', fault)
const insert = (jobId: string) =>
  call(server.url, 'POST', '/projects/p/jobs', {
    jobReference: { jobId },
    configuration: { query: { query: 'SELECT 1', useLegacySql: false } },
  })
const isThere = async (jobId: string) => (await call(server.url, 'GET', `/projects/p/jobs/${jobId}`)).status === 200

test('an answer is dropped after the request was carried out, once', async () => {
  await ask({ kind: 'dropAnswer', method: 'POST', match: '/jobs$' })
  await expect(insert('dropped')).rejects.toThrow()
  expect(await isThere('dropped')).toBe(true)
  expect((await insert('dropped')).status).toBe(409)
})

test('503 comes after the request was carried out', async () => {
  await ask({ kind: 'unavailableAfter', match: '/jobs$' })
  const { status, body } = await insert('accepted')
  expect([status, body.error.errors[0].reason]).toEqual([503, 'backendError'])
  expect(await isThere('accepted')).toBe(true)
})

test('503 and rate limits come before anything is done, as often as asked', async () => {
  await ask({ kind: 'unavailable', match: '/jobs$' })
  await ask({ kind: 'rateLimit', match: '/jobs$', times: 2 })
  const answers = []
  for (const _ of [1, 2, 3]) answers.push(await insert('refused'))
  expect(answers.map(({ status, body }) => [status, body.error.errors[0].reason])).toEqual([
    [503, 'backendError'],
    [403, 'rateLimitExceeded'],
    [403, 'rateLimitExceeded'],
  ])
  expect(await isThere('refused')).toBe(false)
  expect((await insert('refused')).status).toBe(200)
})

test('Google’s client tries again after a 503 and gets through', async () => {
  await ask({ kind: 'unavailable', method: 'GET', match: '/datasets/d$' })
  expect((await client(server.url).dataset('d').getMetadata())[0].id).toBe('p:d')
})

test('a fault meets only what it names', async () => {
  await ask({ kind: 'unavailable', method: 'POST', match: '/queries$' })
  expect((await insert('passed')).status).toBe(200)
  expect((await call(server.url, 'GET', '/_local/faults')).body.faults).toEqual([
    { kind: 'unavailable', method: 'POST', match: '/queries$', left: 1 },
  ])
})

test('a commit is held until the faults are cleared', async () => {
  await client(server.url).dataset('d').createTable('t', { schema: 'n:INT64' })
  await ask({ kind: 'holdCommit' })
  const script = 'BEGIN TRANSACTION; INSERT INTO `p.d.t` (n) VALUES (1); COMMIT TRANSACTION;'
  const [job] = await client(server.url).createQueryJob(script)
  while ((await call(server.url, 'GET', '/_local/faults')).body.held === 0) await new Promise(later => setTimeout(later, 10))
  const count = async () => (await client(server.url).dataset('d').table('t').getMetadata())[0].numRows
  expect([await count(), (await job.getMetadata())[0].status.state]).toEqual(['0', 'RUNNING'])
  await call(server.url, 'DELETE', '/_local/faults')
  await job.getQueryResults()
  expect(await count()).toBe('1')
})

test('an unknown fault is refused', async () => {
  expect((await ask({ kind: 'earthquake' })).body.error.message).toMatch(/^A fault needs a kind, one of dropAnswer, /)
})

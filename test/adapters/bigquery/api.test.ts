import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openApi } from '../../../src/adapters/bigquery/api.ts'
import { findTable } from '../../../src/adapters/bigquery/tables.ts'
import { production } from '../../../src/domain/policy.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'credentials-'))
})
afterAll(() => rm(dir, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())

/** Where anything would wait, the test fails. */
const clock = {
  now: () => new Date(0),
  sleep: () => Promise.reject(new Error('nothing is to be waited for')),
}
const options = { project: 'p', location: 'europe-north1', clock, policy: production }
const table = (name: string) => ({ project: 'p', dataset: 'd', table: name })

describe('credentials that GOOGLE_APPLICATION_CREDENTIALS names', () => {
  test.each([
    ['are missing', 'missing.json', 'ENOENT'],
    ['are no JSON', 'broken.json', 'SyntaxError'],
  ])('and that %s are told at once, with the variable and without the path', async (_, name, reason) => {
    await writeFile(join(dir, 'broken.json'), 'secret')
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(dir, name))
    const api = await openApi(options)
    const error = await findTable(api, table('t')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      kind: 'denied',
      problem: `the file of Google credentials that GOOGLE_APPLICATION_CREDENTIALS names can't be read (${reason}).`,
      hint: expect.stringMatching(/^correct the variable/),
    })
    expect((error as Error).message).not.toMatch(/secret|credentials-/)
  })
})

test('an emulator at whose address nobody listens is told at once, without the table that was asked for first', async () => {
  const endpoint = await unusedAddress()
  const api = await openApi({ ...options, endpoint })
  const answers = await Promise.allSettled(['a', 'b', 'c'].map(name => findTable(api, table(name))))
  for (const answer of answers) {
    expect(answer).toMatchObject({
      reason: {
        kind: 'unavailable',
        problem: `BigQuery at ${endpoint} does not answer (ECONNREFUSED).`,
        hint: expect.stringContaining('Nobody listens there: start a local BigQuery (`npm run etl -- local`)'),
      },
    })
  }
})

/** A port that was free a moment ago. */
async function unusedAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

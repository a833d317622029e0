import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { createGoogleSql } from '../../src/googlesql/analyse.ts'
import { evaluate } from '../../src/googlesql/evaluate.ts'

const google = createGoogleSql()
afterAll(() => google.close())

const text = { name: 's', type: 'STRING', mode: 'NULLABLE' } as const
const program = `
  import { startServer } from '${new URL('../../src/googlesql/server.ts', import.meta.url)}'
  import { createGoogleSql } from '${new URL('../../src/googlesql/analyse.ts', import.meta.url)}'
  const server = await startServer()
  const google = createGoogleSql()
  await google.parse('SELECT 1')
  console.log(server.port)
`

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('no evaluator outlives its parent, ended by %s', async signal => {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', `${program}; setInterval(() => {}, 1000)`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const port = Number(line.toString().trim())
  expect(processesWith(port)).not.toEqual([])
  parent.kill(signal)
  await once(parent, 'exit')
  await until(() => processesWith(port).length === 0)
})

test('a process that used the evaluator ends by itself', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [code] = await once(parent, 'exit')
  expect(code).toBe(0)
})

test('rows beyond the limit of a request are refused before they are sent, in a sentence', async () => {
  const rows = Array.from({ length: 5 }, () => ({ s: 'x'.repeat(1024 * 1024) }))
  await expect(
    evaluate({ sql: 'SELECT COUNT(*) FROM t', tables: { t: { schema: [text], rows } } }, google),
  ).rejects.toMatchObject({
    kind: 'tooLarge',
    message:
      "the statement and the rows of its tables take 5.0 MiB, more than the 4.0 MiB that Google's evaluator takes in one request",
  })
})

test('after close nothing is started again', async () => {
  const other = createGoogleSql()
  await other.parse('SELECT 1')
  await other.close()
  await expect(other.parse('SELECT 1')).rejects.toThrow("Google's evaluator was closed")
})

function processesWith(port: number): string[] {
  const all = execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
  return all.split('\n').filter(line => line.includes('remote_server') && line.endsWith(` 127.0.0.1 ${port}`))
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await wait(25)
  expect(condition()).toBe(true)
}

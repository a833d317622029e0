import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { call } from './support/client.ts'
import { startProcess, temporaryFolder } from './support/server.ts'

const main = fileURLToPath(new URL('../../src/local/main.ts', import.meta.url))

test('says one line when it is ready, answers there, and ends with 0 on SIGTERM', async () => {
  const { dir, remove } = temporaryFolder()
  const child = spawn(process.execPath, [main, '--port', '0', '--dir', dir])
  let said = ''
  await new Promise<void>(ready => {
    child.stdout.on('data', (text: Buffer) => {
      said += text
      ready()
    })
  })
  const url = /^local BigQuery ready at (http:\/\/127\.0\.0\.1:\d+) \(data in (.+)\)\n$/.exec(said)
  expect(url?.[2]).toBe(dir)
  expect((await call(url?.[1] ?? '', 'GET', '/_local/health')).body).toEqual({ status: 'ok' })
  const code = new Promise(ended => child.once('exit', ended))
  child.kill('SIGTERM')
  expect(await code).toBe(0)
  expect(said.split('\n')).toHaveLength(2)
  remove()
})

test('ends when the process that started it lets go of its stdin', async () => {
  const { dir, remove } = temporaryFolder()
  const server = await startProcess(dir)
  const code = new Promise(ended => server.child.once('exit', ended))
  server.child.stdin?.end()
  expect(await code).toBe(0)
  remove()
})

test('a port in use is said in a sentence with the way out, and the exit code is 1', async () => {
  const [first, second] = [temporaryFolder(), temporaryFolder()]
  const server = await startProcess(first.dir)
  const port = new URL(server.url).port
  expect(await failure(['--port', port, '--dir', second.dir])).toEqual({
    code: 1,
    complaint: `Port ${port} is in use. Stop what listens there, or choose another port with --port (0 takes a free one).\n`,
  })
  await server.stop()
  first.remove()
  second.remove()
})

test('a data directory in use is said in a sentence, and the server that has it goes on', async () => {
  const { dir, remove } = temporaryFolder()
  const server = await startProcess(dir)
  expect(await failure(['--port', '0', '--dir', dir])).toEqual({
    code: 1,
    complaint: `The data directory ${dir} is in use by another local BigQuery. Stop that one, or choose another directory with --dir.\n`,
  })
  expect((await call(server.url, 'GET', '/_local/health')).status).toBe(200)
  expect(await server.stop()).toBe(0)
  remove()
})

test('a wrong flag is said in a sentence, and help shows what clients need', async () => {
  expect(await failure(['--port', 'many'])).toEqual({
    code: 1,
    complaint: '--port many: a port is a number from 0 (the system chooses) to 65535.\n',
  })
  const unknown = await failure(['--prot', '1'])
  expect([unknown.code, unknown.complaint]).toEqual([1, expect.stringMatching(/^Unknown option '--prot'/)])
  const child = spawn(process.execPath, [main, '--help'])
  let said = ''
  child.stdout.on('data', (text: Buffer) => {
    said += text
  })
  expect(await new Promise(ended => child.once('close', ended))).toBe(0)
  for (const word of ['--dir', 'apiEndpoint', 'new PassThroughClient()', 'api_endpoint', 'AnonymousCredentials()'])
    expect(said).toContain(word)
})

async function failure(args: readonly string[]): Promise<{ code: unknown; complaint: string }> {
  const child = spawn(process.execPath, [main, ...args])
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => {
    complaint += text
  })
  const code = await new Promise(ended => child.once('close', ended))
  return { code, complaint }
}

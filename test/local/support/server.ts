import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'

/** A local BigQuery as a process of its own. */
export type ServerProcess = {
  readonly url: string
  readonly dir: string
  readonly child: ChildProcess
  /** kill -9. */
  kill(): Promise<void>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
}

const main = fileURLToPath(new URL('../../../src/local/main.ts', import.meta.url))

/** Starts a server process on a free port; it ends with this process, whatever happens. */
export async function startProcess(dir: string, args: readonly string[] = []): Promise<ServerProcess> {
  const child = spawn(process.execPath, [main, '--port', '0', '--dir', dir, '--json', '--exit-with-stdin', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => {
    complaint += text
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
  const [line] = await Promise.race([
    firstLine(child),
    ended.then(code => Promise.reject(new Error(`The server ended with ${code}: ${complaint}`))),
  ])
  const { url } = JSON.parse(line)
  return {
    url,
    dir,
    child,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** A folder for a test's data, removed by `remove`. */
export function temporaryFolder(): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'local-bigquery-'))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** One server for the tests of a file. */
export function useServer(args: readonly string[] = []): { readonly url: string; readonly dir: string } {
  const folder = temporaryFolder()
  let server: ServerProcess | undefined
  beforeAll(async () => {
    server = await startProcess(folder.dir, args)
  })
  afterAll(async () => {
    await server?.stop()
    folder.remove()
  })
  return {
    get url() {
      if (!server) throw new Error('The server is started before the first test, not earlier.')
      return server.url
    },
    dir: folder.dir,
  }
}

async function firstLine(child: ChildProcess): Promise<[string]> {
  if (!child.stdout) throw new Error('The process has no stdout.')
  for await (const line of createInterface({ input: child.stdout })) return [line]
  throw new Error('The process said nothing.')
}

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Local } from '../support/local.ts'

/** A BigQuery server of either kind, as the contract sees it. */
export type Server = Pick<Local, 'url' | 'call' | 'stop'> & {
  /** Where it says that every table lies, whatever it was told. */
  readonly location?: string
  /** Where it answers the Storage Read API. */
  readonly storage?: string
}

/** The Python that setup.sh made for the independent server, or undefined where there is none. */
export function findPython(): string | undefined {
  const venv = process.env.ETL_INDEPENDENT_VENV ?? fileURLToPath(new URL('../../.venv-independent', import.meta.url))
  const python = join(venv, 'bin', 'python')
  const version =
    'import duckdb, importlib.metadata as m; assert (m.version("local-bigquery"), duckdb.__version__) == ("0.3.2", "1.5.6")'
  const works = existsSync(python) && spawnSync(python, ['-c', version]).status === 0
  if (works) return python
  console.warn(
    '\nSKIPPED: the contract, the publish scripts and the runs on the independent BigQuery server. Run test/independent/setup.sh (Python 3.13) to have them.\n',
  )
  return undefined
}

/** Starts the independent server on loopback, its data in a folder of its own. It ends with this process, however that ends. */
export async function startIndependent(python: string): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), 'independent-bigquery-'))
  const [port, grpc] = await Promise.all([freePort(), freePort()])
  const script = fileURLToPath(new URL('server.py', import.meta.url))
  const place = ['--host', '127.0.0.1', '--port', String(port), '--grpc-port', String(grpc)]
  const args = [script, ...place, '--project', 'test-project', '--data-dir', dir, 'serve']
  const child = spawn(python, args, { cwd: dir, stdio: ['pipe', 'ignore', 'pipe'] })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000)
  })
  const url = `http://127.0.0.1:${port}`
  const call: Server['call'] = async (method, path, body) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await fetch(`${url}/bigquery/v2/projects${path}`, { method, ...init })
    return { status: answer.status, body: (await answer.json().catch(() => ({}))) as Record<string, unknown> }
  }
  const stop = async () => {
    child.stdin.end()
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
    await rm(dir, { recursive: true, force: true })
  }
  for (let waited = 0; (await call('GET', '/test-project/datasets').catch(() => ({ status: 0 }))).status !== 200; waited++) {
    if (child.exitCode === null && waited < 600) await setTimeout(50)
    else {
      await stop()
      throw new Error(`the independent server did not start:\n${complaint}`)
    }
  }
  return { url, storage: `127.0.0.1:${grpc}`, call, stop, location: 'US' }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A local BigQuery in a process of its own. */
export type Local = {
  readonly url: string
  readonly dir: string
  /** Ends it and, unless the folder was given, deletes its data. */
  stop(): Promise<void>
  /** SIGKILL: the data stays. */
  kill(): Promise<void>
  /** Asks for faults: see src/local/faults.ts. */
  fault(fault: { kind: string; method?: string; match?: string; times?: number; ms?: number }): Promise<void>
  /** One call of the REST API, for what our client never does: making datasets and source tables. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>
}

const main = fileURLToPath(new URL('../../src/local/main.ts', import.meta.url))

/** Starts a server on a port of the system's choice and waits until it is ready. */
export async function startLocal(options: { readonly dir?: string; readonly port?: number } = {}): Promise<Local> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'local-bigquery-')))
  const child = spawn(process.execPath, [main, '--port', String(options.port ?? 0), '--dir', dir, '--exit-with-stdin'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    let [out, err] = ['', '']
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const found = /ready at (http:\S+)/.exec(out)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('exit', code => reject(new Error(`the local server ended with ${code}: ${err}`)))
  })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
  }
  const send = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { status: answer.status, body: (await answer.json().catch(() => ({}))) as Record<string, unknown> }
  }
  return {
    url,
    dir,
    async stop() {
      await end('SIGTERM')
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
    kill: () => end('SIGKILL'),
    async fault(fault) {
      await send('POST', '/_local/faults', fault)
    },
    call: (method, path, body) => send(method, `/bigquery/v2/projects${path}`, body),
  }
}

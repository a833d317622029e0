import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { EtlError } from '../domain/error.ts'

/** A local BigQuery in a process of its own. `stop` ends it; it also ends when this process does. */
export type LocalServer = { readonly url: string; stop(): Promise<void> }

const entry = fileURLToPath(new URL('../local/main.ts', import.meta.url))

/**
 * Starts a local BigQuery on a port that the system chooses.
 * @throws EtlError `unavailable` with what the server said.
 */
export async function startLocalServer(dir: string): Promise<LocalServer> {
  const child = spawn(process.execPath, [entry, '--port', '0', '--dir', dir, '--exit-with-stdin'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in a terminal reaches every process of the group, and the run must stop before its server does.
    detached: true,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    said = `${said}${text}`.slice(-4000)
  })
  const url = await new Promise<string>((resolve, reject) => {
    const failed = (why: string) =>
      reject(
        new EtlError('unavailable', `the local BigQuery on ${dir} did not start: ${why.replace(/\.?$/, '.')}`, {
          hint: startHint(said),
        }),
      )
    child.once('error', error => failed(error.message))
    child.once('exit', (code, signal) => failed(said.trim().split('\n')[0] || `it ended with ${signal ?? code}`))
    createInterface({ input: child.stdout }).on('line', line => {
      const found = /ready at (http:\/\/\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  child.removeAllListeners('exit')
  return { url, stop: () => stop(child) }
}

function startHint(said: string): string | undefined {
  return /ERR_MODULE_NOT_FOUND|Cannot find (package|module)/.test(said)
    ? 'it needs the dev dependencies: npm ci without --omit=dev'
    : undefined
}

/** `etl local`: the same process in the foreground. @returns its exit code. */
export function runLocalServer(args: readonly string[], signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, [entry, ...args, '--exit-with-stdin'], {
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: true,
  })
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? 1))
  })
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}

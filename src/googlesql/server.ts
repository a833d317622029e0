import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'

/** A running server process of Google's evaluator on loopback. */
export type ServerProcess = {
  readonly port: number
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>
  readonly alive: () => boolean
  /** Ends the process; safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts Google's GoogleSQL server on a free loopback port. It may need some tenths of a second until it answers: the caller polls.
 *
 * The server doesn't end with its parent by itself. So a shell stands between: it holds the other end of a pipe of this process, and when that
 * closes (exit, SIGTERM, SIGINT or SIGKILL of the parent alike) it kills the server. No signal handlers are needed here.
 */
export async function startServer(): Promise<ServerProcess> {
  const port = await freePort()
  const child = spawn('/bin/sh', ['-c', watchdog, 'sh', binary(), '127.0.0.1', String(port)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const ended = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  let alive = true
  void ended.then(() => {
    alive = false
    child.stdin?.destroy()
  })
  letTheParentExit(child)
  return {
    port,
    ended,
    alive: () => alive,
    async stop() {
      child.ref()
      child.stdin?.end()
      await ended
    },
  }
}

/** The folder of the package's protos. */
export function protoFolder(): string {
  return join(packageFolder(), 'protos')
}

const watchdog = [
  'exec 3<&0',
  '"$1" "$2" "$3" </dev/null 3<&- & server=$!',
  '(cat <&3 >/dev/null; kill -9 $server) 2>/dev/null &',
  'exec 3<&-',
  'wait $server',
].join('\n')

function binary(): string {
  const arm = process.arch.startsWith('arm') ? '_arm' : ''
  return join(packageFolder(), `remote_server${arm}${process.platform === 'darwin' ? '' : '.so'}`)
}

function packageFolder(): string {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve('@fivetrandevelopers/zetasql')), 'zetasql')
}

function letTheParentExit(child: ChildProcess): void {
  child.unref()
  const pipe = child.stdin as unknown as { unref?: () => void; on(event: 'error', listener: () => void): void } | null
  pipe?.on('error', () => {})
  pipe?.unref?.()
}

// The server takes no port 0. Another process may take the port in between: then the server ends at once and the caller tries again.
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

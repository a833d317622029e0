import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fate, type FaultProxy, type Request, startProxy } from '../test/support/proxy.ts'
import { type Boundary, boundaryOf } from './boundary.ts'
import type { World } from './world.ts'

/** A line that a job logged: the fields that a verdict needs. */
export type Line = {
  readonly event: string
  readonly run: string
  readonly attempt: string
  readonly version?: string
  readonly published?: false | 'unknown'
  readonly error?: string
}

/** How a process of a job ended; `signal` is what killed it. */
export type Ended = {
  readonly run: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly lines: readonly Line[]
  readonly text: string
  /** What its proxy saw. */
  readonly seen: FaultProxy['seen']
  /** It was killed because it did not end by itself. */
  readonly hung: boolean
}

/** A process of a job that may still run. */
export type Job = {
  readonly run: string
  /** What its proxy has seen by now. */
  readonly seen: FaultProxy['seen']
  readonly ended: Promise<Ended>
  /** SIGKILL unless said otherwise; waits for the end if it is that. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Waits until none of its requests is on its way, also after its end. */
  idle(): Promise<void>
}

/** What becomes of a request of a job. */
export type Decide = (request: Request, boundary: Boundary, job: Job) => Fate | undefined

/** Longer than any job takes: one that still runs hangs, and that is a finding. */
const patience = 90_000

/** Starts one attempt of a run as the platform does: a process with a pod's name, behind a proxy of its own. */
export async function startJob(
  world: World,
  pod: string,
  command: readonly string[],
  decide: Decide = () => undefined,
): Promise<Job> {
  const proxy = await startProxy(world.url, request => decide(request, boundaryOf(request), job))
  const child = spawn(process.execPath, [join(world.code, 'bin', 'etl.js'), ...command], {
    cwd: world.folder,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ETL_WAIT_FACTOR: '0.03',
      // Half of a short process is compiling what the one before compiled too.
      NODE_COMPILE_CACHE: join(tmpdir(), 'etl-chaos-compiled'),
      BIGQUERY_EMULATOR_HOST: proxy.url,
      GOOGLE_CLOUD_PROJECT: 'chaos',
      NAIS_POD_NAME: pod,
      NAIS_APP_NAME: 'jobb',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
  }
  const run = pod.replace(/-[a-z0-9]{5}$/, '')
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  let hung = false
  const watch = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, patience)
  const ended = closed.then(async ([code, signal]) => {
    clearTimeout(watch)
    await proxy.close()
    return { run, code, signal, lines: linesOf(text), text, seen: proxy.seen, hung }
  })
  const job: Job = {
    run,
    seen: proxy.seen,
    ended,
    idle: proxy.idle,
    async kill(signal = 'SIGKILL') {
      child.kill(signal)
      if (signal === 'SIGKILL') await closed
    },
  }
  return job
}

function linesOf(text: string): readonly Line[] {
  return text.split('\n').flatMap(line => {
    try {
      const parsed: unknown = JSON.parse(line)
      return typeof parsed === 'object' && parsed !== null && 'event' in parsed ? [parsed as Line] : []
    } catch {
      return []
    }
  })
}

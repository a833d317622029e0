import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { seed } from '../src/cli/seed.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, flagship, root, worldOn } from './support/project.ts'
import { type FaultProxy, type Request, startProxy } from './support/proxy.ts'

// Real processes of the job, held at one request of a step by a proxy in front of the server.
let local: Local
let proxy: FaultProxy
let wanted: (request: Request) => boolean = () => false
let reached = Promise.withResolvers<void>()
let release = Promise.withResolvers<void>()
const children: ChildProcess[] = []

const says = (request: Request, text: string) => JSON.stringify(request.json ?? '').includes(text)
const steps = {
  plan: (request: Request) => request.path.endsWith('/tables/apps_per_env'),
  claim: (request: Request) => says(request, '"value":"claimed"'),
  reading: (request: Request) => says(request, 'SELECT `dato`, `cluster` FROM'),
  staging: (request: Request) => request.path.includes('/upload/'),
  audit: (request: Request) => says(request, 'COUNTIF('),
  'the note before publish': (request: Request) => says(request, '"value":"publishing"'),
  'the publish job': (request: Request) => request.job?.startsWith('etl-publish-') === true,
} satisfies Record<string, (request: Request) => boolean>
const before = Object.keys(steps).slice(0, -1) as (keyof typeof steps)[]

beforeAll(async () => {
  local = await startLocal()
  proxy = await startProxy(local.url, request => {
    if (!wanted(request)) return undefined
    wanted = () => false
    reached.resolve()
    return { kind: 'pass', before: () => release.promise }
  })
  const pipeline = await flagship()
  await seed(local.url, pipeline, await worldOn(local.url), root, 'two-dates')
  await attempt(local.url, pipeline, 'first-aaaaa')
})
afterEach(async () => {
  release.resolve()
  await clear()
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
})
afterAll(async () => {
  await proxy.close()
  await local.stop()
})

describe('SIGTERM', { timeout: 180_000 }, () => {
  test.each(before)('at %s: stops before publish and says so; the next attempt of the run publishes', async step => {
    const run = `stop-${step.replaceAll(' ', '-')}`
    hold(step)
    const first = pod(`${run}-aaaaa`)
    await Promise.race([reached.promise, first.ended])
    first.child.kill('SIGTERM')
    // The step's request still hangs: the process must not wait for it. But for a note: what stands before a publish job must be known to stand.
    if (step === 'the note before publish') setTimeout(() => release.resolve(), 300)
    expect(await first.ended).toBe(1)
    expect(first.last()).toMatchObject({ event: 'failed', kind: 'stopped', published: false })
    expect(first.last().error).toContain('told to stop')
    release.resolve()
    expect(await versionsOf(run)).toBe(0)

    const second = pod(`${run}-bbbbb`)
    expect(await second.ended).toBe(0)
    expect(second.last()).toMatchObject({ event: 'published', run })
    expect(await versionsOf(run)).toBe(1)
  })

  test('after the publish job was submitted: waits for it and tells how it ended', async () => {
    await local.fault({ kind: 'holdCommit', match: '^etl-publish' })
    const { child, ended, last } = pod('submitted-aaaaa')
    await until(async () => (await faults()).held === 1)
    child.kill('SIGTERM')
    expect(await Promise.race([ended, new Promise(resolve => setTimeout(() => resolve('waiting'), 700))])).toBe('waiting')
    await clear()
    expect(await ended).toBe(0)
    expect(last()).toMatchObject({ event: 'published', run: 'submitted' })
    expect(await versionsOf('submitted')).toBe(1)
  })

  test('after it was submitted, and the job loses: says that nothing was published, and the next attempt publishes', async () => {
    hold('the publish job')
    const { child, ended, last } = pod('slower-aaaaa')
    await reached.promise
    await attempt(local.url, await flagship(), 'quicker-aaaaa')
    child.kill('SIGTERM')
    setTimeout(() => release.resolve(), 300)
    expect(await ended).toBe(1)
    expect(last()).toMatchObject({ event: 'failed', kind: 'stopped', published: false })
    expect(await versionsOf('slower')).toBe(0)
    const second = pod('slower-bbbbb')
    expect(await second.ended).toBe(0)
    expect(await versionsOf('slower')).toBe(1)
  })
})

describe('the deadline of the Job', { timeout: 180_000 }, () => {
  test('that is near already: stops before publish, says how much was left, and the next attempt of the run publishes', async () => {
    const first = pod('late-aaaaa', { ETL_DEADLINE_SECONDS: '30', ETL_WAIT_FACTOR: '1' })
    expect(await first.ended).toBe(1)
    expect(first.last()).toMatchObject({ event: 'failed', kind: 'stopped', published: false })
    expect(first.last().error).toMatch(
      /stops before publish: \d+ s left of the Job's deadline of 30 s\. Hint: nothing was published/,
    )
    const noted = await ask(local.url, `SELECT message FROM ${runs} WHERE run = 'late' AND event = 'failed'`)
    expect(noted[0]?.message).toContain('stops before publish')
    const second = pod('late-bbbbb', { ETL_DEADLINE_SECONDS: '3600' })
    expect(await second.ended).toBe(0)
    expect(await versionsOf('late')).toBe(1)
  })

  test('that comes while a step hangs', async () => {
    const { run, last, ended, seconds } = await overtaken('hanging', () => {
      hold('staging')
      return reached.promise
    })
    expect(await ended).toBe(1)
    expect(last().error).toContain(`stops before publish: 0 s left of the Job's deadline of ${seconds} s`)
    release.resolve()
    expect(await versionsOf(run)).toBe(0)
  })

  test('that comes when the publish job was submitted: waits for it', async () => {
    const { run, last, ended, seconds, began } = await overtaken('under-way', async () => {
      await clear()
      await local.fault({ kind: 'holdCommit', match: '^etl-publish' })
      await until(async () => (await faults()).held === 1)
    })
    const over = new Promise(resolve => setTimeout(() => resolve('waiting'), began + seconds * 1000 - Date.now()))
    expect(await Promise.race([ended, over])).toBe('waiting')
    await clear()
    expect(await ended).toBe(0)
    expect(last()).toMatchObject({ event: 'published' })
    expect(await versionsOf(run)).toBe(1)
  })

  test.each(['', '1.5', '0', 'soon', '99999999'])('ETL_DEADLINE_SECONDS=%j', async text => {
    const { ended, said } = pod('odd-aaaaa', { ETL_DEADLINE_SECONDS: text, BIGQUERY_EMULATOR_HOST: 'http://127.0.0.1:1' })
    expect(await ended).toBe(1)
    expect(said()).toContain(text === '' ? 'does not answer' : 'the environment variable ETL_DEADLINE_SECONDS: expected')
  })
})

const runs = '`team-dev.apps_aggregated_etl.runs`'

/** One pod of the job: a process of its own. */
function pod(name: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [join(root, 'bin', 'etl.js'), 'run', 'apps-per-env'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ETL_WAIT_FACTOR: '0.01',
      BIGQUERY_EMULATOR_HOST: proxy.url,
      GOOGLE_CLOUD_PROJECT: 'team-dev',
      NAIS_CLUSTER_NAME: 'dev-gcp',
      NAIS_APP_NAME: 'apps',
      NAIS_POD_NAME: name,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let out = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      out += text
    })
  const last = () => JSON.parse(out.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
  return { child, last, said: () => out, ended: new Promise<number | null>(resolve => child.once('close', resolve)) }
}

/** A pod that the deadline overtakes after `moment`: where the machine is too slow for it, another gets twice the time. */
async function overtaken(name: string, moment: () => Promise<void>) {
  for (let seconds = 6; ; seconds *= 2) {
    const run = `${name}-${seconds}`
    const came = moment().then(() => true)
    const began = Date.now()
    const started = pod(`${run}-aaaaa`, { ETL_DEADLINE_SECONDS: String(seconds) })
    if (await Promise.race([came, started.ended.then(() => false)])) return { ...started, run, seconds, began }
  }
}

function hold(step: keyof typeof steps): void {
  reached = Promise.withResolvers()
  release = Promise.withResolvers()
  wanted = steps[step]
}

async function versionsOf(run: string): Promise<number> {
  const rows = await ask(local.url, `SELECT version FROM ${runs} WHERE event = 'published' AND run = '${run}'`)
  return rows.length
}

async function faults(): Promise<{ held: number }> {
  return (await fetch(`${local.url}/_local/faults`)).json() as Promise<{ held: number }>
}

async function clear(): Promise<void> {
  await fetch(`${local.url}/_local/faults`, { method: 'DELETE' })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20))
}

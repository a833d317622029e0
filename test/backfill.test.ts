import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { append, dataset, merge, partition, pipeline, replace, row, table } from 'nais-etl'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { backfill } from '../src/engine/backfill.ts'
import { batchesOf, type Wanted } from '../src/engine/batches.ts'
import { rollback } from '../src/engine/rollback.ts'
import { etl, type Project, project } from './support/etl.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, root, worldOn } from './support/project.ts'
import { type FaultProxy, type Request, startProxy } from './support/proxy.ts'
import { makeDatasets, sourceTable } from './support/source-table.ts'

const file = `import { dataset, partition, pipeline, row, table } from 'nais-etl'
import * as z from 'zod'

const Day = row({ dato: z.iso.date(), n: z.int() }, { key: ['dato'] })

export default pipeline({
  schedule: '30 6 * * *',
  from: { days: table(Day, 'kilde.dager') },
  to: dataset('dager').table('per_dag', Day),
  write: partition('dato', { maxSlices: 3 }),
})
`
const Day = row({ dato: z.iso.date(), n: z.int() }, { key: ['dato'] })
const from = { days: table(Day, 'kilde.dager') }
const schedule = '30 6 * * *'
const days: NamedPipeline = {
  name: 'dager',
  ...pipeline({ schedule, from, to: dataset('dager').table('per_dag', Day), write: partition('dato', { maxSlices: 3 }) }),
}
const runs = '`team-dev.dager_etl.runs`'
const day = (number: number) => `2024-01-0${number}`

let local: Local
let proxy: FaultProxy
let team: Project
let source: Awaited<ReturnType<typeof sourceTable>>
let onRequest: (request: Request) => Promise<void> | undefined = () => undefined
const children: ChildProcess[] = []

beforeAll(async () => {
  local = await startLocal()
  proxy = await startProxy(local.url, async request => {
    await onRequest(request)
    return undefined
  })
  await makeDatasets(local, 'kilde', 'dager')
  source = await sourceTable(local, 'kilde.dager', 'dato DATE NOT NULL, n INT64 NOT NULL')
  team = await project({ 'src/pipelines/dager.ts': file })
})
beforeEach(async () => {
  onRequest = () => undefined
  for (const [dataset, name] of [
    ['dager', 'per_dag'],
    ['dager', 'per_dag__history'],
    ['dager_etl', 'head__per_dag'],
    ['dager_etl', 'runs'],
  ])
    await local.call('DELETE', `/team-dev/datasets/${dataset}/tables/${name}`)
  await fill(1)
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await team.remove()
  await proxy.close()
  await local.stop()
})

describe('a backfill', { timeout: 120_000 }, () => {
  test('does the slices between its bounds again, in batches that are runs of their own', async () => {
    await attempt(local.url, days, 'night-aaaaa')
    await fill(2)
    const { code, stdout } = await command('2024-01-02', '2024-01-06', '--batch', '2')
    expect(code, stdout).toBe(0)
    expect(stdout).toContain('✔ Backfill of 2024-01-02 to 2024-01-06: 3 batches, 5 slices')
    expect(await rows()).toEqual([1, 2, 2, 2, 2, 2, 1])
    const [first, second, third] = (await published()).slice(1)
    expect(second).toMatchObject({ run: `${first?.run}~2`, scope: [day(4), day(5)] })
    expect(third).toMatchObject({ run: `${first?.run}~3`, scope: [day(6)] })
    expect(first?.scope).toEqual([day(2), day(3)])
    expect(new Set((await published()).map(({ version }) => version)).size).toBe(4)
  })

  test('--missing leaves alone what is published; the newest of the source comes first', async () => {
    await attempt(local.url, days, 'night-aaaaa')
    await fill(2)
    expect(await batches({ from: day(1), to: '2030-01-01', missing: true, size: 2 })).toEqual([
      [day(3), day(4)],
      [day(5), day(6)],
    ])
    expect(await batches({ from: day(1), to: '2030-01-01', missing: false, size: 2 })).toEqual([
      [day(1), day(7)],
      [day(2), day(3)],
      [day(4), day(5)],
      [day(6)],
    ])
    const { stdout } = await command(day(1), day(9), '--missing')
    expect(stdout).toContain('2 batches, 4 slices')
    expect(await rows()).toEqual([1, 1, 2, 2, 2, 2, 1])
    expect((await command(day(1), day(9), '--missing')).stdout).toContain('Nothing to do: every slice of the source from')
  })

  test('--dry shows the batches and changes nothing', async () => {
    const { code, stdout } = await command(day(1), day(7), '--dry')
    expect(code).toBe(0)
    expect(stdout).toMatch(/batch 1: 3 slices \(2024-01-01, 2024-01-02, 2024-01-07\) as run local-\w+-\w{6}\n/)
    expect(stdout).toMatch(/batch 3: 1 slice \(2024-01-06\) as run local-\w+-\w{6}~3\n/)
    const { stdout: data } = await command(day(1), day(7), '--dry', '--json')
    expect(JSON.parse(data).batches.map((batch: { slices: string[] }) => batch.slices.length)).toEqual([3, 3, 1])
    expect(await published()).toEqual([])
  })

  test('killed in a batch: keeps what it did, and the next pod of its Job goes on', async () => {
    const reached = Promise.withResolvers<void>()
    const isSecond = noted('claimed', 'back~2')
    onRequest = request => {
      if (!isSecond(request)) return undefined
      reached.resolve()
      return new Promise(() => undefined)
    }
    const first = pod('back-aaaaa')
    await Promise.race([reached.promise, first.ended])
    first.child.kill('SIGKILL')
    await first.ended
    expect((await published()).map(({ run }) => run)).toEqual(['back'])
    onRequest = () => undefined
    expect(await pod('back-bbbbb').ended).toBe(0)
    expect((await published()).map(({ run }) => run)).toEqual(['back', 'back~2', 'back~3', 'back~4'])
    expect((await published()).flatMap(({ scope }) => scope).sort()).toEqual([1, 2, 3, 4, 5, 6, 7].map(day))
    expect(await rows()).toEqual([1, 1, 1, 1, 1, 1, 1])
    // A third pod finds nothing to do.
    expect(await pod('back-ccccc').ended).toBe(0)
    expect(await published()).toHaveLength(4)
  })

  test('killed while a batch is being published: the job goes on by itself, and no slice is done twice', async () => {
    await local.fault({ kind: 'holdCommit', match: '^etl-publish' })
    const first = pod('held-aaaaa')
    await until(async () => ((await (await fetch(`${local.url}/_local/faults`)).json()) as { held: number }).held === 1)
    first.child.kill('SIGKILL')
    await first.ended
    const second = pod('held-bbbbb')
    await fetch(`${local.url}/_local/faults`, { method: 'DELETE' })
    expect(await second.ended).toBe(0)
    expect((await published()).map(({ run }) => run)).toEqual(['held', 'held~2', 'held~3', 'held~4'])
    expect((await published()).flatMap(({ scope }) => scope)).toHaveLength(7)
  })

  test('SIGTERM: stops before the batch publishes, says how to go on, and --resume does', async () => {
    const reached = Promise.withResolvers<void>()
    const isThird = noted('claimed', 'term~3')
    onRequest = request => {
      if (isThird(request)) reached.resolve()
      return undefined
    }
    const first = pod('term-aaaaa')
    await Promise.race([reached.promise, first.ended])
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(1)
    expect(first.said()).toContain('Stopped before the end of batch 3 of 4; published: 2 batches, 4 slices. That stays.')
    expect(first.said()).toContain('npm run etl -- backfill dager 2024-01-01 2024-01-07 --batch 2 --resume term')
    const { code, stdout } = await command(day(1), day(7), '--batch', '2', '--resume', 'term')
    expect(code, stdout).toBe(0)
    expect((await published()).map(({ run }) => run)).toEqual(['term', 'term~2', 'term~3', 'term~4'])
  })

  test('told to stop between two batches: does not begin the next', async () => {
    const stop = new AbortController()
    const { ports, settings, request } = await worldOn(local.url)
    const wanted: Wanted = { from: day(1), to: day(7), missing: false, run: 'between' }
    const { left } = await batchesOf(days, wanted, request, ports, settings, stop.signal)
    let opened = 0
    const open = async () => {
      const world = await worldOn(local.url)
      if (++opened > 1) return world
      const event = (said: { kind: string }) => said.kind === 'published' && stop.abort()
      return { ...world, ports: { ...world.ports, report: { event } } }
    }
    const ended = await backfill(days, wanted, left, open, { accept: false }, stop.signal)
    expect(ended).toMatchObject({ why: 'stopped', published: 1, slices: 3, next: { number: 2 } })
    expect(opened).toBe(1)
  })

  test('what a rollback has undone is done again under new numbers, once the hold is released', async () => {
    const { ports, settings, request } = await worldOn(local.url)
    await command(day(1), day(7))
    const [first] = await published()
    const run = first?.run ?? ''
    await rollback(days, first?.version ?? '', request, ports, settings, new AbortController().signal)
    const held = await command(day(1), day(7), '--resume', run)
    expect(held.code).toBe(1)
    expect(held.stdout).toMatch(/is held at version .*no batch would publish.*etl -- release dager/)
    await etl(team.dir, ['release', 'dager'], env)
    expect((await command(day(1), day(7), '--resume', run)).code).toBe(0)
    expect((await published()).slice(-2).map(each => each.run)).toEqual([`${run}~4`, `${run}~5`])
  })

  test.each([
    [['2024-01-01', '2024-20-01'], /2024-20-01 is no date .* Did you mean 2024-01-20\?/],
    [['2024-01-05', '2024-01-01'], /2024-01-05 is after 2024-01-01/],
    [['2024-01-01', '2024-01-05', '--batch', 'many'], /--batch many is no number of slices/],
    [['2024-01-01', '2024-01-05', '--resume', 'nobody'], /--resume nobody: the ledger has no run of this name/],
    [['2999-01-01', '2999-01-05'], /2999-01-01 has not come yet: the newest slice is that of/],
    [['2024-01-01'], /etl backfill needs NAME/],
  ])('%j is refused', async (words, problem) => {
    const { code, all } = await command(...words)
    expect(code).toBe(1)
    expect(all).toMatch(problem)
  })

  test.each([
    ['replace', replace(), /by replace: every run replaces everything/],
    ['append', append(), /by append: .* would stand there twice/],
    ['merge', merge(), /by merge: .* There is nothing to fill by date/],
  ] as const)('%s has no slices', async (_, write, problem) => {
    const whole = { name: 'dager', ...pipeline({ schedule, from, to: dataset('dager').table('per_dag', Day), write }) }
    const { ports, settings, request } = await worldOn(local.url)
    const wanted: Wanted = { from: day(1), to: day(7), missing: false, run: 'r' }
    await expect(batchesOf(whole, wanted, request, ports, settings, new AbortController().signal)).rejects.toThrow(problem)
  })
})

const env = {
  get BIGQUERY_EMULATOR_HOST() {
    return local.url
  },
  GOOGLE_CLOUD_PROJECT: 'team-dev',
}
const command = (...words: string[]) => etl(team.dir, ['backfill', 'dager', ...words], { ...env })

/** One row a day of a week, all with the same number. */
function fill(n: number): Promise<void> {
  return source.fill(...[1, 2, 3, 4, 5, 6, 7].map(number => `(DATE '${day(number)}', ${n})`))
}

async function rows(): Promise<unknown[]> {
  return (await ask(local.url, 'SELECT n FROM `team-dev.dager.per_dag` ORDER BY dato')).map(({ n }) => Number(n))
}

async function published(): Promise<{ run: string; version: string; scope: string[] }[]> {
  const found = await ask(
    local.url,
    `SELECT run, version, scope FROM ${runs} WHERE event = 'published' ORDER BY logged_at`,
  ).catch(() => [])
  return found.map(one => ({ run: String(one.run), version: String(one.version), scope: JSON.parse(String(one.scope)) }))
}

async function batches(wanted: Omit<Wanted, 'run'>): Promise<(readonly string[])[]> {
  const { ports, settings, request } = await worldOn(local.url)
  const { left } = await batchesOf(days, { ...wanted, run: 'r' }, request, ports, settings, new AbortController().signal)
  return left.map(({ slices }) => slices)
}

function noted(event: string, run: string): (request: Request) => boolean {
  return request => [`"value":"${event}"`, `"value":"${run}"`].every(text => JSON.stringify(request.json ?? '').includes(text))
}

/** One pod of a Job that somebody made for a backfill: a process of its own. */
function pod(name: string) {
  const child = spawn(process.execPath, [join(root, 'bin', 'etl.js'), 'backfill', 'dager', day(1), day(7), '--batch', '2'], {
    cwd: team.dir,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ETL_WAIT_FACTOR: '0.01',
      BIGQUERY_EMULATOR_HOST: proxy.url,
      GOOGLE_CLOUD_PROJECT: 'team-dev',
      NAIS_APP_NAME: 'dager',
      NAIS_POD_NAME: name,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let out = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      out += text
    })
  return { child, said: () => out, ended: new Promise<number | null>(resolve => child.once('close', resolve)) }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20))
}

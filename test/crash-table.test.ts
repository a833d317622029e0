import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Boundary } from '../chaos/boundary.ts'
import { type Decide, type Ended, startJob } from '../chaos/job.ts'
import { type Found, readFound } from '../chaos/ledger.ts'
import { modes, type Row } from '../chaos/modes.ts'
import { startWorld, type World } from '../chaos/world.ts'
import type { Fate } from './support/proxy.ts'

// The crash table (docs/chaos.md): one test a row, on processes that are killed. `mode` has no bearing on it: the simplest.
const mode = modes.find(({ name }) => name === 'replace')!
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })
let world: World
let number = 0

beforeAll(async () => {
  world = await startWorld([mode])
  expect(await pod('first')).toMatchObject({ code: 0 })
})
afterAll(() => world.stop())

/** Runs one pod of a Job to its end. */
async function pod(run: string, decide?: Decide): Promise<Ended> {
  const name = `${run}-${(++number).toString(36).padStart(5, 'a')}`
  return (await startJob(world, name, ['run', mode.name], decide)).ended
}

/** The fate of the nth request of a step. */
function at(step: string, fate: (kill: () => Promise<void>) => Fate, fits: (boundary: Boundary) => boolean = () => true): Decide {
  let isDone = false
  return (_, boundary, job) => {
    if (isDone || boundary.step !== step || !fits(boundary)) return undefined
    isDone = true
    return fate(() => job.kill())
  }
}
const killedBefore = (kill: () => Promise<void>): Fate => ({ kind: 'cutBefore', before: kill })
const killedAfter = (kill: () => Promise<void>): Fate => ({ kind: 'dropAnswer', after: kill })
/** The job that was submitted has ended by itself, and then its client dies. */
const killedLater = (kill: () => Promise<void>): Fate => ({
  kind: 'dropAnswer',
  after: () => world.settle().then(kill),
})

const found = (): Promise<Found> => readFound(world, mode)
const versionsOf = async (run: string) => (await found()).publications.filter(each => each.run === run)
const plain = (rows: readonly Row[]) => rows.map(({ dato, id, gen, verdi }) => `${dato} ${id} ${gen} ${verdi}`).sort()
const lastLine = (ended: Ended) => ended.lines.at(-1)
const claimedBy = async (run: string) =>
  (await world.sql(
    `SELECT attempt, UNIX_MICROS(version) AS version FROM \`chaos.ut_etl.runs\` WHERE event = 'claimed' AND run = '${run}' ORDER BY logged_at`,
  )) ?? []

/** The table is the source as it is now, and every run has one version. */
async function whole(): Promise<void> {
  const { rows, publications, head } = await found()
  expect(plain(rows)).toEqual(plain(mode.source(world.generation(mode))))
  expect(new Set(publications.map(({ run }) => run)).size).toBe(publications.length)
  expect(head.map(({ seq }) => seq)).toEqual([publications.length])
}

/** A run whose pod was killed; the source has changed before it. */
async function interrupted(run: string, decide: Decide): Promise<Ended> {
  await world.next(mode)
  const ended = await pod(run, decide)
  expect(ended.signal).toBe('SIGKILL')
  await world.settle()
  return ended
}

/** Publishes as if nothing had been. */
async function publishes(run: string): Promise<Ended> {
  const ended = await pod(run)
  expect({ code: ended.code, event: lastLine(ended)?.event, text: ended.text }).toMatchObject({ code: 0, event: 'published' })
  expect(await versionsOf(run)).toMatchObject([{ attempt: lastLine(ended)?.attempt }])
  await whole()
  return ended
}

const unpublished: readonly [row: string, decide: () => Decide][] = [
  ['nothing yet, during plan', () => at('describe', killedAfter)],
  ['nothing yet, during read', () => at('read', killedAfter)],
  ['`claimed` event', () => at('note-claimed', killedLater)],
  [
    'load job submitted, answer lost',
    () => at('load', killedAfter, ({ method, resource }) => method === 'PUT' || resource === 'upload multipart'),
  ],
  ['`staged` event', () => at('note-staged', killedLater)],
  ['`publishing` event, before submit', () => at('publish', killedBefore)],
]

describe.each(unpublished)('killed after: %s', (row, decide) => {
  const name = row.replace(/[^a-z]+/g, '-').replace(/^-|-$/g, '')

  test('nothing is published; the next attempt publishes, once', async () => {
    const before = await found()
    const dead = await interrupted(name, decide())
    expect(await found()).toEqual(before)
    const ended = await publishes(name)
    const claims = await claimedBy(name)
    const [publication] = await versionsOf(name)
    // The version of the earliest claim stays the run's.
    if (claims.length > 1) expect(String(publication?.version)).toBe(claims[0]?.version)
    if (row.includes('publishing')) {
      const submitted = dead.seen.findLast(({ job }) => job?.startsWith('etl-publish'))?.job
      const looked = ended.seen.filter(({ method, path }) => method === 'GET' && path.endsWith(`/jobs/${submitted}`))
      expect(looked.map(({ status }) => status)).toEqual([404, 404])
    }
  })

  test('a different run goes its own way', async () => {
    await interrupted(`${name}-left`, decide())
    await publishes(`${name}-other`)
    expect(await versionsOf(`${name}-left`)).toEqual([])
  })
})

describe('killed after: publish job submitted, pod dies', () => {
  test('the next attempt waits for that job and has published; a different run conflicts with it, and comes after', async () => {
    await world.next(mode)
    await world.fault({ kind: 'holdCommit', match: 'etl-publish' })
    const dead = await pod('submitted', at('publish', killedAfter))
    expect(dead.signal).toBe('SIGKILL')
    const [next, other] = [pod('submitted'), pod('submitted-other')]
    await new Promise(resolve => setTimeout(resolve, 1500))
    expect(await versionsOf('submitted')).toEqual([])
    await world.settle()
    expect(lastLine(await next)).toMatchObject({ event: 'alreadyPublished' })
    expect(lastLine(await other)).toMatchObject({ event: 'published' })
    expect((await found()).publications.slice(-2).map(({ run }) => run)).toEqual(['submitted', 'submitted-other'])
    await whole()
  })
})

describe.each([
  ['timeout', 'dropAnswer', true],
  ['5xx', 'unavailableAfter', true],
  ['timeout before it arrived', 'cutBefore', false],
  ['5xx before it was accepted', 'unavailable', false],
] as const)('%s on submit', (_, kind, isAccepted) => {
  test('the same id is looked up and, if it is not there, submitted again: one job, one version', async () => {
    await world.next(mode)
    const run = `submit-${kind}`.toLowerCase()
    const ended = await pod(
      run,
      at('publish', () => ({ kind })),
    )
    expect(lastLine(ended)).toMatchObject({ event: 'published' })
    const publishing = ended.seen.filter(({ job }) => job?.startsWith('etl-publish'))
    expect(new Set(publishing.map(({ job }) => job)).size).toBe(1)
    const [first, second, third] = publishing
    expect([first?.method, second?.method, second?.status]).toEqual(['POST', 'GET', isAccepted ? 200 : 404])
    if (!isAccepted) expect(third).toMatchObject({ method: 'POST', status: 200 })
    expect(await versionsOf(run)).toHaveLength(1)
    await whole()
  })
})

describe('409 on submit', () => {
  test('a job whose answer was lost and that could not be seen yet: the id is taken, by this very job, which is waited for', async () => {
    await world.next(mode)
    const fates: Fate[] = [{ kind: 'dropAnswer' }, { kind: 'notFound' }]
    const ended = await pod('taken', (_, { step }) => (step === 'publish' ? fates.shift() : undefined))
    expect(lastLine(ended)).toMatchObject({ event: 'published' })
    const publishing = ended.seen.filter(({ job }) => job?.startsWith('etl-publish'))
    expect(publishing.slice(0, 4).map(({ method, fate, status }) => `${method} ${fate} ${status}`)).toEqual([
      'POST dropAnswer 200',
      'GET notFound undefined',
      'POST pass 409',
      'GET pass 200',
    ])
    expect(await versionsOf('taken')).toHaveLength(1)
    await whole()
  })
})

describe('killed inside the transaction, with the server that ran it', () => {
  test('it is rolled back, and the next attempt publishes', async () => {
    const before = await found()
    await world.next(mode)
    await world.fault({ kind: 'holdCommit', match: 'etl-publish' })
    const dead = await pod('inside', at('publish', killedAfter))
    expect(dead.signal).toBe('SIGKILL')
    await world.restart()
    expect(await found()).toEqual(before)
    await publishes('inside')
  })
})

describe.each([
  ['COMMIT, before the client hears', () => at('publish', killedLater)],
  ['COMMIT, before cleanup and report', () => at('stage', killedBefore, ({ method }) => method === 'DELETE')],
] as const)('killed after: %s', (row, decide) => {
  const name = row.includes('hears') ? 'committed' : 'cleanup'

  test('it is published; the next attempt finds that, and publishes nothing more', async () => {
    await interrupted(name, decide())
    expect(await versionsOf(name)).toHaveLength(1)
    await whole()
    const before = await found()
    expect(await pod(name)).toMatchObject({ code: 0, lines: [{}, { event: 'alreadyPublished' }] })
    expect(await found()).toEqual(before)
  })

  test('a different run sees a newer head, and comes after it', async () => {
    await interrupted(`${name}-left`, decide())
    await publishes(`${name}-other`)
    expect((await found()).publications.slice(-2).map(({ run }) => run)).toEqual([`${name}-left`, `${name}-other`])
  })
})

import { EtlError } from '../domain/error.ts'
import type { RunEvent } from '../domain/event.ts'
import { microsOf } from '../domain/micros.ts'
import { apartText } from '../domain/moment.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import { jitter } from '../domain/policy.ts'
import type { PublishOutcome } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { Reader } from '../ports/reader.ts'
import type { Note } from '../ports/warehouse.ts'
import { bootstrap } from './bootstrap.ts'
import { type JobTime, jobTime } from './deadline.ts'
import { claim } from './moment.ts'
import { noteFailure, noteOf } from './note.ts'
import { makePlans } from './plan.ts'
import { type Prepared, prepare } from './prepare.ts'
import { publish } from './publish.ts'
import type { Say } from './say.ts'
import type { RunRequest, Settings } from './settings.ts'
import { keepSnapshot } from './snapshot.ts'
import { placed, step, untilStopped } from './step.ts'

/** How a run ended, other than by an error. `plan` is that of its first target. */
export type Outcome = {
  readonly outcome: 'published' | 'already published' | 'nothing to do' | 'superseded' | 'held'
  readonly plan: Plan
  /** The version that this run published, or else the one that stands. */
  readonly version: string | null
  readonly rows: number
}

/** How often a run that lost its base, or whose source broke off in the middle, plans anew (protocol: Losing). */
const replans = 3

/**
 * One run of one pipeline, published whole and once, or not at all. A run that lost its base to another publication plans anew.
 * @throws EtlError; it has been reported and noted in the ledger by then.
 */
export async function run(
  pipeline: NamedPipeline,
  request: RunRequest,
  ports: Ports,
  settings: Settings,
  signal: AbortSignal,
): Promise<Outcome> {
  const known: Known = { plans: [], publishJobs: 0, started: ports.clock.now().getTime() }
  const say: Say = (kind, fields) => {
    const run = known.plans[0]?.identity.run ?? request.podName ?? ''
    ports.report.event({ pipeline: pipeline.name, run, attempt: request.attempt, kind, ...fields } as unknown as RunEvent)
  }
  const time = jobTime(settings, ports.clock, signal)
  try {
    for (let tried = 1; tried <= replans; tried++) {
      const outcome = await once({ pipeline, request, ports, settings, time, known, say, tried }).catch(async error => {
        if (!wasCut(error) || tried === replans || time.signal.aborted) throw error
        const wait = jitter(settings.policy.request, tried, Math.random())
        say('waiting', { why: `${error.message} Reading anew`, milliseconds: wait })
        await ports.clock.sleep(wait, time.signal)
        return 'lost' as const
      })
      if (outcome !== 'lost') return outcome
    }
    throw new EtlError('conflict', `lost ${replans} times to other publications.`, {
      where: { step: 'publish' },
      hint: 'run it again',
    })
  } catch (error) {
    const failure = time.explained(placed(error, { pipeline: pipeline.name }))
    await noteFailure(known.plans, failure, ports)
    say('failed', { error: failure, published: failure.kind === 'unknown' ? 'unknown' : false })
    throw failure
  } finally {
    time.end()
  }
}

/** A source that broke off while it was read: nothing was published, and all of it is read again, at another moment. */
function wasCut(error: unknown): error is EtlError {
  return error instanceof EtlError && error.kind === 'unavailable' && error.where.step?.startsWith('read ') === true
}

/** What a run knows across its tries. */
type Known = { plans: readonly Plan[]; publishJobs: number; readonly started: number }
type Try = {
  readonly pipeline: NamedPipeline
  readonly request: RunRequest
  readonly ports: Ports
  readonly settings: Settings
  readonly time: JobTime
  readonly known: Known
  readonly say: Say
  readonly tried: number
}

/** plan → bootstrap → claim → read, transform, stage, audit each target → publish all: one call a line. */
async function once(its: Try): Promise<Outcome | 'lost'> {
  const { ports, settings, time, known, say, tried } = its
  const { signal } = time
  const go = <T>(name: string, work: () => Promise<T>): Promise<T> => step({ step: name }, () => untilStopped(work, signal))

  const plans = await planned(its)
  const [first] = plans
  if (first === undefined) throw new EtlError('bug', 'a pipeline without a target.')
  const done = plans.find(plan => plan.done !== null)
  if (done?.done) return alreadyPublished(done, done.done, say)
  const due = plans.filter(plan => plan.scope?.length !== 0)
  if (due.length === 0) return nothingToDo(first, say)

  time.count(first)
  for (const plan of due) await go('bootstrap', () => bootstrap(plan, ports, settings, say))
  const note = async (event: string, of: (one: Prepared) => Partial<Note>, all: readonly Prepared[]) => {
    for (const one of all) await ports.warehouse.note({ ...noteOf(one.plan), event, ...of(one) })
  }
  const claimed = await go('claim', () => claim(due, ports))
  const moment = claimed.find(plan => plan.moment !== null)?.moment ?? null
  if (moment !== null) {
    const { at, pinned, apart } = moment
    say('moment', { at: pinned.length === 0 ? null : at, sources: pinned, apart: apartText({ pinned, apart }) })
  }

  // Where the last run was cut before it made one: what stands now is about to be replaced.
  for (const { pipeline, tables, head } of due)
    if (head !== null && head.seq > 0n) await go('snapshot', () => keepSnapshot(pipeline, tables, head.version, ports))

  const prepared: Prepared[] = []
  const accept = its.request.accept === true
  try {
    for (const plan of claimed) prepared.push(await prepare({ plan, tried, ports, signal, say, accept }))
  } finally {
    await endReads(ports)
  }

  if (signal.aborted) throw new EtlError('stopped', 'told to stop before it published.', { where: { step: 'publish' } })
  const publications = prepared.map(({ publication }) => publication)
  const ended = await step({ step: 'publish' }, () =>
    publish(due[0] ?? first, publications, ports, settings, {
      signal,
      next: () => ++known.publishJobs,
      onSubmit: job => note('publishing', ({ publication: { stage } }) => ({ stage, job }), prepared),
      onWait: (why, milliseconds) => say('waiting', { why, milliseconds }),
    }),
  )
  for (const { stage } of publications) await ports.warehouse.drop(stage.table)
  return ending(ended, prepared, its, note)
}

/** The plans, after the publish jobs of earlier attempts have ended. */
async function planned({ pipeline, request, ports, settings, time: { signal }, known, say }: Try): Promise<readonly Plan[]> {
  const plan = async () => {
    const work = () => makePlans(pipeline, request, ports, settings, signal)
    known.plans = await step({ step: 'plan' }, () => untilStopped(work, signal))
    return known.plans
  }
  const unsettled = [...new Set((await plan()).flatMap(({ unsettled }) => unsettled))]
  for (const job of unsettled) await step({ step: 'settle' }, () => untilStopped(() => ports.warehouse.settle(job), signal))
  if (unsettled.length > 0) await plan()
  for (const each of known.plans) say('planned', { plan: each })
  return known.plans
}

/** The reads of a try have one moment in common; the next one has another. */
async function endReads({ readers }: Pick<Ports, 'readers'>): Promise<void> {
  for (const reader of Object.values(readers) as readonly Reader[]) await reader.end?.()
}

type Noting = (event: string, of: (one: Prepared) => Partial<Note>, all: readonly Prepared[]) => Promise<void>

/** What the publish job's answer means for the run. */
async function ending(
  { outcome, head }: PublishOutcome,
  prepared: readonly Prepared[],
  { known, ports, say }: Try,
  note: Noting,
): Promise<Outcome | 'lost'> {
  const { plan } = prepared[0] as Prepared
  if (outcome === 'published') {
    const milliseconds = ports.clock.now().getTime() - known.started
    for (const { plan: its, publication } of prepared) {
      const { stage, unchanged } = publication
      const slices = its.scope?.length ?? null
      const table = tableName(its.tables.target)
      say('published', { table, version: its.version, rows: stage.rows, slices, unchanged, milliseconds })
      // It is published, whatever comes of the snapshot.
      await keepSnapshot(its.pipeline, its.tables, its.version, ports).catch(error =>
        say('postponed', { table, what: 'the snapshot', error: placed(error, { step: 'snapshot' }) }),
      )
    }
    const rows = prepared.reduce((sum, { publication }) => sum + publication.stage.rows, 0)
    return { outcome: 'published', plan, version: plan.version, rows }
  }
  if (head.run === plan.identity.run) return alreadyPublished(plan, head, say)
  if (head.held) {
    await note('held', () => ({ message: head.run }), prepared)
    say('held', { table: tableName(plan.tables.target), version: head.version })
    return { outcome: 'held', plan, version: head.version, rows: 0 }
  }
  const isReplaced = prepared.every(one => one.plan.pipeline.write.mode === 'replace')
  if (isReplaced && microsOf(head.version) >= microsOf(plan.version)) {
    await note('superseded', () => ({ message: head.run }), prepared)
    say('superseded', { table: tableName(plan.tables.target), by: head.run, version: head.version })
    return { outcome: 'superseded', plan, version: head.version, rows: 0 }
  }
  say('waiting', { why: `${head.run} published meanwhile: planning anew`, milliseconds: 0 })
  return 'lost'
}

function alreadyPublished(plan: Plan, { attempt, version }: NonNullable<Plan['done']>, say: Say): Outcome {
  say('alreadyPublished', { by: attempt, version, table: tableName(plan.tables.target) })
  return { outcome: 'already published', plan, version, rows: plan.last?.rows ?? 0 }
}

function nothingToDo(plan: Plan, say: Say): Outcome {
  say('nothingToDo', { why: 'the source has no slice that is due' })
  return { outcome: 'nothing to do', plan, version: plan.head?.version ?? null, rows: 0 }
}

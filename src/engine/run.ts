import { EtlError } from '../domain/error.ts'
import type { RunEvent } from '../domain/event.ts'
import { microsOf } from '../domain/micros.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { Note } from '../ports/warehouse.ts'
import { audit } from './audit.ts'
import { type JobTime, jobTime } from './deadline.ts'
import { makePlan, publicationOf } from './plan.ts'
import { publish } from './publish.ts'
import type { RunRequest, Settings } from './settings.ts'
import { makeStage } from './stage.ts'
import { placed, step, untilStopped } from './step.ts'

/** How a run ended, other than by an error. */
export type Outcome = {
  readonly outcome: 'published' | 'already published' | 'nothing to do' | 'superseded' | 'held'
  readonly plan: Plan
  /** The version that this run published, or else the one that stands. */
  readonly version: string | null
  readonly rows: number
}

/** How often a run that lost its base plans anew (protocol: Losing). */
const replans = 3

type Fields<K extends RunEvent['kind']> = Omit<Extract<RunEvent, { kind: K }>, 'pipeline' | 'run' | 'attempt' | 'kind'>

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
  const known: Known = { plan: undefined, publishJobs: 0, started: ports.clock.now().getTime() }
  const say: Say = (kind, fields) => {
    const whose = { pipeline: pipeline.name, run: known.plan?.identity.run ?? request.podName ?? '', attempt: request.attempt }
    ports.report.event({ ...whose, kind, ...fields } as unknown as RunEvent)
  }
  const time = jobTime(settings, ports.clock, signal)
  try {
    for (let tried = 1; tried <= replans; tried++) {
      const outcome = await once({ pipeline, request, ports, settings, time, known, say, tried })
      if (outcome !== 'lost') return outcome
    }
    throw new EtlError('conflict', `lost ${replans} times to other publications.`, {
      where: { step: 'publish' },
      hint: 'run it again',
    })
  } catch (error) {
    const failure = time.explained(placed(error, { pipeline: pipeline.name }))
    await noteFailure(known.plan, failure, ports)
    say('failed', { error: failure, published: failure.kind === 'unknown' ? 'unknown' : false })
    throw failure
  } finally {
    time.end()
  }
}

type Say = <K extends RunEvent['kind']>(kind: K, fields: Fields<K>) => void
/** What a run knows across its tries. */
type Known = { plan: Plan | undefined; publishJobs: number; readonly started: number }
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

/** plan → bootstrap → claim → read, transform, stage → audit → publish: one call a line. */
async function once({ pipeline, request, ports, settings, time, known, say, tried }: Try): Promise<Outcome | 'lost'> {
  const { signal } = time
  const go = <T>(name: string, work: () => Promise<T>): Promise<T> => step({ step: name }, () => untilStopped(work, signal))
  const planned = () => go('plan', () => makePlan(pipeline, request, ports, settings, signal))

  let plan = await planned()
  known.plan = plan
  for (const job of plan.unsettled) await go('settle', () => ports.warehouse.settle(job))
  if (plan.unsettled.length > 0) plan = await planned()
  known.plan = plan
  say('planned', { plan })
  if (plan.done !== null) return alreadyPublished(plan, plan.done, say)
  if (plan.scope?.length === 0) return nothingToDo(plan, say)

  time.count(plan)
  const { tables } = plan
  const note = (event: string, extra: Partial<Note> = {}) => ports.warehouse.note({ ...noteOf(plan), event, ...extra })
  if (plan.bootstrap.length > 0) {
    await go('bootstrap', () => ports.warehouse.bootstrap(plan.bootstrap, request.attempt))
    say('created', { tables: [tables.target, tables.history, tables.head, tables.runs].map(tableName) })
  }
  await go('claim', () => note('claimed'))

  const { stage, read } = await makeStage(plan, tried, ports, signal, event => say(event.kind, event as never))
  await go('stage', () => note('staged', { stage, ...(read === null ? {} : { rowsRead: read }) }))
  say('staged', { table: tableName(stage.table), rows: stage.rows })

  const checks = await go('audit', () => audit(plan, stage, ports))
  say('audited', { rows: stage.rows, checks })

  if (signal.aborted) throw new EtlError('stopped', 'told to stop before it published.', { where: { step: 'publish' } })
  const { outcome, head } = await step({ step: 'publish' }, () =>
    publish(plan, stage, ports, settings, {
      signal,
      next: () => ++known.publishJobs,
      onSubmit: job => note('publishing', { stage, job }),
      onWait: (why, milliseconds) => say('waiting', { why, milliseconds }),
    }),
  )
  await ports.warehouse.drop(stage.table)

  if (outcome === 'published') {
    const { unchanged } = publicationOf(plan, stage)
    const milliseconds = ports.clock.now().getTime() - known.started
    const slices = plan.scope?.length ?? null
    say('published', {
      table: tableName(tables.target),
      version: plan.version,
      rows: stage.rows,
      slices,
      unchanged,
      milliseconds,
    })
    return { outcome: 'published', plan, version: plan.version, rows: stage.rows }
  }
  if (head.run === plan.identity.run) {
    return alreadyPublished(plan, head, say)
  }
  if (head.held) {
    await note('held', { message: head.run })
    say('held', { table: tableName(tables.target), version: head.version })
    return { outcome: 'held', plan, version: head.version, rows: 0 }
  }
  if (pipeline.write.mode === 'replace' && microsOf(head.version) >= microsOf(plan.version)) {
    await note('superseded', { message: head.run })
    say('superseded', { table: tableName(tables.target), by: head.run, version: head.version })
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

function noteOf(plan: Plan): Omit<Note, 'event'> {
  const { identity, pipeline, tables, version, scope, codeSha, schemaHash, head } = plan
  return {
    pipeline: pipeline.name,
    tables,
    run: identity.run,
    attempt: identity.attempt,
    version,
    slot: identity.slot,
    trigger: identity.trigger,
    mode: pipeline.write.mode,
    baseSeq: head?.seq ?? 0n,
    scope,
    codeSha,
    schemaHash,
  }
}

/** Notes a failure in the ledger. That note may fail too (the warehouse may be what failed); it never hides the first failure. */
async function noteFailure(plan: Plan | undefined, failure: EtlError, ports: Ports): Promise<void> {
  if (plan === undefined) return
  const { hint } = failure
  try {
    await ports.warehouse.note({
      ...noteOf(plan),
      event: 'failed',
      message: failure.message,
      ...(hint === undefined ? {} : { hint }),
    })
  } catch {
    // The first failure is thrown and reported by the caller.
  }
}

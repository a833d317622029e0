import { EtlError } from '../domain/error.ts'
import type { RunEvent } from '../domain/event.ts'
import { microsOf } from '../domain/micros.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { Note } from '../ports/warehouse.ts'
import { audit } from './audit.ts'
import { makePlan, refuseVanished } from './plan.ts'
import { publish } from './publish.ts'
import type { RunRequest, Settings } from './settings.ts'
import { makeStage } from './stage.ts'
import { placed, step } from './step.ts'

/** How a run ended, other than by an error. */
export type Outcome = {
  readonly outcome: 'published' | 'already published' | 'nothing to do' | 'superseded' | 'held'
  readonly plan: Plan
  /** The version that is current now. */
  readonly version: string | null
  readonly rows: number
}

/** How often a run that lost its base plans anew (protocol: Losing). */
const replans = 3

type Fields<K extends RunEvent['kind']> = Omit<Extract<RunEvent, { kind: K }>, 'pipeline' | 'run' | 'attempt' | 'kind'>

/**
 * One run of one pipeline: plan → read → transform → stage → audit → publish → report. Published whole and once, or not at all.
 * @throws EtlError; it has been reported and noted in the ledger by then.
 */
export async function run(
  pipeline: NamedPipeline,
  request: RunRequest,
  ports: Ports,
  settings: Settings,
  signal: AbortSignal,
): Promise<Outcome> {
  let plan: Plan | undefined
  const started = ports.clock.now().getTime()
  let publishJobs = 0
  const say = <K extends RunEvent['kind']>(kind: K, fields: Fields<K>) =>
    ports.report.event({
      pipeline: pipeline.name,
      run: plan?.identity.run ?? '',
      attempt: request.attempt,
      kind,
      ...fields,
    } as unknown as RunEvent)
  try {
    for (let tried = 0; ; tried++) {
      plan = await step({ step: 'plan' }, () => makePlan(pipeline, request, ports, settings))
      say('planned', { plan })
      for (const job of plan.unsettled) await step({ step: 'settle' }, () => ports.warehouse.settle(job))
      if (plan.unsettled.length > 0) plan = await step({ step: 'plan' }, () => makePlan(pipeline, request, ports, settings))
      if (plan.done !== null) return ended('already published', plan, plan.done.version, plan.last?.rows ?? 0, say)
      refuseVanished(plan)
      if (plan.scope?.length === 0) return ended('nothing to do', plan, plan.head?.version ?? null, 0, say)
      const current = plan
      const note = (event: string, extra: Partial<Note> = {}) => ports.warehouse.note({ ...noteOf(current), event, ...extra })

      if (plan.bootstrap.length > 0) {
        await step({ step: 'bootstrap' }, () => ports.warehouse.bootstrap(current.bootstrap, request.attempt))
        say('created', {
          tables: [
            tableName(plan.tables.target),
            tableName(plan.tables.history),
            tableName(plan.tables.head),
            tableName(plan.tables.runs),
          ],
        })
      }
      await step({ step: 'claim' }, () => note('claimed'))

      const { stage, read } = await makeStage(plan, ports, signal, event => say(event.kind, event as never))
      await step({ step: 'stage' }, () => note('staged', { stage, ...(read === null ? {} : { rowsRead: read }) }))
      say('staged', { table: tableName(stage.table), rows: stage.rows })

      const checks = await step({ step: 'audit' }, () => audit(current, stage, ports))
      say('audited', { rows: stage.rows, checks })

      if (signal.aborted) throw new EtlError('stopped', 'told to stop before it published.', { where: { step: 'publish' } })
      const result = await step({ step: 'publish' }, () =>
        publish(current, stage, ports, settings, {
          next: () => ++publishJobs,
          onSubmit: job => note('publishing', { stage, job }),
          onWait: (why, milliseconds) => say('waiting', { why, milliseconds }),
        }),
      )
      await ports.warehouse.drop(stage.table)

      const { head } = result
      if (result.outcome === 'published' || head.run === plan.identity.run) {
        const unchanged = stage.contentHash !== null && stage.contentHash === plan.last?.contentHash
        const milliseconds = ports.clock.now().getTime() - started
        say('published', {
          table: tableName(plan.tables.target),
          version: head.version,
          rows: stage.rows,
          slices: plan.scope?.length ?? null,
          unchanged,
          milliseconds,
        })
        return { outcome: 'published', plan, version: head.version, rows: stage.rows }
      }
      if (head.held) {
        say('held', { table: tableName(plan.tables.target), version: head.version })
        return { outcome: 'held', plan, version: head.version, rows: 0 }
      }
      if (pipeline.write.mode === 'replace' && microsOf(head.version) >= microsOf(plan.version)) {
        await note('superseded', { message: head.run })
        say('superseded', { table: tableName(plan.tables.target), by: head.run, version: head.version })
        return { outcome: 'superseded', plan, version: head.version, rows: 0 }
      }
      if (tried + 1 >= replans)
        throw new EtlError('conflict', `lost ${replans} times to other publications, last to ${head.run}.`, {
          where: { step: 'publish' },
          hint: 'run it again',
        })
      say('waiting', { why: `${head.run} published meanwhile: planning anew`, milliseconds: 0 })
    }
  } catch (error) {
    const failure = placed(error, { pipeline: pipeline.name })
    await noteFailure(plan, failure, ports)
    say('failed', { error: failure, published: false })
    throw failure
  }
}

function ended(
  outcome: 'already published' | 'nothing to do',
  plan: Plan,
  version: string | null,
  rows: number,
  say: (kind: 'nothingToDo', fields: Fields<'nothingToDo'>) => void,
): Outcome {
  const why =
    outcome === 'already published'
      ? `published by attempt ${plan.done?.attempt} of this run as ${version}`
      : 'the source has no slice that is due'
  say('nothingToDo', { why })
  return { outcome, plan, version, rows }
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
  if (plan === undefined || plan.head === null) return
  try {
    await ports.warehouse.note({
      ...noteOf(plan),
      event: 'failed',
      message: failure.problem,
      ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    })
  } catch {
    // The first failure is thrown and reported by the caller.
  }
}

import { EtlError } from '../domain/error.ts'
import type { Plan } from '../domain/plan.ts'
import { jitter } from '../domain/policy.ts'
import { isPublication, type Publication, type PublishOutcome } from '../domain/run.ts'
import type { Ports } from '../ports/index.ts'
import type { Settings } from './settings.ts'

/** What a publication tells its run. `next` numbers the attempt's publish jobs: a used number's job has ended, and its outcome must not be taken for a new one's. */
type Hooks = {
  readonly signal: AbortSignal
  next(): number
  onSubmit(job: string): Promise<void>
  onWait(why: string, milliseconds: number): void
}

/**
 * Publishes what was staged as one version, or loses to whoever came first. After a conflict the head is read before every try, since the aborted job
 * and the one that won are both somebody's. `plan` is that of the first of the targets.
 * @throws EtlError `conflict` when others kept publishing for the whole window, `stopped` when told to stop between two tries, `unknown` when nobody
 * answered after the job was submitted and its end can't be found out.
 */
export async function publish(
  plan: Pick<Plan, 'pipeline' | 'tables' | 'identity'>,
  publications: readonly Publication[],
  ports: Pick<Ports, 'warehouse' | 'clock'>,
  settings: Settings,
  hooks: Hooks,
): Promise<PublishOutcome> {
  const { conflict } = settings.policy
  let since: number | undefined
  for (let tried = 0; ; tried++) {
    let submitted: string | undefined
    const onSubmit = async (job: string) => {
      await hooks.onSubmit(job)
      // The last moment at which a stop leaves nothing behind.
      if (hooks.signal.aborted) throw new EtlError('stopped', 'told to stop before it published.')
      submitted = job
    }
    try {
      return await ports.warehouse.publish(publications, hooks.next(), onSubmit)
    } catch (error) {
      if (!(error instanceof EtlError)) throw error
      if (error.kind !== 'conflict') {
        if (submitted === undefined) throw error
        return await foundOut(plan, submitted, ports.warehouse, error)
      }
      const now = ports.clock.now().getTime()
      // From the first conflict on: a job that took long to end has not been tried again yet.
      since ??= now
      if (now - since > conflict.window) throw error
      const wait = jitter(conflict, tried, Math.random())
      hooks.onWait('another publication of this target was under way', wait)
      await ports.clock.sleep(wait, hooks.signal)
      if (hooks.signal.aborted) throw new EtlError('stopped', 'told to stop before it published.')
      const published = await byThisRun(plan, ports.warehouse)
      if (published !== undefined) return published
    }
  }
}

/** The publication of this run, if the ledger has one; the job's own answer may be lost. */
async function byThisRun(
  plan: Pick<Plan, 'pipeline' | 'tables' | 'identity'>,
  warehouse: Ports['warehouse'],
): Promise<PublishOutcome | undefined> {
  const { run, attempt } = plan.identity
  const { head, ledger } = await warehouse.describe(plan.pipeline, plan.tables, run)
  const found = ledger.find(row => row.run === run && isPublication(row))
  if (found === undefined || head === null) return undefined
  return { outcome: found.attempt === attempt ? 'published' : 'lost', head, job: found.job ?? '' }
}

/** Something failed after the job was submitted: it may go on by itself. Its end decides, not our patience nor our rights to ask. */
async function foundOut(
  plan: Pick<Plan, 'pipeline' | 'tables' | 'identity'>,
  job: string,
  warehouse: Ports['warehouse'],
  error: EtlError,
): Promise<PublishOutcome> {
  try {
    await warehouse.settle(job)
    const published = await byThisRun(plan, warehouse)
    if (published !== undefined) return published
  } catch (cause) {
    throw new EtlError(
      'unknown',
      `the end of the publish job ${job} could not be found out after it was submitted: ${error.problem}`,
      {
        hint: 'the job goes on by itself, and publishes once or not at all. A retried pod finds out; by hand, look at `etl versions` before you run it again',
        cause,
      },
    )
  }
  throw error
}

import { EtlError } from '../domain/error.ts'
import type { Plan } from '../domain/plan.ts'
import { jitter } from '../domain/policy.ts'
import type { PublishOutcome, Stage } from '../domain/run.ts'
import type { Ports } from '../ports/index.ts'
import { publicationOf } from './plan.ts'
import type { Settings } from './settings.ts'

/**
 * Publishes the stage as one version, or loses to whoever came first. After a conflict the head is read before every try, since the aborted job
 * and the one that won are both somebody's.
 * `next` numbers this attempt's publish jobs: a number that was used belongs to a job that has ended, whose outcome must not be taken for a new one's.
 * @throws EtlError `conflict` when others kept publishing for the whole window.
 */
export async function publish(
  plan: Plan,
  stage: Stage,
  ports: Pick<Ports, 'warehouse' | 'clock'>,
  settings: Settings,
  hooks: { next: () => number; onSubmit: (job: string) => Promise<void>; onWait: (why: string, milliseconds: number) => void },
): Promise<PublishOutcome> {
  const { conflict } = settings.policy
  const publication = publicationOf(plan, stage)
  const started = ports.clock.now().getTime()
  for (let tried = 0; ; tried++) {
    try {
      return await ports.warehouse.publish(publication, hooks.next(), hooks.onSubmit)
    } catch (error) {
      if (!(error instanceof EtlError) || error.kind !== 'conflict') throw error
      if (ports.clock.now().getTime() - started > conflict.window) throw error
      const wait = jitter(conflict, tried, Math.random())
      hooks.onWait('another publication of this target was under way', wait)
      await ports.clock.sleep(wait)
      const state = await ports.warehouse.describe(plan.pipeline, plan.tables, plan.identity.run)
      if (state.head !== null && state.head.run === plan.identity.run) return { outcome: 'published', head: state.head, job: '' }
    }
  }
}

import { EtlError } from '../domain/error.ts'
import { microsOf } from '../domain/micros.ts'
import type { Plan } from '../domain/plan.ts'
import type { Clock } from '../ports/clock.ts'
import type { Settings } from './settings.ts'

/** A pod that began so soon after its tick is the Job's first; one that began later may belong to a Job that the controller made late. Milliseconds. */
const punctual = 5 * 60_000

/** What a run's Job allows: `signal` aborts when somebody says stop, and when too little of the Job's time is left to publish. */
export type JobTime = {
  readonly signal: AbortSignal
  /** From here on the time counts: the plan knows when the Job began. */
  count(plan: Pick<Plan, 'identity' | 'claimedAt'>): void
  /** A stop for want of time as the sentence that says so; any other failure as it is. */
  explained(failure: EtlError): EtlError
  /** Ends the waiting; must be called. */
  end(): void
}

/**
 * The Job's time limit (activeDeadlineSeconds) as a stop: Kubernetes would end the pod, perhaps with a publish job under way whose end nobody hears.
 * Without a deadline there is nothing but `signal`.
 */
export function jobTime({ deadline, policy }: Settings, clock: Clock, signal: AbortSignal): JobTime {
  if (deadline === undefined) return { signal, count: () => undefined, explained: failure => failure, end: () => undefined }
  const over = new AbortController()
  const waiting = new AbortController()
  let left = 0
  return {
    signal: AbortSignal.any([signal, over.signal]),
    count(plan) {
      const began = jobBegan(plan, deadline.processBegan)
      const time = () => began + deadline.seconds * 1000 - clock.now().getTime()
      const stop = () => {
        left = time()
        over.abort()
      }
      const free = time() - policy.deadline
      if (free <= 0) stop()
      else void clock.sleep(free, waiting.signal).then(() => (waiting.signal.aborted ? undefined : stop()))
    },
    explained(failure) {
      if (failure.kind !== 'stopped' || !over.signal.aborted) return failure
      return new EtlError(
        'stopped',
        `stops before publish: ${Math.max(0, Math.floor(left / 1000))} s left of the Job's deadline of ${deadline.seconds} s.`,
        {
          where: failure.where,
          cause: failure,
          hint: 'nothing was published; the next run goes on. If it happens again: a smaller maxSlices, or a source with fewer rows',
        },
      )
    },
    end: () => waiting.abort(),
  }
}

/**
 * When the Job began, in milliseconds since 1970: the first that is known of it. The process itself at the latest; an earlier pod's claim; and the tick in the
 * Job's name, if one of the two followed it closely: the controller makes a late Job for a tick that it missed, and its deadline counts from its own start (Kubernetes:
 * CronJob, 'Deadline for delayed Job start'; Job, activeDeadlineSeconds is 'relative to the startTime').
 */
export function jobBegan({ identity, claimedAt }: Pick<Plan, 'identity' | 'claimedAt'>, processBegan: number): number {
  const first = claimedAt === null ? processBegan : Math.min(processBegan, milliseconds(claimedAt))
  if (identity.trigger !== 'scheduled') return first
  const tick = milliseconds(identity.slot)
  return tick <= first && first - tick <= punctual ? tick : first
}

function milliseconds(timestamp: string): number {
  return Number(microsOf(timestamp) / 1000n)
}

import { EtlError } from '../domain/error.ts'
import { microsOf } from '../domain/micros.ts'
import type { Head, Identity, LedgerRow } from '../domain/run.ts'
import type { RunRequest } from './settings.ts'
import { jobName, lastTick, type Schedule, slotOf, versionOf } from './tick.ts'

/** The run that a process belongs to (docs/identity.md): its Job, or itself on a laptop; a batch of a backfill is a run of its own. */
export function runOf(request: RunRequest): string {
  return request.batch?.run ?? jobOf(request)?.run ?? `local-${request.user}-${request.attempt}`
}

/**
 * Who started the run and which time its data is for.
 * @throws EtlError `usage` for a slot in the future.
 */
export function identityOf(schedule: Schedule, request: RunRequest, run: string, now: string): Identity {
  const { trigger, slot } = started(schedule, request, now)
  if (microsOf(slot) > microsOf(now) + 300_000_000n) {
    throw new EtlError('usage', `the slot ${slot} is in the future: it is ${now} by BigQuery's clock.`, {
      hint: 'choose a time that has come',
    })
  }
  return { run, attempt: request.attempt, trigger, slot }
}

function started(schedule: Schedule, request: RunRequest, now: string): Pick<Identity, 'trigger' | 'slot'> {
  const job = jobOf(request)
  if (request.slot !== undefined) return { trigger: 'manual', slot: request.slot }
  // A backfill in a scheduled Job is somebody's edit of it: its tick says nothing of the batches.
  if (request.batch !== undefined) return { trigger: job === undefined ? 'local' : 'manual', slot: lastTick(schedule, now) }
  return slotOf(job, schedule, now)
}

function jobOf({ podName, naisjob }: RunRequest) {
  return podName === undefined ? undefined : jobName(podName, naisjob ?? '')
}

const never = '1970-01-01T00:00:00Z'

/** The version that a run claims that has none yet. */
export function newVersion({ trigger, slot }: Identity, now: string, head: Head | null): string {
  return versionOf(trigger, slot, now, head?.version ?? never)
}

/** The version that an earlier attempt of this run claimed, if it can still be published. */
export function claimed(mine: readonly LedgerRow[], head: Head | null): string | undefined {
  const version = mine.find(row => row.event === 'claimed')?.version
  return version !== undefined && microsOf(version) > microsOf(head?.version ?? never) ? version : undefined
}

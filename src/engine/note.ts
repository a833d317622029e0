import type { EtlError } from '../domain/error.ts'
import type { Plan } from '../domain/plan.ts'
import type { Ports } from '../ports/index.ts'
import type { Note } from '../ports/warehouse.ts'

/** What every note of a planned run says in the ledger. */
export function noteOf(plan: Plan): Omit<Note, 'event'> {
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
export async function noteFailure(plans: readonly Plan[], failure: EtlError, ports: Pick<Ports, 'warehouse'>): Promise<void> {
  const { hint } = failure
  for (const plan of plans) {
    try {
      await ports.warehouse.note({
        ...noteOf(plan),
        event: 'failed',
        message: failure.message,
        ...(hint === undefined ? {} : { hint }),
      })
    } catch {
      // The first failure is thrown and reported by the caller.
      return
    }
  }
}

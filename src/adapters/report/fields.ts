import { frames, kinds } from '../../domain/error.ts'
import type { RunEvent } from '../../domain/event.ts'

/** What stands in a log line beside the message: ids and counts, in the names of one convention. No value of a row. */
export function fieldsOf(event: RunEvent): Readonly<Record<string, unknown>> {
  const whose = { event: event.kind, pipeline: event.pipeline, run: event.run, attempt: event.attempt }
  switch (event.kind) {
    case 'planned': {
      const { plan } = event
      return {
        ...whose,
        version: plan.version,
        slot: plan.identity.slot,
        trigger: plan.identity.trigger,
        table: tableText(plan.tables.target),
        slices: plan.scope?.length ?? null,
        slices_left: plan.left,
        why: plan.why,
      }
    }
    case 'created':
      return { ...whose, tables: event.tables }
    case 'evolved':
      return { ...whose, table: event.table, changes: event.changes }
    case 'moment':
      return { ...whose, at: event.at, sources: event.sources, apart: event.apart }
    case 'way':
      return { ...whose, source: event.source, by: event.by }
    case 'reading':
      return { ...whose, source: event.source, rows: event.rows }
    case 'transformed':
      return {
        ...whose,
        slice: event.slice,
        rows_in: event.rowsIn,
        rows_out: event.rowsOut,
        slices_done: event.done,
        slices: event.of,
      }
    case 'staged':
    case 'resumed':
      return { ...whose, table: event.table, rows: event.rows }
    case 'audited':
      return { ...whose, rows: event.rows, checks: event.checks, budget: event.budget, accepted: event.accepted }
    case 'waiting':
      return { ...whose, why: event.why, milliseconds: Math.round(event.milliseconds) }
    case 'published':
      return {
        ...whose,
        table: event.table,
        version: event.version,
        rows: event.rows,
        slices: event.slices,
        unchanged: event.unchanged,
        milliseconds: Math.round(event.milliseconds),
      }
    case 'alreadyPublished':
      return { ...whose, table: event.table, by: event.by, version: event.version, hint: reusedName }
    case 'postponed':
      return { ...whose, table: event.table, what: event.what, kind: event.error.kind, error: event.error.message }
    case 'nothingToDo':
      return { ...whose, why: event.why }
    case 'superseded':
      return { ...whose, table: event.table, by: event.by, version: event.version }
    case 'held':
      return { ...whose, table: event.table, version: event.version }
    case 'failed':
      return {
        ...whose,
        kind: event.error.kind,
        reason: kinds[event.error.kind].message,
        error: event.error.message,
        published: event.published,
        stack_trace: stackTrace(event.error),
      }
  }
}

/** Our message, our frames, then the frames of the causes; never a cause's own text, which can hold a row. */
function stackTrace(error: Error): string {
  const parts = [`${error.name}: ${error.message}`, frames(error)]
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) parts.push(`caused by ${cause.name}`, frames(cause))
  return parts.filter(part => part !== '').join('\n')
}

function tableText({ project, dataset, table }: { project: string; dataset: string; table: string }): string {
  return `${project}.${dataset}.${table}`
}

/** A retried pod is meant to end like this; a Job that somebody made by hand under a name that was used before is not. */
export const reusedName = 'A retried pod of the same Job? Then all is well. A new Job by hand needs a name that was never used.'

import { microsOf, timestampOf } from './micros.ts'
import type { Scope } from './run.ts'
import type { WriteMode } from './write.ts'

/** How a source keeps what it held when it was read. */
export type Past =
  /** Files of the project lie in git. */
  | { readonly kind: 'files' }
  /** A table of BigQuery's own: its partitions by a DATE column, if it has such, are kept for so many days (null: for ever); all of it for the time travel. */
  | { readonly kind: 'table'; readonly partitionedBy: string | null; readonly days: number | null }
  /** It never changes: a snapshot of a table. */
  | { readonly kind: 'fixed' }
  /** The target itself: its history. */
  | { readonly kind: 'self' }
  | { readonly kind: 'none'; readonly why: string }

/** Whether a version could be recomputed from its sources, until the end of which day, and why. */
export type Replayable = { readonly answer: 'yes' | 'until' | 'no'; readonly until: string | null; readonly why: string }

/** BigQuery: Data retention with time travel: seven days, unless the dataset says fewer (at least two). */
const timeTravel = 7

/** Can this version be recomputed, while the code that made it can be checked out? The source that forgets first decides. */
export function replayable(
  version: string,
  write: WriteMode,
  scope: Scope,
  sources: readonly { readonly name: string; readonly past: Past }[],
): Replayable {
  const each = sources.map(source => ofSource(version, write, scope, source))
  const never = each.filter(({ answer }) => answer === 'no')
  if (never.length > 0) return { answer: 'no', until: null, why: reasons(never) }
  const limited = each.filter(({ answer }) => answer === 'until')
  const until = limited.map(one => one.until ?? '').sort()[0]
  if (until === undefined) return { answer: 'yes', until: null, why: reasons(each) }
  return { answer: 'until', until, why: reasons(limited.filter(one => one.until === until)) }
}

/** `yes: …`, `until 2026-11-28: …` or `no, because …`. */
export function replayText({ answer, until, why }: Replayable): string {
  return answer === 'no' ? `no, because ${why}` : `${answer}${until === null ? '' : ` ${until}`}: ${why}`
}

function ofSource(version: string, write: WriteMode, scope: Scope, { name, past }: { name: string; past: Past }): Replayable {
  switch (past.kind) {
    case 'files':
      return { answer: 'yes', until: null, why: `${name} is in git` }
    case 'fixed':
      return { answer: 'yes', until: null, why: `${name} is a snapshot of a table, which stays as it is while it is there` }
    case 'none':
      return { answer: 'no', until: null, why: `${name} ${past.why}` }
    case 'self':
      return write.history.kind === 'none'
        ? { answer: 'no', until: null, why: `${name} is the target, which keeps no history` }
        : until(version, write.history.days, `${name} is the target, whose history is kept ${write.history.days} days`)
    case 'table': {
      const isSliced = write.mode === 'partition' && write.column.toLowerCase() === past.partitionedBy?.toLowerCase()
      if (!isSliced)
        return until(
          version,
          timeTravel,
          `time travel of ${name} ends (after ${timeTravel} days, or fewer where its dataset says so)`,
        )
      if (past.days === null)
        return { answer: 'yes', until: null, why: `${name} keeps its partitions; what was changed in them is not undone` }
      // BigQuery: Managing partitioned tables: a partition expires so long after its own date, not after the last write.
      const oldest = scope?.[0] === undefined ? version : `${scope[0]}T00:00:00Z`
      return until(oldest, past.days, `${name} keeps a partition for ${past.days} days`)
    }
  }
}

function until(time: string, days: number, why: string): Replayable {
  const end = timestampOf(microsOf(time) + BigInt(Math.round(days * 86_400)) * 1_000_000n)
  return { answer: 'until', until: end.slice(0, 10), why }
}

function reasons(of: readonly Replayable[]): string {
  return of.map(({ why }) => why).join(', ')
}

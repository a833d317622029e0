import { microsOf } from '../domain/micros.ts'
import { type Head, isPublication, type LedgerRow, type Scope } from '../domain/run.ts'
import type { Partition } from '../domain/write.ts'

/** The slices that a run does: ascending; `left` wait for the next run. */
export type WorkList = {
  readonly scope: readonly string[]
  readonly left: number
  readonly missing: number
  readonly again: number
  /** Of those again: the source has no row of them any more, and they are emptied. */
  readonly lost: number
  /** Of those again: the source has changed them since they were read. */
  readonly late: number
}

/**
 * The work list: slices of the source that no published version has in its scope, and the newest `recompute` again, among them such as the source has
 * lost since while it kept older ones (what is older than all it has was not lost, but expired). What a rollback undid is due again. A missed day is simply
 * not in the ledger, so that the next run does it. Nothing after the date `upTo`. Where there are more than `maxSlices`: the newest first, which readers wait
 * for, then the oldest that is missing, which the source may lose first, then those that the source has `changed` since they were read.
 */
export function workList(
  sourceDates: readonly string[],
  ledger: readonly LedgerRow[],
  write: Partition,
  upTo: string,
  changed: readonly string[] = [],
): WorkList {
  const { all, done, there } = known(sourceDates, ledger, upTo)
  const missing = all.filter(date => !done.has(date) && there.has(date))
  const first = newest(all, missing, write)
  const touched = new Set(changed)
  const late = all.filter(date => done.has(date) && touched.has(date) && !first.includes(date))
  const due = [...new Set([...first, ...missing, ...late])]
  const scope = due.slice(0, write.maxSlices).sort()
  const twice = scope.filter(date => done.has(date)).length
  const lost = scope.filter(date => !there.has(date)).length
  return {
    scope,
    left: due.length - scope.length,
    missing: scope.length - twice,
    again: twice,
    lost,
    late: late.filter(date => scope.includes(date)).length,
  }
}

/** What a backfill is to do: dates, both included; with `missing` only the slices that no version has. */
export type Bounds = { readonly from: string; readonly to: string; readonly missing: boolean }

/** The same list with bounds, in the order in which batches do it: the newest of the source first, then the oldest. Without those that are `finished`. */
export function boundedList(
  sourceDates: readonly string[],
  ledger: readonly LedgerRow[],
  write: Partition,
  upTo: string,
  { from, to, missing }: Bounds,
  finished: ReadonlySet<string>,
): readonly string[] {
  const { all, done, there } = known(sourceDates, ledger, upTo)
  const wanted = all.filter(date => date >= from && date <= to && !finished.has(date))
  const due = missing ? wanted.filter(date => !done.has(date) && there.has(date)) : wanted
  const first = newest(all, due, write).filter(date => due.includes(date))
  return [...new Set([...first, ...due])]
}

/** The newest slices, which are done again at every run; where none are, the newest that is missing. The newest first. */
function newest(all: readonly string[], missing: readonly string[], { recompute }: Partition): readonly string[] {
  return (recompute === 0 ? missing.slice(-1) : all.slice(-recompute)).toReversed()
}

/** The slices up to a date, ascending: those that the source has (`there`), and those that some version has had, unless they have expired. `done`: a version that stands has them. */
function known(sourceDates: readonly string[], ledger: readonly LedgerRow[], upTo: string) {
  const done = new Set<string>()
  const had = new Set<string>()
  for (const { event, scope } of ledger.filter(isPublication)) {
    for (const date of scope ?? []) {
      had.add(date)
      // What a rollback touched is to be done again, once it is released.
      if (event === 'restored') done.delete(date)
      else done.add(date)
    }
  }
  const there = new Set(sourceDates)
  const first = [...there].sort()[0] ?? ''
  const all = [...new Set([...there, ...[...had].filter(date => date > first)])].filter(date => date <= upTo).sort()
  return { all, done, there }
}

/** What the last version was, by the ledger. */
export function lastPublished(
  ledger: readonly LedgerRow[],
): { version: string; rows: number | null; contentHash: string | null; scope: Scope } | null {
  const published = ledger.filter(isPublication)
  const last = published.reduce<LedgerRow | undefined>(
    (newest, row) => (newest === undefined || microsOf(row.version) > microsOf(newest.version) ? row : newest),
    undefined,
  )
  return last === undefined ? null : { version: last.version, rows: last.rows, contentHash: last.contentHash, scope: last.scope }
}

/** The ledger without publications to a head that somebody dropped: `seq` counts those to this one. In the order of time. */
export function ofThisHead(ledger: readonly LedgerRow[], head: Head | null): readonly LedgerRow[] {
  const all = ledger.filter(isPublication)
  const gone = new Set(all.slice(0, Math.max(0, all.length - Number(head?.seq ?? 0n))))
  return gone.size === 0 ? ledger : ledger.filter(row => !gone.has(row))
}

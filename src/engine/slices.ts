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
}

/**
 * The work list: slices of the source that no published version has in its scope, and the newest `recompute` again, among them such as the source has
 * lost since while it kept older ones (what is older than all it has was not lost, but expired); the newest first where there are more than
 * `maxSlices`. What a rollback undid is due again. A missed day is simply not in the ledger, so that the next run does it. Nothing after the date `upTo`.
 */
export function workList(sourceDates: readonly string[], ledger: readonly LedgerRow[], write: Partition, upTo: string): WorkList {
  const done = new Set<string>()
  const known = new Set<string>()
  for (const { event, scope } of ledger.filter(isPublication)) {
    for (const date of scope ?? []) {
      known.add(date)
      // What a rollback touched is to be done again, once it is released.
      if (event === 'restored') done.delete(date)
      else done.add(date)
    }
  }
  const first = [...sourceDates].sort()[0] ?? ''
  const all = [...new Set([...sourceDates, ...[...known].filter(date => date > first)])].filter(date => date <= upTo).sort()
  const again = new Set(write.recompute === 0 ? [] : all.slice(-write.recompute))
  const due = all.filter(date => again.has(date) || (!done.has(date) && sourceDates.includes(date)))
  const scope = due.slice(-write.maxSlices)
  const twice = scope.filter(date => done.has(date)).length
  const lost = scope.filter(date => !sourceDates.includes(date)).length
  return { scope, left: due.length - scope.length, missing: scope.length - twice, again: twice, lost }
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

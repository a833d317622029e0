import type { Ended } from './job.ts'

/**
 * What can be wrong.
 * - `duplicates`: a run published twice, or a row stands twice.
 * - `partial`: a content that no run published whole, in the table, in a look in between, or in the history.
 * - `old-over-new`: a version that does not come after the one before, or a table that shows an earlier one.
 * - `lost`: what a process or the ledger said is not there; also a process that hangs, or fails with nobody in its way.
 */
export type Finding = { readonly kind: 'duplicates' | 'partial' | 'old-over-new' | 'lost'; readonly text: string }

/** What the harness knows of a run: the generations of the source that it may have read, and how its processes ended. */
export type KnownRun = {
  readonly run: string
  readonly from: number
  to: number
  /** Its processes, each with how many publications the target had when it was started. */
  readonly ends: { readonly ended: Ended; readonly base: number }[]
  /** Its last attempt met no fault and no other run. */
  mustEndWell: boolean
}

import { microsOf } from '../domain/micros.ts'
import { type Head, isPublication, type LedgerRow, type Scope, type Stage } from '../domain/run.ts'
import { tableRef } from '../domain/source.ts'
import { keepsRows, type WriteMode } from '../domain/write.ts'

/** What a stage of an earlier attempt must agree with. */
type Now = {
  readonly codeSha: string
  readonly schemaHash: string
  readonly scope: Scope
  readonly head: Head | null
}

/**
 * The newest complete stage of an earlier attempt of this run that may still be published: made by the same code for the same schema and slices, on the
 * base that still stands, and no attempt of it has failed since. Of replace too: after another run's publication this one claims anew, and its old rows
 * would be the newest version. Whether the table is still there, the audit finds out.
 */
export function resumable(mine: readonly LedgerRow[], now: Now): Stage | null {
  const at = mine.findLastIndex(row => row.event === 'staged')
  const row = mine[at]
  if (row?.stage === null || row?.stage === undefined || row.rows === null) return null
  const failed = mine.slice(at).some(later => later.event === 'failed' && later.attempt === row.attempt)
  const fits =
    row.codeSha === now.codeSha &&
    row.schemaHash === now.schemaHash &&
    JSON.stringify(row.scope) === JSON.stringify(now.scope) &&
    row.baseSeq === (now.head?.seq ?? 0n)
  return fits && !failed ? { table: tableRef(row.stage, ''), rows: row.rows, contentHash: row.contentHash } : null
}

/**
 * merge: the history needs a full copy of the table at the first publication, and again before the last one expires, since a version is read from the
 * newest copy before it.
 */
export function isBaselineDue(write: WriteMode, ledger: readonly LedgerRow[], version: string): boolean {
  if (write.mode !== 'merge' || !keepsRows(write) || write.history.kind !== 'rows') return false
  const last = ledger.findLast(row => isPublication(row) && row.baseline)
  const half = (BigInt(write.history.days) * 86_400_000_000n) / 2n
  return last === undefined || microsOf(version) - microsOf(last.version) >= half
}

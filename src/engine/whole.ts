import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { TargetTables } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Warehouse } from '../ports/warehouse.ts'
import { asked } from './asked.ts'
import { snapshotTable } from './snapshot.ts'
import { datesSince, versionsOfSlices } from './state.ts'
import type { Versions } from './versions.ts'

/**
 * The history is what the ledger says it is, or a version that needs it is refused: a part of it would pass for the whole. An author may have changed the history's length, and somebody its
 * rows; a snapshot that was made too late is empty.
 * @throws EtlError `notFound`.
 */
export async function checkWhole(
  pipeline: NamedPipeline,
  tables: TargetTables,
  versions: Versions,
  version: string,
  warehouse: Pick<Warehouse, 'ask'>,
): Promise<void> {
  const needed = rowsNeeded(pipeline, versions, version)
  if (needed.length === 0) return
  const from = pipeline.write.history.kind === 'snapshot' ? snapshotTable(tables, version) : tables.history
  const list = needed.map(({ version: one }) => literal.timestamp(one)).join(', ')
  const { rows } = await asked(
    warehouse,
    tables,
    `SELECT version, COUNT(*) AS n FROM ${literal.table(from)} WHERE version IN (${list}) GROUP BY version`,
  )
  const found = new Map(rows.map(row => [String(row.version), Number(row.n)]))
  const lacking = needed.find(({ version: one, rows: wanted, isCopy }) => {
    const n = found.get(one) ?? 0
    return wanted !== null && (isCopy ? wanted > 0 && n === 0 : n !== wanted)
  })
  if (lacking === undefined) return
  throw new EtlError(
    'notFound',
    `version ${version} is not whole any more: ${tableName(from)} has ${found.get(lacking.version) ?? 0} rows of version ${lacking.version}, and ${lacking.rows} were written.`,
    { hint: 'they have expired, were deleted, or the pipeline kept no history then; nothing was changed' },
  )
}

/** Versions whose rows must be there still, with how many the ledger says there were; `isCopy`: at least one, where the ledger doesn't say. */
function rowsNeeded(
  { write }: NamedPipeline,
  versions: Versions,
  version: string,
): readonly { readonly version: string; readonly rows: number | null; readonly isCopy: boolean }[] {
  const at = versions.all.findIndex(one => one.version === version)
  const [standing, wanted] = [versions.all[0], versions.all[at]]
  if (wanted === undefined || wanted === standing) return []
  if (write.mode === 'replace') return [{ ...wanted, isCopy: false }]
  if (write.mode === 'partition')
    return versionsOfSlices(versions, version, datesSince(versions, version)).map(({ of }) => ({ ...of, isCopy: false }))
  if (write.mode !== 'merge') return []
  const copy = versions.all.slice(at).find(one => one.baseline)
  return copy === undefined ? [] : [{ ...copy, isCopy: true }]
}

import { literal } from '../domain/literal.ts'
import { microsOf, timestampOf } from '../domain/micros.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { TargetTables } from '../domain/run.ts'
import type { TableRef } from '../domain/source.ts'
import type { Clock } from '../ports/clock.ts'
import type { Warehouse } from '../ports/warehouse.ts'

/** The snapshot of a version: beside the ledger, where consumers have no access. */
export function snapshotTable({ head, target }: TargetTables, version: string): TableRef {
  return { project: head.project, dataset: head.dataset, table: `snapshot__${target.table}__${microsOf(version)}` }
}

/**
 * Keeps the table as it is as a snapshot of the version that it has now, unless there is one. May be repeated; made late, by the next run, it is as good, for
 * nobody else changes the table. Whoever reads it asks for that version's rows: should another publication have come between, there are none.
 */
export async function keepSnapshot(
  { write }: Pick<NamedPipeline, 'write'>,
  tables: TargetTables,
  version: string,
  { warehouse, clock }: { readonly warehouse: Pick<Warehouse, 'execute'>; readonly clock: Clock },
): Promise<void> {
  if (write.history.kind !== 'snapshot') return
  const snapshot = snapshotTable(tables, version)
  const ends = timestampOf(microsOf(version) + BigInt(write.history.days) * 86_400_000_000n)
  // One whose time is over already would be refused, and stand in the way of the run that ends a long pause.
  if (microsOf(ends) <= BigInt(clock.now().getTime()) * 1000n) return
  await warehouse.execute(
    `etl-snapshot-${snapshot.table}`,
    `CREATE SNAPSHOT TABLE IF NOT EXISTS ${literal.table(snapshot)} CLONE ${literal.table(tables.target)} OPTIONS (expiration_timestamp = ${literal.timestamp(ends)})`,
    `the snapshot of version ${version}`,
  )
}

import { child, children, type Node, text } from '../../googlesql/tree.ts'
import { now as milliseconds } from '../clock.ts'
import { BigQueryError, type TableMeta } from '../contract.ts'
import { noSuchTable, notForKind, tableExists } from '../names.ts'
import { tableOptions, unsupported } from './columns.ts'
import { type Defined, tableOf } from './ddl.ts'
import { NotLowered, only } from './lower/grammar.ts'
import { loweringOf } from './query.ts'
import type { Prepared, Session } from './session.ts'

/**
 * Makes a snapshot of a table. BigQuery: Introduction to table snapshots: "A BigQuery table snapshot preserves the contents of a table (called the base
 * table) at a particular time", "Table snapshots are read-only; you can't update table snapshot data unless you create a standard table from the
 * snapshot". Here it is a copy; on the service it shares the base table's storage. Throws BigQueryError.
 */
export async function createSnapshot(session: Session, prepared: Prepared, now: string): Promise<Defined> {
  const { resolved } = prepared
  const ref = tableOf(session, resolved)
  if (await session.catalogue.find(ref)) {
    if (text(resolved, 'createMode') === 'CREATE_IF_NOT_EXISTS') return { operation: 'SKIP', table: ref, rows: 0 }
    throw tableExists(ref)
  }
  const base = baseOf(prepared)
  const lowering = await loweringOf(session, prepared, now)
  const { partitionExpirationMs, requirePartitionFilter, ...options } = tableOptions(
    children(resolved, 'optionList'),
    true,
    lowering,
  )
  if (partitionExpirationMs !== undefined || requirePartitionFilter !== undefined)
    throw unsupported('An option of partitions', 'A snapshot has expiration_timestamp, description and friendly_name')
  const { partition } = base
  const { physical } = await session.catalogue.create({
    ref,
    kind: 'SNAPSHOT',
    schema: base.schema,
    snapshot: { base: base.ref, time: milliseconds() },
    ...(partition && { partition: { column: partition.column, type: partition.type } }),
    ...(base.clustering && { clustering: base.clustering }),
    ...(base.requirePartitionFilter && { requirePartitionFilter: true }),
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)),
  })
  await session.catalogue.connection.run(`INSERT INTO ${physical} SELECT * FROM ${base.physical}`)
  return { operation: 'CREATE', table: ref, rows: 0 }
}

/** Drops a snapshot. Throws BigQueryError. */
export async function dropSnapshot(session: Session, prepared: Prepared): Promise<Defined> {
  const ref = tableOf(session, prepared.resolved)
  const found = await session.catalogue.find(ref)
  if (found === undefined) {
    if (prepared.resolved.isIfExists === true) return { operation: 'SKIP', table: ref, rows: 0 }
    throw noSuchTable(ref)
  }
  if (found.kind !== 'SNAPSHOT') throw notForKind(ref, found.kind)
  await session.catalogue.drop(ref)
  return { operation: 'DROP', table: ref, rows: 0 }
}

function baseOf({ resolved, tables }: Prepared): TableMeta {
  const from: Node = child(resolved, 'cloneFrom') ?? {}
  try {
    only(resolved, 'namePath', 'createMode', 'createScope', 'cloneFrom', 'optionList')
    if (from.kind !== 'resolvedTableScanNode') throw new NotLowered('a part of the base table')
    only(from, 'table', 'alias', 'columnIndexList')
  } catch (error) {
    throw error instanceof NotLowered ? unsupported(`In CREATE SNAPSHOT TABLE ${error.part}`, 'Clone the whole table') : error
  }
  const base = tables.get(text(child(from, 'table'), 'name'))
  if (base === undefined) throw new BigQueryError('internalError', 'CREATE SNAPSHOT TABLE without a table')
  return base
}

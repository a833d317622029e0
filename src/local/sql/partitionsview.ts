import { randomBytes } from 'node:crypto'
import { parts } from '../../googlesql/tables.ts'
import {
  BigQueryError,
  type Catalogue,
  type DatasetRef,
  type Field,
  type QueryRequest,
  type Store,
  type TableMeta,
} from '../contract.ts'
import { literal, quoted } from '../duck.ts'
import { noSuchDataset } from '../names.ts'
import { byteSize } from '../sizes.ts'
import { physicalType } from '../types.ts'

/** What of a session it needs. */
type PartitionsContext = {
  readonly store: Store
  readonly catalogue: Catalogue
  readonly request: Pick<QueryRequest, 'project' | 'sql'>
}

/** The dataset whose INFORMATION_SCHEMA.PARTITIONS a path names; undefined for any other. */
export function partitionsView(path: readonly string[], { request }: Pick<PartitionsContext, 'request'>): DatasetRef | undefined {
  const [view, schema, dataset, ...project] = parts(path).reverse()
  if (view?.toUpperCase() !== 'PARTITIONS' || schema?.toUpperCase() !== 'INFORMATION_SCHEMA' || dataset === undefined)
    return undefined
  return { project: project.length > 0 ? project.reverse().join('.') : request.project, dataset }
}

/**
 * BigQuery: PARTITIONS view: one row for each partition. Here of the one table that the statement names in `table_name = '…'`: the view is filled anew for each
 * statement that asks. Throws BigQueryError.
 */
export async function partitionsTable(session: PartitionsContext, dataset: DatasetRef): Promise<TableMeta> {
  const { catalogue } = session
  const name = /\btable_name\s*=\s*(['"])([^'"\\]+)\1/i.exec(session.request.sql)?.[2]
  if (name === undefined)
    throw new BigQueryError(
      'notImplemented',
      "INFORMATION_SCHEMA.PARTITIONS of the local BigQuery tells of one table: add WHERE table_name = '…', as a literal.",
      'query',
    )
  if (!(await catalogue.hasDataset(dataset))) throw noSuchDataset(dataset)
  const physical = quoted('temp', 'main', `partitions_${randomBytes(9).toString('hex')}`)
  const columns = schema.map(field => `${quoted(field.name)} ${physicalType(field)}`).join(', ')
  await catalogue.connection.run(`CREATE TEMP TABLE ${physical} (${columns})`)
  const table = await catalogue.find({ ...dataset, table: name })
  if (table !== undefined && table.kind !== 'VIEW') await fill(session, table, physical)
  const ref = { ...dataset, table: 'INFORMATION_SCHEMA.PARTITIONS' }
  return { ref, kind: 'SNAPSHOT', physical, schema, etag: '', createdAt: 0, modifiedAt: 0 }
}

async function fill(session: PartitionsContext, table: TableMeta, physical: string): Promise<void> {
  const { connection } = session.catalogue
  const { project, dataset, table: name } = table.ref
  const of = [project, dataset, name].map(literal).join(', ')
  if (table.partition === undefined || table.kind !== 'TABLE') {
    await connection.run(`INSERT INTO ${physical} SELECT ${of}, NULL, count(*), ${byteSize(table.schema)}, ${byteSize(table.schema)},
      make_timestamptz(${table.modifiedAt} * 1000), 'ACTIVE' FROM ${table.physical}`)
    return
  }
  // On a connection of its own: a statement that reads writes nothing in its transaction.
  const own = await session.store.connect()
  try {
    await own.partitionTimes.ask(own, table)
  } finally {
    own.connection.closeSync()
  }
  await connection.run(`INSERT INTO ${physical} SELECT ${of}, id, n, NULL, NULL, make_timestamptz(modified * 1000), 'ACTIVE'
    FROM _catalogue.partitions WHERE physical = ${literal(table.physical)} AND id IS NOT NULL`)
}

const column = (name: string, type: Field['type']): Field => ({ name, type, mode: 'NULLABLE' })
const schema: readonly Field[] = [
  column('table_catalog', 'STRING'),
  column('table_schema', 'STRING'),
  column('table_name', 'STRING'),
  column('partition_id', 'STRING'),
  column('total_rows', 'INT64'),
  column('total_logical_bytes', 'INT64'),
  column('total_billable_bytes', 'INT64'),
  column('last_modified_time', 'TIMESTAMP'),
  column('storage_tier', 'STRING'),
]

import { randomBytes } from 'node:crypto'
import type { DuckDBConnection } from '@duckdb/node-api'
import { BigQueryError, type Field, type TableRef } from './contract.ts'
import { quoted, rowsOf } from './duck.ts'
import { findJob } from './jobstore.ts'
import { nameOf } from './names.ts'
import { fieldsToRest } from './schema.ts'

/** Rows that a client can page through: rowids 0, 1, 2, … */
export type Rows = {
  readonly rows: string
  readonly schema: readonly Field[]
  readonly totalRows: number
  readonly snapshot?: string
}

/** The dataset that the results of queries seem to lie in (on the service they are anonymous tables); a table's name is the job's id. */
export const resultsDataset = '_local_results'

/** The result that this name stands for, if it is one. Throws `notFound` for a result that isn't there any more. */
export async function resultRows(connection: DuckDBConnection, ref: TableRef): Promise<Rows | undefined> {
  if (ref.dataset !== resultsDataset) return undefined
  const outcome = (await findJob(connection, ref.project, ref.table))?.outcome
  if (!outcome?.rows) throw new BigQueryError('notFound', `Not found: Table ${nameOf(ref)}`)
  return { rows: outcome.rows, schema: outcome.schema, totalRows: outcome.totalRows }
}

/** The result as tables.get answers it. */
export function resultResource(ref: TableRef, rows: Rows): object {
  return {
    kind: 'bigquery#table',
    id: nameOf(ref),
    etag: ref.table,
    tableReference: { projectId: ref.project, datasetId: ref.dataset, tableId: ref.table },
    type: 'TABLE',
    schema: { fields: fieldsToRest(rows.schema) },
    numRows: String(rows.totalRows),
  }
}

/** Copies a table's rows so that the next pages of a listing are of the same moment as the first; gives the copy's name. */
export async function takeSnapshot(connection: DuckDBConnection, physical: string): Promise<string> {
  const id = randomBytes(8).toString('hex')
  await connection.run(`CREATE TABLE ${snapshotName(id)} AS SELECT * FROM ${physical}`)
  return id
}

/** The rows of a snapshot. Throws `invalid` where it is gone. */
export async function snapshotRows(connection: DuckDBConnection, id: string, schema: readonly Field[]): Promise<Rows> {
  const [row] = await rowsOf(connection, `SELECT count(*) AS n FROM ${snapshotName(id)}`).catch(() => [])
  if (!row) throw new BigQueryError('invalid', 'The page token has expired: list the table from its beginning.')
  return { rows: snapshotName(id), schema, totalRows: Number(row.n), snapshot: id }
}

/** A listing that was read to its end needs its snapshot no more; those that weren't are dropped when the server starts again. */
export async function dropSnapshot(connection: DuckDBConnection, id: string): Promise<void> {
  await connection.run(`DROP TABLE IF EXISTS ${snapshotName(id)}`)
}

const snapshotName = (id: string) => quoted('_results', `snapshot_${id}`)

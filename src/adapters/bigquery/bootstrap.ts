import type { Column } from '../../domain/column.ts'
import { literal } from '../../domain/literal.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { TargetTables } from '../../domain/run.ts'
import { ddlColumn } from './types.ts'

/** Columns that we add to what a pipeline declares: which publication a row comes from, and in the history what happened to it. */
export const versionColumn: Column = { name: 'version', type: 'TIMESTAMP', mode: 'REQUIRED', rules: [] }
export const opColumn: Column = { name: '_op', type: 'STRING', mode: 'REQUIRED', rules: [] }

/** The ledger: append-only events of every pipeline of the dataset. It is state: which slices are done, and what a version was, is read from it, so that nothing of it expires. */
export function createRuns(tables: TargetTables): string {
  return `CREATE TABLE IF NOT EXISTS ${literal.table(tables.runs)} (
  logged_at TIMESTAMP NOT NULL, event STRING NOT NULL,
  pipeline STRING NOT NULL, target STRING, run STRING NOT NULL, attempt STRING NOT NULL,
  version TIMESTAMP NOT NULL, slot TIMESTAMP, base_seq INT64, mode STRING, scope JSON,
  cursor_from STRING, cursor_to STRING, stage STRING, job STRING,
  rows_read INT64, rows_written INT64, rows_rejected INT64, content_hash STRING, bytes_billed INT64,
  code_sha STRING, image STRING, schema_hash STRING, trigger STRING, message STRING, hint STRING
) PARTITION BY DATE(logged_at) CLUSTER BY target, event;`
}

/** The head appears together with its one row: two first pods can't make two rows. */
export function createHead(tables: TargetTables): string {
  return `CREATE TABLE IF NOT EXISTS ${literal.table(tables.head)} (
  seq INT64 NOT NULL, version TIMESTAMP NOT NULL, run STRING NOT NULL, attempt STRING NOT NULL,
  cursor STRING, schema_hash STRING, held BOOL NOT NULL, published_at TIMESTAMP
) AS SELECT 0, TIMESTAMP '1970-01-01 00:00:00+00', '', '', CAST(NULL AS STRING), CAST(NULL AS STRING), FALSE, CAST(NULL AS TIMESTAMP);`
}

/** What consumers read. */
export function createTarget(pipeline: NamedPipeline, tables: TargetTables): string {
  const { to } = pipeline
  const columns = [...to.row.columns, versionColumn].map(ddlColumn)
  const column = partitionColumn(pipeline)
  const partition = column === undefined ? undefined : `PARTITION BY ${literal.name(column)}`
  const description = to.description === undefined ? undefined : `OPTIONS (description = ${literal.string(to.description)})`
  return `${create(tables.target, columns)}${line([partition, clustering(clusterColumns(pipeline)), description])};`
}

/** The column by whose days a target is partitioned. */
export function partitionColumn({ to, write }: NamedPipeline): string | undefined {
  return write.mode === 'partition' ? write.column : to.partitionBy
}

/** Earlier versions; a day of versions is a partition, so that old ones expire for nothing. */
export function createHistory(pipeline: NamedPipeline, tables: TargetTables): string {
  const { to, write } = pipeline
  const columns = [...to.row.columns, versionColumn, opColumn].map(ddlColumn)
  const clusters = write.mode === 'partition' ? [write.column] : clusterColumns(pipeline)
  const days = write.history.kind === 'rows' ? `partition_expiration_days = ${write.history.days}, ` : ''
  const options = `OPTIONS (${days}require_partition_filter = TRUE)`
  return `${create(tables.history, columns)}${line(['PARTITION BY TIMESTAMP_TRUNC(version, DAY)', clustering(clusters)])}\n${options};`
}

function create(table: TargetTables['target'], columns: readonly string[]): string {
  return `CREATE TABLE IF NOT EXISTS ${literal.table(table)} (\n  ${columns.join(',\n  ')}\n)`
}

function line(parts: readonly (string | undefined)[]): string {
  const present = parts.filter(part => part !== undefined)
  return present.length === 0 ? '' : ` ${present.join(' ')}`
}

function clustering(columns: readonly string[]): string | undefined {
  return columns.length === 0 ? undefined : `CLUSTER BY ${columns.map(literal.name).join(', ')}`
}

/** BigQuery: Clustered tables, 'Clustering column types'; at most four. */
const clusterTypes: readonly Column['type'][] = [
  'BIGNUMERIC',
  'BOOL',
  'DATE',
  'DATETIME',
  'GEOGRAPHY',
  'INT64',
  'NUMERIC',
  'STRING',
  'TIMESTAMP',
]

/** What a target is clustered by: what its author says, else the key. */
export function clusterColumns(pipeline: NamedPipeline): readonly string[] {
  const { to } = pipeline
  if (to.clusterBy !== undefined) return to.clusterBy.slice(0, 4)
  const partitioned = partitionColumn(pipeline)
  const able = to.row.columns
    .filter(column => clusterTypes.includes(column.type) && column.mode !== 'REPEATED')
    .map(column => column.name)
  return to.row.key.filter(name => name !== partitioned && able.includes(name)).slice(0, 4)
}

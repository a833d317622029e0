import { now } from './clock.ts'
import { BigQueryError, type Catalogue, type Field, type NewTable, type TableMeta, type TableRef } from './contract.ts'
import { findDataset } from './datasets.ts'
import { array, flag, integer, type JsonObject, labels, object, optional, text } from './json.ts'
import { nameOf } from './names.ts'
import { fieldsFromRest, fieldsToRest } from './schema.ts'
import { sizesOf } from './sizes.ts'

/** A table as a client asks for it, without its kind and name. Absent = not said, null = taken away. */
export type TableWish = {
  readonly [Key in Exclude<keyof NewTable, 'ref' | 'kind' | 'schema' | 'snapshot'>]?: NewTable[Key] | null
} & { readonly schema?: readonly Field[] }

/** Reads the writable parts of a REST table. Throws `invalid`, or `notImplemented` for what the local server would have to ignore. */
export function tableWish(body: JsonObject): TableWish {
  for (const name of notKept) {
    if (body[name] === undefined || body[name] === null) continue
    throw new BigQueryError('notImplemented', `The local BigQuery has no tables with '${name}'.`)
  }
  const read = <T>(name: string, make: (json: NonNullable<JsonObject[string]>) => T): { [name: string]: T | null } => {
    const value = body[name]
    return value === undefined ? {} : { [name]: value === null ? null : make(value) }
  }
  const partitioning = read('timePartitioning', json => partitionFromRest(object(json, 'timePartitioning')))
  const nested = optional(body.timePartitioning, object)?.requirePartitionFilter
  const filter = { ...(nested === undefined || nested === null ? {} : { requirePartitionFilter: nested }), ...body }
    .requirePartitionFilter
  const schema = optional(body.schema, object)
  return {
    ...rename(partitioning, 'timePartitioning', 'partition'),
    ...(filter === undefined ? {} : { requirePartitionFilter: filter === null ? null : flag(filter, 'requirePartitionFilter') }),
    ...read('clustering', json => array(object(json, 'clustering').fields, 'clustering.fields').map(name => text(name))),
    ...read('description', json => text(json, 'description')),
    ...read('friendlyName', json => text(json, 'friendlyName')),
    ...read('labels', json => labels(json)),
    ...rename(
      read('view', json => viewQuery(object(json, 'view'))),
      'view',
      'view',
    ),
    ...rename(
      read('expirationTime', json => expiry(integer(json, 'expirationTime'))),
      'expirationTime',
      'expiresAt',
    ),
    ...(schema ? { schema: fieldsFromRest(schema.fields ?? []) } : {}),
  }
}

/** Puts a wish over what a table has (or over nothing). */
export function applied<T extends object>(before: T, wish: TableWish): T {
  const kept = Object.entries({ ...before, ...wish }).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(kept) as T
}

/** A new table by a wish: kind, partition column checked, the dataset's default expirations. */
export async function newTable(catalogue: Catalogue, ref: TableRef, wish: TableWish): Promise<NewTable> {
  const { body } = await findDataset(catalogue, ref)
  const table = applied<NewTable>({ ref, kind: wish.view ? 'VIEW' : 'TABLE', schema: [] }, wish)
  checkColumns(table)
  const lifetime = optional(body.defaultTableExpirationMs, integer)
  const partitionLife = optional(body.defaultPartitionExpirationMs, integer)
  const { partition } = table
  return {
    ...table,
    ...(partition && partition.expirationMs === undefined && partitionLife
      ? { partition: { ...partition, expirationMs: partitionLife } }
      : {}),
    ...(lifetime && !partition && wish.expiresAt === undefined ? { expiresAt: now() + lifetime } : {}),
  }
}

/** BigQuery: Partitioned tables, 'Time-unit column partitioning', and Clustered tables, 'Limitations': top-level columns that exist, four at most. */
export function checkColumns(table: Pick<NewTable, 'schema' | 'partition' | 'clustering'>): void {
  const named = (name: string) => table.schema.find(field => field.name.toLowerCase() === name.toLowerCase())
  const { partition } = table
  if (partition) {
    const type = named(partition.column)?.type
    if (type === undefined)
      throw new BigQueryError(
        'invalid',
        `The field specified for partitioning cannot be found in the schema: ${partition.column}`,
      )
    if (type !== 'DATE' && type !== 'TIMESTAMP' && type !== 'DATETIME') {
      throw new BigQueryError(
        'invalid',
        `The field specified for time partitioning can only be of type TIMESTAMP, DATE or DATETIME. The type found is: ${type}.`,
      )
    }
  }
  if (table.clustering && (table.clustering.length === 0 || table.clustering.length > 4)) {
    throw new BigQueryError('invalid', 'Clustering needs one to four fields')
  }
  for (const name of table.clustering ?? []) {
    if (!named(name))
      throw new BigQueryError(
        'invalid',
        `The field specified for clustering cannot be found in the schema. Invalid field: ${name}.`,
      )
  }
}

/**
 * BigQuery: Modifying table schemas: columns may be added (not REQUIRED ones) and REQUIRED relaxed; nothing may go away or change its type.
 * Throws `invalid` with the service's words.
 */
export function checkSchemaChange(
  ref: TableRef,
  before: readonly Field[],
  after: readonly Field[],
  allow = { addition: true, relaxation: true },
): void {
  const wrong = (what: string) => new BigQueryError('invalid', `Provided Schema does not match Table ${nameOf(ref)}. ${what}`)
  for (const old of before) {
    const field = after.find(each => each.name.toLowerCase() === old.name.toLowerCase())
    if (!field) throw wrong(`Field ${old.name} is missing in new schema`)
    if (field.type !== old.type) throw wrong(`Field ${old.name} has changed type from ${typeName(old)} to ${typeName(field)}`)
    const relaxed = old.mode === 'REQUIRED' && field.mode === 'NULLABLE'
    if (field.mode !== old.mode && !(relaxed && allow.relaxation)) {
      throw wrong(`Field ${old.name} has changed mode from ${old.mode} to ${field.mode}`)
    }
    if (old.type === 'RECORD') checkSchemaChange(ref, old.fields ?? [], field.fields ?? [], allow)
  }
  for (const field of after) {
    if (before.some(old => old.name.toLowerCase() === field.name.toLowerCase())) continue
    if (!allow.addition) throw wrong(`Cannot add fields (field: ${field.name})`)
    if (field.mode === 'REQUIRED' && before.length > 0) {
      throw wrong(`Cannot add required fields to an existing schema. (field: ${field.name})`)
    }
  }
}

/** The table as `tables.get` answers it. */
export async function tableResource(catalogue: Catalogue, table: TableMeta, origin: string): Promise<object> {
  const rows = table.kind !== 'VIEW' ? await contents(catalogue, table) : {}
  return {
    kind: 'bigquery#table',
    etag: table.etag,
    selfLink: `${origin}/bigquery/v2/projects/${table.ref.project}/datasets/${table.ref.dataset}/tables/${table.ref.table}`,
    ...listedTable(table),
    ...(table.description === undefined ? {} : { description: table.description }),
    schema: { fields: fieldsToRest(table.schema) },
    lastModifiedTime: String(table.modifiedAt),
    location: (await findDataset(catalogue, table.ref)).body.location,
    ...rows,
  }
}

/** The table as `tables.list` answers it. */
export function listedTable(table: TableMeta): object {
  const { project, dataset, table: name } = table.ref
  const { partition, requirePartitionFilter } = table
  return {
    kind: 'bigquery#table',
    id: nameOf(table.ref),
    tableReference: { projectId: project, datasetId: dataset, tableId: name },
    type: table.kind,
    creationTime: String(table.createdAt),
    ...(table.expiresAt === undefined ? {} : { expirationTime: String(table.expiresAt) }),
    ...(table.friendlyName === undefined ? {} : { friendlyName: table.friendlyName }),
    ...(table.labels ? { labels: table.labels } : {}),
    ...(partition
      ? {
          timePartitioning: {
            type: partition.type,
            field: partition.column,
            ...(partition.expirationMs === undefined ? {} : { expirationMs: String(partition.expirationMs) }),
          },
        }
      : {}),
    ...(requirePartitionFilter === undefined ? {} : { requirePartitionFilter }),
    ...(table.clustering ? { clustering: { fields: table.clustering } } : {}),
    ...(table.view === undefined ? {} : { view: { query: table.view, useLegacySql: false } }),
    ...(table.snapshot ? { snapshotDefinition: snapshotDefinition(table.snapshot) } : {}),
  }
}

function snapshotDefinition({ base, time }: NonNullable<TableMeta['snapshot']>): object {
  const baseTableReference = { projectId: base.project, datasetId: base.dataset, tableId: base.table }
  return { baseTableReference, snapshotTime: new Date(time).toISOString() }
}

async function contents(catalogue: Catalogue, table: TableMeta): Promise<object> {
  const { rows, bytes } = await sizesOf(catalogue, table.physical, table.schema)
  return { numRows: String(rows), numBytes: String(bytes), numLongTermBytes: '0' }
}

function partitionFromRest(json: JsonObject): NonNullable<NewTable['partition']> {
  const [type, column] = [text(json.type, 'timePartitioning.type'), optional(json.field, text)]
  if (type !== 'DAY' && type !== 'HOUR' && type !== 'MONTH' && type !== 'YEAR') {
    throw new BigQueryError('invalid', `Invalid timePartitioning.type: ${type}`)
  }
  if (column === undefined) {
    throw new BigQueryError(
      'notImplemented',
      'The local BigQuery partitions by a column only (timePartitioning.field), not by ingestion time.',
    )
  }
  const expirationMs = optional(json.expirationMs, integer)
  return { type, column, ...(expirationMs === undefined ? {} : { expirationMs }) }
}

function viewQuery(view: JsonObject): string {
  if (view.useLegacySql !== false)
    throw new BigQueryError('notImplemented', 'The local BigQuery has no legacy SQL: set useLegacySql to false.')
  return text(view.query, 'view.query')
}

/** BigQuery REST, Table.expirationTime: 0 means never. */
const expiry = (time: number) => (time === 0 ? null : time)
const typeName = (field: Field) => (fieldsToRest([field])[0] as { type: string }).type
const rename = (from: { [name: string]: unknown }, old: string, name: string) => (old in from ? { [name]: from[old] } : {})

const notKept = [
  'rangePartitioning',
  'externalDataConfiguration',
  'materializedView',
  'tableConstraints',
  'encryptionConfiguration',
  'snapshotDefinition',
  'cloneDefinition',
  'biglakeConfiguration',
]

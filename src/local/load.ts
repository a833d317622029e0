import { rmSync } from 'node:fs'
import type { DuckDBConnection } from '@duckdb/node-api'
import { now } from './clock.ts'
import { BigQueryError, type Catalogue, type Field, type TableMeta, type TableRef } from './contract.ts'
import { absent } from './conversion.ts'
import { inTransaction, isConflict, quoted, rowsOf } from './duck.ts'
import type { JobContext, Work } from './jobs.ts'
import { array, flag, type JsonObject, object, optional, text } from './json.ts'
import type { LoadSource } from './loadsource.ts'
import { keyedLock } from './lock.ts'
import { checkTableName, nameOf, noSuchTable, notForKind } from './names.ts'
import { parquetSource } from './parquet.ts'
import { requiredProblem } from './required.ts'
import type { Database } from './store.ts'
import { checkColumns, checkSchemaChange, newTable, type TableWish, tableWish } from './tables.ts'
import { textSource } from './textload.ts'

type Disposition = 'WRITE_APPEND' | 'WRITE_TRUNCATE' | 'WRITE_TRUNCATE_DATA' | 'WRITE_EMPTY'

/** A query's rows or a file's: written to a table as one atomic update (BigQuery REST, JobConfigurationLoad.writeDisposition). */
export type TableWrite = {
  readonly ref: TableRef
  readonly disposition: Disposition
  readonly create: boolean
  readonly wish: TableWish
  readonly allow: { readonly addition: boolean; readonly relaxation: boolean }
  readonly ignoreUnknown: boolean
  readonly source: LoadSource
  readonly context: JobContext
  readonly beforeCommit: (jobId: string) => Promise<void>
  /** What the job says when it is done, by the number of rows. */
  readonly done: (rows: number) => Parameters<JobContext['finish']>[1]
}

const oneWriterATable = keyedLock()

/** The work of a load job: one uploaded file into one table. The file is removed in the end. */
export function loadWork(database: Database, path: string, beforeCommit: (jobId: string) => Promise<void>): Work {
  return async context => {
    try {
      return await database.use(catalogue => load(catalogue, context, path, beforeCommit))
    } finally {
      rmSync(path, { force: true })
    }
  }
}

async function load(catalogue: Catalogue, context: JobContext, path: string, beforeCommit: (jobId: string) => Promise<void>) {
  const config = object(context.configuration.load, 'configuration.load')
  const format = optional(config.sourceFormat, text) ?? 'CSV'
  const { connection } = catalogue
  const stop = () => connection.interrupt()
  context.signal.addEventListener('abort', stop)
  const isText = format === 'CSV' || format === 'NEWLINE_DELIMITED_JSON'
  if (!isText && format !== 'PARQUET') {
    throw new BigQueryError('notImplemented', `The local BigQuery loads PARQUET, NEWLINE_DELIMITED_JSON and CSV, not ${format}.`)
  }
  try {
    return await writeTable(catalogue, {
      ...readTarget(config),
      wish: tableWish({ ...object(config.destinationTableProperties ?? {}), ...pick(config, tableParts) }),
      ignoreUnknown: optional(config.ignoreUnknownValues, flag) ?? false,
      source: isText ? textSource(connection, path, format, config, context.signal) : await parquetSource(connection, path),
      context,
      beforeCommit,
      done: rows => ({ statistics: { load: { inputFiles: '1', outputRows: String(rows), badRecords: '0' } } }),
    })
  } finally {
    context.signal.removeEventListener('abort', stop)
  }
}

/** `destinationTable` and the dispositions of a load or query configuration. */
export function readTarget(config: JsonObject): Pick<TableWrite, 'ref' | 'disposition' | 'create' | 'allow'> {
  const table = object(config.destinationTable, 'destinationTable')
  const [project, dataset, name] = ['projectId', 'datasetId', 'tableId'].map(part =>
    text(table[part], `destinationTable.${part}`),
  )
  checkTableName(name ?? '')
  const options = array(config.schemaUpdateOptions ?? [], 'schemaUpdateOptions')
  return {
    ref: { project: project ?? '', dataset: dataset ?? '', table: name ?? '' },
    disposition: (optional(config.writeDisposition, text) ?? 'WRITE_APPEND') as Disposition,
    create: config.createDisposition !== 'CREATE_NEVER',
    allow: { addition: options.includes('ALLOW_FIELD_ADDITION'), relaxation: options.includes('ALLOW_FIELD_RELAXATION') },
  }
}

/** Writes the rows and records the job's end in the same commit. */
export async function writeTable(catalogue: Catalogue, write: TableWrite) {
  return oneWriterATable(nameOf(write.ref), async () => {
    const since = now()
    const { done, table } = await inTransaction(catalogue.connection, async () => {
      const { table, schema } = await prepare(catalogue, write)
      if (!write.ignoreUnknown) refuseUnknown(write, schema)
      const { connection, kept } = catalogue
      kept.sizes.changing(connection, table.physical)
      kept.writes.changing(connection, table.physical)
      const select = await write.source.select(schema)
      const before = await count(connection, table)
      const columns = table.schema.map(field => (isIn(schema, field.name) ? quoted(field.name) : absent(field)))
      const inserted = connection.run(`INSERT INTO ${table.physical} SELECT ${columns.join(', ')} FROM (${select})`)
      await inserted.catch(error => {
        // The table was altered meanwhile: the whole is tried again.
        if (isConflict(error)) throw error
        if (write.context.signal.aborted) throw write.context.signal.reason
        throw new BigQueryError('invalid', `Error while reading data, error message: ${reason(error)}`)
      })
      const problem = await requiredProblem(connection, table)
      if (problem) throw new BigQueryError('invalid', `Error while reading data, error message: ${problem}`)
      const done = write.done((await count(connection, table)) - before)
      await write.beforeCommit(write.context.jobId)
      if (write.context.signal.aborted) throw write.context.signal.reason
      await write.context.finish(connection, done)
      return { done, table }
    })
    await catalogue.partitionTimes.wrote(catalogue, table, since)
    return done
  })
}

/** The table as it has to be before the rows come, and the columns that they fill. */
async function prepare(catalogue: Catalogue, write: TableWrite): Promise<{ table: TableMeta; schema: readonly Field[] }> {
  const { ref, wish, disposition, source } = write
  const before = await catalogue.find(ref)
  const schema = wish.schema ?? (disposition === 'WRITE_TRUNCATE' || !before ? source.schema : undefined)
  if (!before) {
    if (!write.create) throw noSuchTable(ref)
    if (!schema) throw new BigQueryError('invalid', 'No schema specified on job or table.')
    return { table: await catalogue.create(await newTable(catalogue, ref, { ...wish, schema })), schema }
  }
  if (before.kind !== 'TABLE') throw notForKind(ref, before.kind)
  checkPartitioning(before, wish)
  if (disposition === 'WRITE_EMPTY' && (await count(catalogue.connection, before)) > 0) {
    throw new BigQueryError('duplicate', `Already Exists: Table ${nameOf(ref)}`)
  }
  if (disposition === 'WRITE_TRUNCATE' || disposition === 'WRITE_TRUNCATE_DATA') {
    const replaced = disposition === 'WRITE_TRUNCATE' ? schema : before.schema
    if (!replaced) throw new BigQueryError('invalid', 'No schema specified on job or table.')
    const { physical: _p, etag: _e, createdAt, modifiedAt: _m, ...kept } = before
    await catalogue.drop(ref)
    checkColumns({ ...kept, schema: replaced })
    const table = await catalogue.create({ ...kept, schema: replaced })
    return { table: { ...table, createdAt }, schema: replaced }
  }
  const table = await grown(catalogue, before, write)
  // The job's own schema says which columns the file has, and for CSV in which order.
  const named = wish.schema?.flatMap(field => isIn(table.schema, field.name) ?? [])
  return { table, schema: named ?? table.schema }
}

/** An append may add columns or relax them where the job allows that. Columns that the job's schema leaves out stay. */
async function grown(catalogue: Catalogue, before: TableMeta, write: TableWrite): Promise<TableMeta> {
  const given = write.wish.schema ?? (write.allow.addition ? write.source.schema : undefined)
  if (!given) return before
  const told = write.wish.schema !== undefined
  const after = [
    ...before.schema.map(old => {
      const field = told ? isIn(given, old.name) : undefined
      return field ? { ...field, ...(old.description === undefined ? {} : { description: old.description }) } : old
    }),
    ...given.filter(field => !isIn(before.schema, field.name)),
  ]
  checkSchemaChange(write.ref, before.schema, after, write.allow)
  const isSame = JSON.stringify(after.map(shape)) === JSON.stringify(before.schema.map(shape))
  return isSame ? before : catalogue.change(write.ref, { schema: after })
}

const isIn = (fields: readonly Field[], name: string) => fields.find(field => field.name.toLowerCase() === name.toLowerCase())
const shape = (field: Field): unknown => [field.name.toLowerCase(), field.type, field.mode, field.fields?.map(shape)]

function refuseUnknown(write: TableWrite, schema: readonly Field[]): void {
  const [unknown] = write.source.unknown(schema)
  if (unknown === undefined) return
  throw new BigQueryError(
    'invalid',
    `Provided Schema does not match Table ${nameOf(write.ref)}. Cannot add fields (field: ${unknown})`,
  )
}

function checkPartitioning(table: TableMeta, wish: TableWish): void {
  if (!wish.partition) return
  const says = (partition: TableMeta['partition']) =>
    partition ? `interval(type:${partition.type.toLowerCase()},field:${partition.column})` : 'none'
  const [expected, given] = [says(table.partition), says(wish.partition)]
  if (expected === given) return
  throw new BigQueryError(
    'invalid',
    `Incompatible table partitioning specification. Expects partitioning specification ${expected}, but input partitioning specification is ${given}`,
  )
}

async function count(connection: DuckDBConnection, table: TableMeta): Promise<number> {
  const [row] = await rowsOf(connection, `SELECT count(*) AS n FROM ${table.physical}`)
  return Number(row?.n ?? 0)
}

/** DuckDB's own words without their class and the query text. */
const reason = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replace(/^[\w -]*Error: /, '').split('\n')[0] ?? ''

const tableParts = ['schema', 'timePartitioning', 'rangePartitioning', 'clustering', 'destinationEncryptionConfiguration']
const pick = (from: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.filter(name => from[name] !== undefined).map(name => [name, from[name]]))

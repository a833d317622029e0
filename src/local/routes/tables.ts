import type { Call, Routes } from '../call.ts'
import { BigQueryError, type SqlEngine, type TableMeta, type TableRef } from '../contract.ts'
import { checkEtag, findDataset } from '../datasets.ts'
import { inTransaction } from '../duck.ts'
import { type JsonObject, object, text } from '../json.ts'
import { checkTableName, nameOf, noSuchTable, notForKind } from '../names.ts'
import { listing, merged } from '../resource.ts'
import { resultResource, resultRows } from '../results.ts'
import type { Database } from '../store.ts'
import {
  applied,
  checkColumns,
  checkSchemaChange,
  listedTable,
  newTable,
  type TableWish,
  tableResource,
  tableWish,
} from '../tables.ts'

/** The methods of tables, and tabledata.list. */
export function tableRoutes(database: Database, engine: () => Promise<SqlEngine>): Routes {
  const one = '/projects/:project/datasets/:dataset/tables/:table'
  return {
    'GET /projects/:project/datasets/:dataset/tables': call =>
      database.use(async catalogue => {
        const dataset = refOf(call)
        await findDataset(catalogue, dataset)
        const tables = await catalogue.list(dataset)
        return {
          body: {
            kind: 'bigquery#tableList',
            ...listing(tables.map(listedTable), 'tables', call.query),
            totalItems: tables.length,
          },
        }
      }),
    'POST /projects/:project/datasets/:dataset/tables': async call => {
      const body = await call.json()
      const name = text(object(body.tableReference, 'tableReference').tableId, 'tableReference.tableId')
      checkTableName(name)
      const ref = { ...refOf(call), table: name }
      const wish = await withViewSchema(ref, tableWish(body))
      return database.use(async catalogue => {
        const table = await catalogue.create(await newTable(catalogue, ref, wish))
        return { body: await tableResource(catalogue, table, call.origin) }
      })
    },
    [`GET ${one}`]: call =>
      database.use(async catalogue => {
        const ref = refOf(call)
        const result = await resultRows(catalogue.connection, ref)
        if (result) return { body: resultResource(ref, result) }
        await findDataset(catalogue, ref)
        const table = await catalogue.find(ref)
        if (!table) throw noSuchTable(ref)
        return { body: await tableResource(catalogue, table, call.origin) }
      }),
    [`PATCH ${one}`]: call => change(call, mergedLabels, applied),
    [`PUT ${one}`]: call =>
      change(
        call,
        sent => sent,
        ({ ref, kind, physical, etag, createdAt, modifiedAt, schema, view, snapshot }, wish) =>
          applied<TableMeta>(
            {
              ref,
              kind,
              physical,
              etag,
              createdAt,
              modifiedAt,
              schema,
              ...(view === undefined ? {} : { view }),
              ...(snapshot === undefined ? {} : { snapshot }),
            },
            wish,
          ),
      ),
    [`DELETE ${one}`]: call =>
      database.use(async catalogue => {
        await findDataset(catalogue, refOf(call))
        await catalogue.drop(refOf(call))
        return {}
      }),
  }

  async function withViewSchema(ref: TableRef, wish: TableWish): Promise<TableWish> {
    if (typeof wish.view !== 'string') return wish
    const sql = wish.view
    const { signal } = new AbortController()
    const run = (await engine()).run({ jobId: 'view', project: ref.project, sql, parameters: [], dryRun: true, signal })
    const schema = (await run).schema.map(field => ({
      ...field,
      mode: field.mode === 'REQUIRED' ? ('NULLABLE' as const) : field.mode,
    }))
    return { ...wish, schema }
  }

  async function change(
    call: Call,
    read: (sent: JsonObject, before: TableMeta) => JsonObject,
    next: (before: TableMeta, wish: TableWish) => TableMeta,
  ) {
    const ref = refOf(call)
    const sent = await call.json()
    return database.use(catalogue =>
      inTransaction(catalogue.connection, async () => {
        const before = await catalogue.find(ref)
        if (!before) throw noSuchTable(ref)
        checkEtag(call.headers['if-match'], before.etag)
        const after = next(before, await withViewSchema(ref, tableWish(read(sent, before))))
        if (before.kind === 'SNAPSHOT' && JSON.stringify(after.schema) !== JSON.stringify(before.schema))
          throw notForKind(ref, before.kind)
        if (before.kind !== 'VIEW') {
          if (after.view !== undefined) throw new BigQueryError('invalid', 'Cannot convert a table to a view.')
          checkSchemaChange(ref, before.schema, after.schema)
          checkColumns(after)
          checkPartition(before, after)
        }
        const { ref: _, kind, physical, etag, createdAt, modifiedAt, ...rest } = after
        // Taken away means gone from the metadata: say so for each optional part.
        const gone = Object.fromEntries(optionalParts.filter(part => after[part] === undefined).map(part => [part, undefined]))
        const changed = await catalogue.change(ref, { ...gone, ...rest })
        return { body: await tableResource(catalogue, changed, call.origin) }
      }),
    )
  }
}

const optionalParts = [
  'partition',
  'requirePartitionFilter',
  'clustering',
  'description',
  'friendlyName',
  'labels',
  'view',
  'expiresAt',
] as const

function refOf({ at }: Call): TableRef {
  return { project: at.project ?? '', dataset: at.dataset ?? '', table: at.table ?? '' }
}

/** BigQuery: Modifying partitioned tables: only expiration and the filter's requirement of a partitioning can change. */
function checkPartition(before: TableMeta, after: TableMeta): void {
  if (before.partition?.column === after.partition?.column && before.partition?.type === after.partition?.type) return
  throw new BigQueryError('invalid', `Cannot change partitioning spec of table ${nameOf(before.ref)}.`)
}

/** PATCH merges labels one by one; null takes one away. */
function mergedLabels(sent: JsonObject, before: TableMeta): JsonObject {
  return sent.labels ? { ...sent, ...merged({ labels: before.labels ?? {} }, { labels: sent.labels }) } : sent
}

import type { Call, Routes } from '../call.ts'
import { BigQueryError, type Catalogue, type TableRef } from '../contract.ts'
import { findDataset } from '../datasets.ts'
import { inTransaction, rowsOf } from '../duck.ts'
import { noSuchTable } from '../names.ts'
import { readPage, withRows } from '../pages.ts'
import { pageStart, wholeNumber } from '../resource.ts'
import { dropSnapshot, type Rows, resultRows, snapshotRows, takeSnapshot } from '../results.ts'
import type { Database } from '../store.ts'

/** tabledata.list: the pages of one listing are of one moment, whatever is written meanwhile. */
export function tabledataRoutes(database: Database): Routes {
  const one = '/projects/:project/datasets/:dataset/tables/:table'
  return {
    [`GET ${one}/data`]: call =>
      database.use(catalogue => {
        const ref = { project: call.at.project ?? '', dataset: call.at.dataset ?? '', table: call.at.table ?? '' }
        return inTransaction(catalogue.connection, () => list(catalogue, ref, call))
      }),
    [`POST ${one}/insertAll`]: async () => {
      throw new BigQueryError(
        'notImplemented',
        'The local BigQuery has no streaming inserts (tabledata.insertAll): they keep no promise about duplicates. Use a load job.',
      )
    },
  }
}

/** True when the client wants timestamps as whole microseconds. BigQuery REST, DataFormatOptions. */
export function wantsInt64Timestamps(query: URLSearchParams): boolean {
  const format = query.get('formatOptions.timestampOutputFormat')
  if (format !== null && format !== 'INT64' && format !== 'FLOAT64' && format !== 'TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED') {
    throw new BigQueryError('notImplemented', `The local BigQuery writes timestamps as FLOAT64 or INT64, not as ${format}.`)
  }
  return format === 'INT64' || query.get('formatOptions.useInt64Timestamp')?.toLowerCase() === 'true'
}

async function list(catalogue: Catalogue, ref: TableRef, call: Call) {
  const { connection } = catalogue
  const { query } = call
  const token = /^snapshot-([0-9a-f]+)-(\d+)$/.exec(query.get('pageToken') ?? '')
  const start = token ? Number(token[2]) : pageStart(query)
  const result = await resultRows(connection, ref)
  const source = result ?? (await tableRows(catalogue, ref, token?.[1]))
  const selected = query.get('selectedFields')?.toLowerCase().split(',')
  const page = await readPage(connection, {
    rows: source.rows,
    schema: selected ? source.schema.filter(field => selected.includes(field.name.toLowerCase())) : source.schema,
    start,
    maxRows: Math.max(0, Math.min(wholeNumber(query, 'maxResults') ?? source.totalRows, source.totalRows - start)),
    int64Timestamps: wantsInt64Timestamps(query),
    contiguous: result !== undefined || token !== null,
  })
  const next = start + page.count
  const isLast = next >= source.totalRows
  const snapshot = token?.[1] ?? (result || isLast ? undefined : await takeSnapshot(connection, source.rows))
  if (token?.[1] && isLast) await dropSnapshot(connection, token[1])
  const head = {
    kind: 'bigquery#tableDataList',
    etag: ref.table,
    totalRows: String(source.totalRows),
    ...(isLast ? {} : { pageToken: snapshot ? `snapshot-${snapshot}-${next}` : `local-${next}` }),
  }
  return { pieces: withRows(head, page) }
}

async function tableRows(catalogue: Catalogue, ref: TableRef, snapshot: string | undefined): Promise<Rows> {
  await findDataset(catalogue, ref)
  const table = await catalogue.find(ref)
  if (!table) throw noSuchTable(ref)
  if (table.kind === 'VIEW') throw new BigQueryError('invalid', 'Cannot list a table of type VIEW.')
  if (snapshot) return snapshotRows(catalogue.connection, snapshot, table.schema)
  const [row] = await rowsOf(catalogue.connection, `SELECT count(*) AS n FROM ${table.physical}`)
  return { rows: table.physical, schema: table.schema, totalRows: Number(row?.n ?? 0) }
}

import { GoogleSqlError, requestLimit } from '../../googlesql/error.ts'
import type { Value } from '../../googlesql/field.ts'
import { child, type Node, text, walk } from '../../googlesql/tree.ts'
import { BigQueryError, type Field, type TableMeta } from '../contract.ts'
import { quoted, rowsOf } from '../duck.ts'
import type { Content, Prepared, Session } from './session.ts'
import { stopIfAsked } from './transaction.ts'
import { fromDuck } from './values.ts'

/** Rows for one request to the evaluator; of the table that is to be changed, DuckDB's ids of its rows in their order. */
export type Batch = { readonly content: Content; readonly ids: readonly bigint[] }

/**
 * Gives the rows of a statement's tables to the evaluator, with NULL in columns that it doesn't read. Where each row is worked out by itself, they
 * come in as many batches as it takes; else all at once, or not at all: throws notImplemented, before reading, where they can't fit one request.
 * `part` says which part of the statement keeps it from running without the evaluator; of `target` all columns are read.
 */
export async function eachBatch(
  session: Session,
  prepared: Prepared,
  part: string,
  work: (batch: Batch) => Promise<void>,
  target?: TableMeta,
): Promise<void> {
  const scanned = rowWise(prepared)
  const table = scanned === undefined ? undefined : prepared.tables.get(scanned)
  if (table === undefined || scanned === undefined) {
    for (const [name, each] of prepared.tables)
      if (columnsRead(prepared).has(name)) await checkSize(session, each, columnsOf(prepared, name, target), part)
    return work(await readBatch(session, prepared, target))
  }
  const { count, bytes } = await measure(session, table, columnsOf(prepared, scanned, target))
  if (bytes < requestLimit / 2) return halving(await readBatch(session, prepared, target), scanned, work)
  const rows = Math.max(1, Math.min(20_000, Math.floor((requestLimit / 2 / bytes) * count)))
  refuseRowid(table)
  const ranges = await rowsOf(
    session.catalogue.connection,
    `SELECT MIN(rowid) AS first, MAX(rowid) AS last FROM ${table.physical} GROUP BY rowid // ${rows} ORDER BY first`,
  )
  for (const { first, last } of ranges) {
    stopIfAsked(session)
    await halving(await readBatch(session, prepared, target, ` WHERE rowid BETWEEN ${first} AND ${last}`), scanned, work)
  }
}

/**
 * The table, by its name in the statement, whose rows the statement works out one by one: it is scanned once, and between the scan and the result
 * there are only filters and computed columns.
 */
function rowWise(prepared: Prepared): string | undefined {
  const { resolved } = prepared
  const scans = [...walk(resolved)].filter(node => node.kind === 'resolvedTableScanNode')
  if (resolved.kind === 'resolvedUpdateStmtNode' || resolved.kind === 'resolvedDeleteStmtNode') {
    return scans.length === 0 && child(resolved, 'fromScan') === undefined
      ? text(child(child(resolved, 'tableScan') ?? {}, 'table'), 'name')
      : undefined
  }
  let node = child(resolved, 'query')
  while (node?.kind === 'resolvedProjectScanNode' || node?.kind === 'resolvedFilterScanNode') node = child(node, 'inputScan')
  return scans.length === 1 && node === scans[0] ? text(child(node ?? {}, 'table'), 'name') : undefined
}

// The estimate of a batch's size may be wrong (arrays, long texts in a few rows): then it goes in halves.
async function halving(batch: Batch, name: string, work: (batch: Batch) => Promise<void>): Promise<void> {
  const rows = batch.content.get(name) ?? []
  try {
    await work(batch)
  } catch (error) {
    if (!(error instanceof GoogleSqlError) || error.kind !== 'tooLarge' || rows.length < 2) throw error
    const middle = Math.ceil(rows.length / 2)
    for (const [from, to] of [
      [0, middle],
      [middle, rows.length],
    ]) {
      await halving(
        { content: new Map(batch.content).set(name, rows.slice(from, to)), ids: batch.ids.slice(from, to) },
        name,
        work,
      )
    }
  }
}

async function readBatch(session: Session, prepared: Prepared, target: TableMeta | undefined, where = ''): Promise<Batch> {
  const { connection } = session.catalogue
  let ids: bigint[] = []
  const content = new Map<string, Value[][]>()
  const read = columnsRead(prepared)
  for (const [name, table] of prepared.tables) {
    if (!read.has(name)) continue
    const columns = columnsOf(prepared, name, target)
    const list = columns.map(index => quoted(table.schema[index]?.name ?? ''))
    if (where !== '' || table.physical === target?.physical) refuseRowid(table)
    const rows = (
      await connection.runAndReadAll(`SELECT ${[...list, 'rowid'].join(', ')} FROM ${table.physical}${where}`)
    ).getRows()
    if (table.physical === target?.physical) ids = rows.map(values => values.at(-1) as bigint)
    content.set(
      name,
      rows.map(values => {
        const row: Value[] = table.schema.map(() => null)
        for (const [place, index] of columns.entries()) row[index] = fromDuck(values[place], table.schema[index] as Field)
        return row
      }),
    )
  }
  return { content, ids }
}

/** Throws notImplemented for a table with a column `rowid`: it would hide DuckDB's own number of a row. */
export function refuseRowid({ ref, schema }: TableMeta): void {
  if (schema.every(field => field.name.toLowerCase() !== 'rowid')) return
  throw new BigQueryError(
    'notImplemented',
    `The local BigQuery can't run this on ${ref.dataset}.${ref.table}: it has a column called rowid. Give that another name, or try this on BigQuery itself.`,
    'query',
  )
}

function columnsOf(prepared: Prepared, name: string, target: TableMeta | undefined): number[] {
  const table = prepared.tables.get(name)
  if (target !== undefined && table?.physical === target.physical) return target.schema.map((_, index) => index)
  return [...(columnsRead(prepared).get(name) ?? [])]
}

/** The columns that a statement reads of each table, by their places. */
export function columnsRead(prepared: Prepared): Map<string, Set<number>> {
  const read = new Map<string, Set<number>>()
  // An INSERT names the columns that it writes there.
  const changes = prepared.resolved.kind !== 'resolvedInsertStmtNode'
  for (const node of walk(prepared.resolved)) {
    if (node.kind !== 'resolvedTableScanNode' && !(changes && isTarget(node))) continue
    const name = text(child(node, 'table'), 'name')
    const columns = read.get(name) ?? new Set()
    for (const index of (node.columnIndexList ?? []) as string[]) columns.add(Number(index))
    read.set(name, columns)
  }
  return read
}

// The table of an UPDATE or DELETE stands in a field of its own, without its class.
function isTarget(node: Node): boolean {
  return node.kind === undefined && child(node, 'table') !== undefined && node.columnIndexList !== undefined
}

async function checkSize(session: Session, table: TableMeta, columns: readonly number[], part: string): Promise<void> {
  const { count, bytes } = await measure(session, table, columns)
  if (bytes <= requestLimit) return
  const { dataset, table: name } = table.ref
  throw new BigQueryError(
    'notImplemented',
    `The local BigQuery can't run this on ${dataset}.${name} (${count} rows): it is more than it can run at any size (${part}), and so goes to Google's evaluator, which takes at most ${requestLimit / 1024 / 1024} MiB of rows a request. Use fewer rows or columns locally, write it in simpler parts (one table, columns, comparisons, GROUP BY with COUNT, MIN, MAX), or try it on BigQuery itself.`,
    'query',
  )
}

/** Rows, and about how many bytes they take in a request (arrays and records count least). */
async function measure(
  session: Session,
  table: TableMeta,
  columns: readonly number[],
): Promise<{ count: number; bytes: number }> {
  const texts = columns
    .map(index => table.schema[index])
    .filter(field => field !== undefined && field.mode !== 'REPEATED' && isText(field))
  const lengths = texts.map(
    field => ` + COALESCE(SUM(${field?.type === 'BYTES' ? 'octet_length' : 'strlen'}(${quoted(field?.name ?? '')})), 0)`,
  )
  const size = `COUNT(*) * ${2 + 2 * table.schema.length + 8 * columns.length}${lengths.join('')}`
  const [row] = await rowsOf(
    session.catalogue.connection,
    `SELECT COUNT(*) AS n, CAST(${size} AS DOUBLE) AS bytes FROM ${table.physical}`,
  )
  return { count: Number(row?.n), bytes: Number(row?.bytes) }
}

const isText = (field: Field) =>
  field.type === 'STRING' || field.type === 'BYTES' || field.type === 'JSON' || field.type === 'GEOGRAPHY'

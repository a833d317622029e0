import { requestLimit } from '../../googlesql/error.ts'
import type { Value } from '../../googlesql/field.ts'
import { child, type Node, text, walk } from '../../googlesql/tree.ts'
import { BigQueryError, type Field, type TableMeta } from '../contract.ts'
import { quoted, rowsOf } from '../duck.ts'
import type { Content, Prepared, Session } from './session.ts'
import { fromDuck } from './values.ts'

/** Bytes of the columns that a statement reads, by BigQuery's sizes (an estimate: nested and repeated values count 8 a row). */
export async function bytesRead(session: Session, prepared: Prepared): Promise<number> {
  let bytes = 0
  for (const [name, columns] of columnsRead(prepared)) {
    const table = prepared.tables.get(name)
    if (table === undefined) continue
    const sizes = [...columns].map(index => sizeOf(table.schema[index]))
    const [row] = await rowsOf(
      session.catalogue.connection,
      `SELECT CAST(${sizes.join(' + ') || '0'} AS DOUBLE) AS bytes FROM ${table.physical}`,
    )
    bytes += Number(row?.bytes ?? 0)
  }
  return bytes
}

/**
 * The rows of a statement's tables for the evaluator, with NULL in columns that it doesn't read. Throws notImplemented, before reading, where they
 * can't fit one request; `part` says which part of the statement keeps it from running without the evaluator.
 */
export async function readContent(session: Session, prepared: Prepared, part: string): Promise<Content> {
  return (await readRows(session, prepared, part)).content
}

/** The same, and of the table to be changed all columns, with DuckDB's ids of its rows in their order. */
export async function readRows(
  session: Session,
  prepared: Prepared,
  part: string,
  target?: TableMeta,
): Promise<{ content: Content; ids: bigint[] }> {
  let ids: bigint[] = []
  const content = new Map<string, Value[][]>()
  const read = columnsRead(prepared)
  for (const [name, table] of prepared.tables) {
    const isTarget = target !== undefined && table.physical === target.physical
    const columns = isTarget ? table.schema.map((_, index) => index) : [...(read.get(name) ?? [])]
    await checkSize(session, table, columns, part)
    const list = columns.map(index => quoted(table.schema[index]?.name ?? ''))
    const result = await session.catalogue.connection.runAndReadAll(
      `SELECT ${[...list, 'rowid'].join(', ')} FROM ${table.physical}`,
    )
    if (isTarget) ids = result.getRows().map(values => values.at(-1) as bigint)
    content.set(
      name,
      result.getRows().map(values => {
        const row: Value[] = table.schema.map(() => null)
        for (const [place, index] of columns.entries()) row[index] = fromDuck(values[place], table.schema[index] as Field)
        return row
      }),
    )
  }
  return { content, ids }
}

/** The columns that a statement reads of each table, by their places. */
export function columnsRead(prepared: Prepared): Map<string, Set<number>> {
  const read = new Map<string, Set<number>>()
  for (const node of walk(prepared.resolved)) {
    if (node.kind !== 'resolvedTableScanNode' && !isTarget(node)) continue
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
  const texts = columns
    .map(index => table.schema[index])
    .filter(field => field !== undefined && field.mode !== 'REPEATED' && isText(field))
  const size = `COUNT(*) * ${2 + 2 * table.schema.length}${texts.map(field => ` + COALESCE(SUM(${field?.type === 'BYTES' ? 'octet_length' : 'strlen'}(${quoted(field?.name ?? '')})), 0)`).join('')}`
  const [row] = await rowsOf(
    session.catalogue.connection,
    `SELECT COUNT(*) AS n, CAST(${size} AS DOUBLE) AS bytes FROM ${table.physical}`,
  )
  if (Number(row?.bytes) <= requestLimit) return
  const { dataset, table: name } = table.ref
  throw new BigQueryError(
    'notImplemented',
    `The local BigQuery can't run this on ${dataset}.${name} (${row?.n} rows): it is more than it can run at any size (${part}), and so goes to Google's evaluator, which takes at most ${requestLimit / 1024 / 1024} MiB of rows a request. Use fewer rows or columns locally, write it in simpler parts (one table, columns, comparisons, GROUP BY with COUNT, MIN, MAX), or try it on BigQuery itself.`,
    'query',
  )
}

const isText = (field: Field) =>
  field.type === 'STRING' || field.type === 'BYTES' || field.type === 'JSON' || field.type === 'GEOGRAPHY'

// BigQuery: Estimate query costs, "Data type sizes".
function sizeOf(field: Field | undefined): string {
  if (field === undefined) return '0'
  const column = quoted(field.name)
  if (field.mode === 'REPEATED' || field.type === 'RECORD') return 'COUNT(*) * 8'
  switch (field.type) {
    case 'STRING':
    case 'JSON':
    case 'GEOGRAPHY':
      return `COALESCE(SUM(strlen(${column}) + 2), 0)`
    case 'BYTES':
      return `COALESCE(SUM(octet_length(${column}) + 2), 0)`
    case 'BOOL':
      return `COUNT(${column})`
    case 'NUMERIC':
      return `COUNT(${column}) * 16`
    case 'BIGNUMERIC':
      return `COUNT(${column}) * 32`
    default:
      return `COUNT(${column}) * 8`
  }
}

import { BigQueryError, type Field } from '../contract.ts'
import { quoted, rowsOf } from '../duck.ts'
import { columnsRead } from './content.ts'
import type { Prepared, Session } from './session.ts'

/** Bytes of the columns that a statement reads, by BigQuery's sizes (an estimate: nested and repeated values count 8 a row). */
export async function bytesRead(session: Session, prepared: Prepared): Promise<number> {
  const { connection, kept } = session.catalogue
  let bytes = 0
  for (const [name, columns] of columnsRead(prepared)) {
    const table = prepared.tables.get(name)
    if (table === undefined) continue
    const sizes = [...columns].map(index => sizeOf(table.schema[index]))
    const sql = `SELECT CAST(${sizes.join(' + ') || '0'} AS DOUBLE) AS bytes FROM ${table.physical}`
    const read = async () => (await rowsOf(connection, sql))[0]
    // The others are tables of this one request.
    const isKept = table.physical.startsWith(quoted('_rows'))
    const row = await (isKept ? kept.sizes.find(connection, table.physical, read, sql) : read())
    bytes += Number(row?.bytes ?? 0)
  }
  if (!session.request.dryRun) refuseTooMuch(bytes, session.request.maximumBytesBilled)
  return bytes
}

/**
 * BigQuery: Control costs, "Restrict the number of bytes billed for a query": a query that would be billed for more fails before it runs, without a charge; in
 * a script each statement is looked at by itself. Pricing: at least 10 MB a table, here once a query.
 */
function refuseTooMuch(bytes: number, most: number | undefined): void {
  const billed = bytes === 0 ? 0 : Math.max(10 * mebibyte, Math.ceil(bytes / mebibyte) * mebibyte)
  if (most === undefined || billed <= most) return
  throw new BigQueryError(
    'bytesBilledLimitExceeded',
    `Query exceeded limit for bytes billed: ${most}. ${billed} or higher required.`,
  )
}

const mebibyte = 1024 * 1024

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

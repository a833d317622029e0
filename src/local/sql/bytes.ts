import { BigQueryError } from '../contract.ts'
import { sizesOf } from '../sizes.ts'
import { columnsRead } from './content.ts'
import type { Prepared, Session } from './session.ts'

/** Bytes of the columns that a statement reads, by BigQuery's sizes; of a record as a whole, whatever part of it is read. */
export async function bytesRead(session: Session, prepared: Prepared): Promise<number> {
  let bytes = 0
  for (const [name, columns] of columnsRead(prepared)) {
    const table = prepared.tables.get(name)
    const fields = [...columns].flatMap(index => table?.schema[index] ?? [])
    if (table !== undefined && fields.length > 0) bytes += (await sizesOf(session.catalogue, table.physical, fields)).bytes
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

import type { DuckDBConnection } from '@duckdb/node-api'
import type { Field } from './contract.ts'
import { rowsOf } from './duck.ts'
import { rowText } from './render.ts'

/** Rows of a table as pieces of UTF-8 JSON text (what lies between the brackets), and how many they are. */
export type Page = { readonly pieces: readonly Uint8Array[]; readonly count: number }

export type PageRequest = {
  /** Quoted DuckDB name. */
  readonly rows: string
  /** True when the table's rowids are 0, 1, 2, …, so that a page begins at once, wherever it lies. */
  readonly contiguous: boolean
  readonly schema: readonly Field[]
  readonly start: number
  readonly maxRows: number
  readonly int64Timestamps: boolean
}

/** One page: as many rows as were asked for, but no more than about 10 MB of text (BigQuery: Paging through results, 'maxResults'). */
export async function readPage(connection: DuckDBConnection, request: PageRequest): Promise<Page> {
  const expression = rowText(request.schema, request)
  // A column of that name hides DuckDB's own rowid; then the rows are counted off instead.
  const byRowid = request.contiguous && !request.schema.some(field => field.name.toLowerCase() === 'rowid')
  const pieces: Uint8Array[] = []
  let [count, bytes] = [0, 0]
  // A few rows first, to see how long they are.
  let batch = Math.min(request.maxRows, 16)
  while (batch > 0) {
    const from = request.start + count
    const source = byRowid
      ? `SELECT rowid AS id, ${expression} AS t FROM ${request.rows} WHERE rowid >= ${from} AND rowid < ${from + batch}`
      : `SELECT ${from} + row_number() OVER () AS id, t FROM (SELECT ${expression} AS t FROM ${request.rows} LIMIT ${batch} OFFSET ${from})`
    const inGroup = Math.min(Math.max(Math.floor((groupBytes * count) / (bytes || groupBytes)), 1), 128)
    const groups = await rowsOf(
      connection,
      `SELECT encode(string_agg(t, ',' ORDER BY id)) AS t, count(*) AS n FROM (${source}) GROUP BY id // ${inGroup} ORDER BY min(id)`,
    )
    if (groups.length === 0) break
    for (const group of groups) {
      const text = group.t as Uint8Array
      // Always one group at least, else a client with very long rows would turn round for ever.
      if (count > 0 && bytes + text.length > pageBytes) return { pieces, count }
      if (count > 0) pieces.push(comma)
      pieces.push(text)
      bytes += text.length
      count += Number(group.n)
    }
    const fitting = Math.floor(((pageBytes - bytes) * count) / bytes)
    batch = Math.min(request.maxRows - count, fitting, 100_000)
  }
  return { pieces, count }
}

/** An answer whose rows are text already: the head's JSON with the rows put in. */
export function withRows(head: object, page: Page): readonly Uint8Array[] {
  const text = JSON.stringify(head)
  if (page.count === 0) return [Buffer.from(text)]
  return [Buffer.from(`${text.slice(0, -1)},"rows":[`), ...page.pieces, Buffer.from(']}')]
}

const comma = Buffer.from(',')
const groupBytes = 100_000
const pageBytes = 10_000_000

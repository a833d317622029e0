import type { DuckDBConnection } from '@duckdb/node-api'
import type { Field } from './contract.ts'
import { rowsOf } from './duck.ts'
import { rowText } from './render.ts'

/** Rows of a table as one JSON text without the brackets, and how many they are. */
export type Page = { readonly text: string; readonly count: number }

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
  const parts: string[] = []
  let [count, bytes] = [0, 0]
  let batch = Math.min(request.maxRows, rowsInGroup)
  while (batch > 0) {
    const from = request.start + count
    const source = byRowid
      ? `SELECT rowid AS id, ${expression} AS t FROM ${request.rows} WHERE rowid >= ${from} AND rowid < ${from + batch}`
      : `SELECT ${from} + row_number() OVER () AS id, t FROM (SELECT ${expression} AS t FROM ${request.rows} LIMIT ${batch} OFFSET ${from})`
    const groups = await rowsOf(
      connection,
      `SELECT string_agg(t, ',' ORDER BY id) AS t, count(*) AS n FROM (${source}) GROUP BY id // ${rowsInGroup} ORDER BY min(id)`,
    )
    if (groups.length === 0) break
    for (const group of groups) {
      const text = String(group.t)
      // Always one group at least, else a client with very long rows would turn round for ever.
      if (count > 0 && bytes + text.length > pageBytes) return { text: parts.join(','), count }
      parts.push(text)
      bytes += text.length
      count += Number(group.n)
    }
    const fitting = Math.floor(((pageBytes - bytes) * count) / bytes)
    batch = Math.min(request.maxRows - count, Math.max(fitting, rowsInGroup), 100_000)
    if (fitting < rowsInGroup / 2) break
  }
  return { text: parts.join(','), count }
}

const rowsInGroup = 128
const pageBytes = 10_000_000

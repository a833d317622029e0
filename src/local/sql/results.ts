import { randomBytes } from 'node:crypto'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Value } from '../../googlesql/field.ts'
import type { Field, Store } from '../contract.ts'
import { quoted } from '../duck.ts'
import { physicalType } from '../types.ts'
import { literal, toDuck } from './values.ts'

/** Rows of a SELECT at rest: the quoted name of their table in `_results`, and their number. */
export type Results = { readonly rows: string; readonly totalRows: number }

/** A name in `_results` that was never used. */
function newResultName(): string {
  return quoted('_results', `r_${randomBytes(9).toString('hex')}`)
}

/** Adds rows to a table, in their order, within the transaction of the connection. */
export function append(
  connection: DuckDBConnection,
  physical: string,
  schema: readonly Field[],
  rows: readonly (readonly Value[])[],
): Promise<void> {
  return hasStructs(schema)
    ? appendAsText(connection, physical, schema, rows)
    : appendAsValues(connection, physical, schema, rows)
}

/** Keeps rows that come as values, batch by batch. */
export async function keepRows(
  store: Store,
  schema: readonly Field[],
  produce: (each: (rows: readonly (readonly Value[])[]) => Promise<void>) => Promise<void>,
): Promise<Results> {
  const { connection } = await store.connect()
  const name = newResultName()
  let totalRows = 0
  try {
    await connection.run(
      `CREATE TABLE ${name} (${schema.map(field => `${quoted(field.name)} ${physicalType(field)}`).join(', ')})`,
    )
    await produce(async rows => {
      await append(connection, name, schema, rows)
      totalRows += rows.length
    })
    return { rows: name, totalRows }
  } catch (error) {
    await connection.run(`DROP TABLE IF EXISTS ${name}`).catch(() => undefined)
    throw error
  } finally {
    connection.closeSync()
  }
}

/**
 * Keeps the rows of a DuckDB query. Within a transaction the rows go through a second connection, because a table that the transaction made
 * would vanish with its rollback, and the result of a SELECT doesn't.
 */
export async function keepQuery(
  store: Store,
  connection: DuckDBConnection,
  inTransaction: boolean,
  schema: readonly Field[],
  sql: string,
): Promise<Results> {
  const name = newResultName()
  if (!inTransaction) {
    // Its answer is the number of rows.
    const made = await connection.runAndReadAll(`CREATE TABLE ${name} AS ${sql}`)
    return { rows: name, totalRows: Number(made.getRows()[0]?.[0]) }
  }
  const result = await connection.stream(sql)
  const other = (await store.connect()).connection
  try {
    await other.run(`CREATE TABLE ${name} (${schema.map(field => `${quoted(field.name)} ${physicalType(field)}`).join(', ')})`)
    const parts = /^"(.*)"\."(.*)"$/.exec(name)
    const appender = await other.createAppender(parts?.[2] ?? '', parts?.[1] ?? '')
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk())
      appender.appendDataChunk(chunk)
    appender.closeSync()
    return { rows: name, totalRows: await countOf(other, name) }
  } finally {
    other.closeSync()
  }
}

async function countOf(connection: DuckDBConnection, physical: string): Promise<number> {
  const result = await connection.runAndReadAll(`SELECT COUNT(*) FROM ${physical}`)
  return Number(result.getRows()[0]?.[0] ?? 0)
}

async function appendAsValues(
  connection: DuckDBConnection,
  physical: string,
  schema: readonly Field[],
  rows: readonly (readonly Value[])[],
): Promise<void> {
  const [table, schemaName, catalog] = [...physical.matchAll(/"((?:[^"]|"")*)"/g)]
    .map(part => (part[1] ?? '').replaceAll('""', '"'))
    .reverse()
  const appender = await connection.createAppender(table ?? '', schemaName, catalog)
  const types = schema.map((_, index) => appender.columnType(index))
  for (const row of rows) {
    for (const [index, field] of schema.entries()) appender.appendValue(toDuck(row[index] ?? null, field), types[index])
    appender.endRow()
  }
  appender.closeSync()
}

// DuckDB's appender wants structs of exactly its own making; the texts of literals hold any nesting.
async function appendAsText(
  connection: DuckDBConnection,
  physical: string,
  schema: readonly Field[],
  rows: readonly (readonly Value[])[],
): Promise<void> {
  const batch = 500
  for (let from = 0; from < rows.length; from += batch) {
    const values = rows
      .slice(from, from + batch)
      .map(row => `(${schema.map((field, index) => literal(row[index] ?? null, field)).join(', ')})`)
    await connection.run(`INSERT INTO ${physical} VALUES ${values.join(', ')}`)
  }
}

const hasStructs = (schema: readonly Field[]) => schema.some(field => field.type === 'RECORD')

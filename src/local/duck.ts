import { createRequire } from 'node:module'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'

// The package (1.5.6) reads texts with a TextDecoder that swallows a U+FEFF at the start, where it is a character like any other.
const accessors = createRequire(import.meta.url)('@duckdb/node-api/lib/vectors/dataAccessors.js') as { textDecoder: unknown }
accessors.textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A name as DuckDB reads it. */
export function quoted(...path: string[]): string {
  return path.map(name => `"${name.replaceAll('"', '""')}"`).join('.')
}

/** A text as a DuckDB literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export type Row = Readonly<Record<string, unknown>>

/** Runs one statement and gives its rows as objects; whole numbers among the parameters are sent as BIGINT. */
export async function rowsOf(
  connection: DuckDBConnection,
  sql: string,
  values: readonly (DuckDBValue | number)[] = [],
): Promise<Row[]> {
  const sent = values.map(value => (typeof value === 'number' ? BigInt(value) : value))
  const reader = await connection.runAndReadAll(sql, sent)
  return reader.getRowObjectsJS()
}

/**
 * Runs the work in a transaction: the one that is open on the connection, else one of its own. A transaction of its own that meets a
 * conflict with another connection is tried again.
 */
export async function inTransaction<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  if (open.has(connection)) return work()
  for (let attempt = 1; ; attempt++) {
    await begin(connection)
    try {
      const result = await work()
      await commit(connection)
      return result
    } catch (error) {
      await rollback(connection).catch(() => undefined)
      if (attempt === 5 || !isConflict(error)) throw error
    }
  }
}

/** The transaction that is open on a connection. */
export type Transaction = {
  /** The moment before it began. */
  readonly began: number
  /** Whether it has looked into the file: that is when DuckDB takes its snapshot. */
  hasSnapshot: boolean
  /** Whether its COMMIT was sent: from then on others may see what it has written. */
  isCommitting: boolean
  /** What is to be done when it has been committed or rolled back. */
  readonly atEnd: (() => void)[]
}

export const transactionOf = (connection: DuckDBConnection): Transaction | undefined => open.get(connection)

/** Moments in their order: what ended by a tick is later than all that began before. */
export const moment = () => moments
export const tick = () => ++moments
let moments = 0

/** Opens a transaction; these three are the only way to, so that it is known which connections have one. */
export async function begin(connection: DuckDBConnection): Promise<void> {
  const began = moment()
  await connection.run('BEGIN TRANSACTION')
  open.set(connection, { began, hasSnapshot: false, isCommitting: false, atEnd: [] })
}

/** Where it throws, a rollback has to follow. */
export async function commit(connection: DuckDBConnection): Promise<void> {
  const transaction = open.get(connection)
  if (transaction) transaction.isCommitting = true
  await connection.run('COMMIT')
  ended(connection)
}

export async function rollback(connection: DuckDBConnection): Promise<void> {
  try {
    await connection.run('ROLLBACK')
  } finally {
    ended(connection)
  }
}

function ended(connection: DuckDBConnection): void {
  const transaction = open.get(connection)
  open.delete(connection)
  for (const each of transaction?.atEnd ?? []) each()
}

const open = new WeakMap<DuckDBConnection, Transaction>()

/** True for DuckDB's errors that come from two transactions that write the same thing. */
export function isConflict(error: unknown): boolean {
  return (
    error instanceof Error &&
    /write-write conflict|Conflict on|TransactionContext Error: Failed to commit|Transaction conflict: /i.test(error.message)
  )
}

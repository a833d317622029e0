import type { DuckDBConnection } from '@duckdb/node-api'
import { moment, tick, transactionOf } from './duck.ts'

/** What DuckDB has answered, kept in memory: a look-up there takes a millisecond and more, and a run makes dozens. */
export type Committed<T> = {
  /** What `read` would answer on this connection; `part` tells apart several answers about one thing. That there is nothing isn't kept. */
  find(connection: DuckDBConnection, key: string, read: () => Promise<T | undefined>, part?: string): Promise<T | undefined>
  /** To be called in the transaction that changes a thing, before anybody looks again. */
  changing(connection: DuckDBConnection, key: string): void
}

/**
 * An entry is what is committed. It stands for what a connection sees where no transaction that changes the thing is open, and none has ended since the
 * connection's own transaction began.
 */
export function createCommitted<T>(): Committed<T> {
  const known = new Map<string, Map<string, T>>()
  const changing = new Map<string, number>()
  const changed = new Map<string, number>()
  return {
    async find(connection, key, read, part = '') {
      const transaction = transactionOf(connection)
      const since = transaction?.began ?? moment()
      const isSettled = () => !changing.has(key) && (changed.get(key) ?? 0) <= since
      // A transaction without a snapshot yet would get one that is later than the entry.
      const hasSnapshot = transaction === undefined || transaction.hasSnapshot
      const there = hasSnapshot && isSettled() ? known.get(key)?.get(part) : undefined
      if (there !== undefined) return there
      const value = await read()
      if (transaction) transaction.hasSnapshot = true
      if (value === undefined || !isSettled()) return value
      if (known.size >= maximum) known.clear()
      known.set(key, (known.get(key) ?? new Map<string, T>()).set(part, value))
      return value
    },
    changing(connection, key) {
      changing.set(key, (changing.get(key) ?? 0) + 1)
      transactionOf(connection)?.atEnd.push(() => {
        known.delete(key)
        changed.set(key, tick())
        const others = (changing.get(key) ?? 1) - 1
        if (others === 0) changing.delete(key)
        else changing.set(key, others)
      })
    },
  }
}

const maximum = 5000

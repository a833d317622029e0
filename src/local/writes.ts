import type { DuckDBConnection } from '@duckdb/node-api'
import { now } from './clock.ts'
import { type Transaction, transactionOf } from './duck.ts'

/** When tables were last written to, rows or columns, by their physical names. */
export type Writes = {
  /** To be called in the transaction that writes to a table, also where it makes it. */
  changing(connection: DuckDBConnection, physical: string): void
  /**
   * The first whole millisecond since 1970 after the last write to a table: since then it is as a snapshot sees it that was taken before this call. Writes that are not
   * committed yet don't count, since no such snapshot sees them.
   */
  unchangedSince(physical: string): Promise<number>
}

/** Only for what this process writes: of what earlier ones wrote, nobody knows more than that it was before. */
export function createWrites(): Writes {
  const began = now() + 1
  const ended = new Map<string, number>()
  const writers = new Map<string, Map<Transaction, Promise<void>>>()
  return {
    changing(connection, physical) {
      const transaction = transactionOf(connection)
      const here = writers.get(physical) ?? new Map<Transaction, Promise<void>>()
      if (transaction === undefined || here.has(transaction)) return
      const end = Promise.withResolvers<void>()
      writers.set(physical, here.set(transaction, end.promise))
      transaction.atEnd.push(() => {
        // Later than the truth by what is left of the millisecond, sooner never.
        if (transaction.isCommitting) ended.set(physical, now() + 1)
        here.delete(transaction)
        if (here.size === 0) writers.delete(physical)
        end.resolve()
      })
    },
    async unchangedSince(physical) {
      for (const [transaction, end] of writers.get(physical) ?? []) if (transaction.isCommitting) await end
      return ended.get(physical) ?? began
    },
  }
}

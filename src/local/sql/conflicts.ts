import { randomUUID } from 'node:crypto'
import { BigQueryError, type TableRef } from '../contract.ts'
import { nameOf } from '../names.ts'

/** One transaction, as the rules of concurrency see it. */
export type Claim = {
  readonly id: string
  /**
   * Notes that the transaction has updated or deleted rows of a table. Throws the service's message when another transaction did so at the same
   * time, or committed it after this one's snapshot.
   */
  mutate(table: TableRef, physical: string): void
  /** The same for DuckDB's own finding that two transactions touched one row. */
  aborted(table: TableRef): BigQueryError
  commit(): void
  rollback(): void
}

/** Who mutates which table now, for all transactions of one server. */
export type Conflicts = {
  /** To be called before the database takes its snapshot: then a commit in between is at worst taken for a conflict, never overlooked. */
  begin(): Claim
  /** Resolves when no open transaction has mutated the table. */
  settled(physical: string, signal: AbortSignal): Promise<void>
}

/**
 * BigQuery: Multi-statement transactions, "Transaction concurrency": "If a transaction mutates (update or deletes) rows in a table, then other
 * transactions or DML statements that mutate rows in the same table cannot run concurrently. Conflicting transactions are cancelled. Conflicting DML
 * statements that run outside of a transaction are queued to run later". "Operations that read or append new rows can run concurrently".
 */
export function createConflicts(): Conflicts {
  const open = new Map<string, Set<Open>>()
  const committed = new Map<string, number>()
  let commits = 0
  return {
    begin() {
      const own: Open = { tables: new Set(), ended: Promise.withResolvers() }
      const snapshot = commits
      const id = randomUUID()
      const aborted = (table: TableRef) =>
        new BigQueryError(
          'invalidQuery',
          `Transaction is aborted due to concurrent update against table ${nameOf(table)}. Transaction ID: ${id}`,
          'query',
        )
      const end = () => {
        for (const table of own.tables) {
          const holders = open.get(table)
          holders?.delete(own)
          if (holders?.size === 0) open.delete(table)
        }
        own.ended.resolve()
      }
      return {
        id,
        aborted,
        mutate(table, physical) {
          const others = [...(open.get(physical) ?? [])].some(other => other !== own)
          if (others || (committed.get(physical) ?? 0) > snapshot) throw aborted(table)
          own.tables.add(physical)
          const holders = open.get(physical) ?? new Set()
          open.set(physical, holders.add(own))
        },
        commit() {
          if (own.tables.size > 0) commits++
          for (const table of own.tables) committed.set(table, commits)
          end()
        },
        rollback: end,
      }
    },
    async settled(physical, signal) {
      const stopped = Promise.withResolvers<void>()
      const stop = () => stopped.resolve()
      signal.addEventListener('abort', stop, { once: true })
      while (open.has(physical) && !signal.aborted) {
        await Promise.race([stopped.promise, ...[...(open.get(physical) ?? [])].map(each => each.ended.promise)])
      }
      signal.removeEventListener('abort', stop)
    },
  }
}

type Open = { readonly tables: Set<string>; readonly ended: PromiseWithResolvers<void> }

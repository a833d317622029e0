import { randomUUID } from 'node:crypto'
import { BigQueryError, type TableRef } from '../contract.ts'
import { nameOf } from '../names.ts'

/** What a statement does to a table: it changes or removes rows, it only adds some, or it changes the columns or options. */
export type Touch = 'mutate' | 'append' | 'define'

/** One transaction, as the rules of concurrency see it. */
export type Claim = {
  readonly id: string
  /**
   * Notes what the transaction has done to a table. Throws the service's message when it may not: it mutates what another transaction mutates at the
   * same time or has mutated after this one's snapshot; it writes to a table whose definition another has changed since; it defines a table that
   * another is writing to.
   */
  touch(how: Touch, table: TableRef, physical: string): void
  /** The same for DuckDB's own finding that two transactions touched one row. */
  aborted(table: TableRef): BigQueryError
  commit(): void
  rollback(): void
}

/** Who writes to which table now, for all transactions of one server. */
export type Conflicts = {
  /** To be called before the database takes its snapshot: then a commit in between is at worst taken for a conflict, never overlooked. */
  begin(): Claim
  /** Resolves when no open transaction has mutated the table (`append`: nor added rows to it). */
  settled(physical: string, signal: AbortSignal, how?: 'mutate' | 'append'): Promise<void>
}

/**
 * BigQuery: Multi-statement transactions, "Transaction concurrency": "If a transaction mutates (update or deletes) rows in a table, then other
 * transactions or DML statements that mutate rows in the same table cannot run concurrently. Conflicting transactions are cancelled. Conflicting DML
 * statements that run outside of a transaction are queued to run later". "Operations that read or append new rows can run concurrently".
 *
 * What DDL does beside an open transaction the documentation doesn't say. Here it is as a mutation that appends conflict with too: ALTER TABLE is
 * queued until nobody is writing to the table, and a transaction that is older than the new columns may read it, but not write to it.
 */
export function createConflicts(): Conflicts {
  const open = new Set<Open>()
  const committed = { mutate: new Map<string, number>(), define: new Map<string, number>() }
  let commits = 0
  return {
    begin() {
      const own: Open = { mutate: new Set(), append: new Set(), define: new Set(), ended: Promise.withResolvers() }
      const snapshot = commits
      const id = randomUUID()
      open.add(own)
      const aborted = (table: TableRef) =>
        new BigQueryError(
          'invalidQuery',
          `Transaction is aborted due to concurrent update against table ${nameOf(table)}. Transaction ID: ${id}`,
          'query',
        )
      const others = (how: Touch, physical: string) => [...open].some(other => other !== own && other[how].has(physical))
      const since = (how: 'mutate' | 'define', physical: string) => (committed[how].get(physical) ?? 0) > snapshot
      const end = () => {
        open.delete(own)
        own.ended.resolve()
      }
      return {
        id,
        aborted,
        touch(how, table, physical) {
          const changed = since('define', physical) || others('define', physical)
          const mutated = how !== 'append' && (others('mutate', physical) || since('mutate', physical))
          if (changed || mutated || (how === 'define' && others('append', physical))) throw aborted(table)
          own[how].add(physical)
        },
        commit() {
          if (own.mutate.size + own.define.size > 0) commits++
          for (const table of own.mutate) committed.mutate.set(table, commits)
          for (const table of own.define) committed.define.set(table, commits)
          end()
        },
        rollback: end,
      }
    },
    async settled(physical, signal, how = 'mutate') {
      const stopped = Promise.withResolvers<void>()
      const stop = () => stopped.resolve()
      signal.addEventListener('abort', stop, { once: true })
      const writers = () =>
        [...open].filter(
          each => each.mutate.has(physical) || each.define.has(physical) || (how === 'append' && each.append.has(physical)),
        )
      for (let busy = writers(); busy.length > 0 && !signal.aborted; busy = writers())
        await Promise.race([stopped.promise, ...busy.map(each => each.ended.promise)])
      signal.removeEventListener('abort', stop)
    },
  }
}

type Open = Readonly<Record<Touch, Set<string>>> & { readonly ended: PromiseWithResolvers<void> }

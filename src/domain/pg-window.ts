import { beginning, type Changes, type Mark, type Window } from './changes.ts'
import { EtlError } from './error.ts'
import { microsOf, timestampOf } from './micros.ts'
import { type Pg, pgLiteral } from './pg.ts'
import type { RowSchema } from './row.ts'

/** A source that is read by its changes. */
type Changing = { readonly row: RowSchema; readonly query: Pg; readonly changes: Changes | null }

/** What Postgres says of its clock, its open transactions and a source's newest change; microseconds since 1970. */
export type PgTimes = {
  readonly now: bigint
  /** When the oldest transaction that may still write began; null: none is open, or none is seen. */
  readonly open: bigint | null
  /** May the role see when others' transactions began? */
  readonly sees: boolean
  readonly newest: bigint | null
  readonly nulls: boolean
}

/** So long before now nothing is read: a transaction is seen a moment after its time was taken. */
const margin = 5_000_000n

/**
 * Asks for `PgTimes`, in a statement of its own before anything is read. `now()` is the time at which it began, before the transactions are looked at: whoever begins later has a later time. xact_start of others is visible to
 * members of pg_read_all_stats, which pg_monitor includes (Postgres: 27.2 The Cumulative Statistics System). Transactions in other databases can't write here.
 */
export function windowSql({ query, changes, row }: Changing): string {
  const name = pgLiteral.name(changes?.column ?? '')
  const isLocal = row.columns.find(column => column.name === changes?.column)?.type === 'DATETIME'
  const micros = (text: string) => `(extract(epoch FROM ${text}) * 1000000)::bigint`
  return `SELECT ${micros('now()')} AS now, ${micros('o.since')} AS open, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees,
  ${micros(isLocal ? "(m.newest AT TIME ZONE 'UTC')" : 'm.newest')} AS newest,
  EXISTS (SELECT 1 FROM (\n${query.text}\n) AS n WHERE ${name} IS NULL) AS nulls
FROM (SELECT max(${name}) AS newest FROM (\n${query.text}\n) AS q) AS m,
  (SELECT min(since) AS since FROM (
    SELECT xact_start AS since FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'
    UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
  ) AS t) AS o`
}

/**
 * The part of a source that is read next.
 * @throws EtlError `row` where the watermark can't be trusted.
 */
export function windowOf({ row, changes }: Changing, mark: Mark | null, { now, open, sees, newest, nulls }: PgTimes): Window {
  if (changes === null) throw new EtlError('bug', 'a source without changedBy has no window.')
  const { column, overlap, deletes } = changes
  if (nulls)
    throw new EtlError('row', `${column} is NULL in some rows: they would never be read.`, {
      hint: `coalesce it in the query, such as coalesce(${column}, opprettet) AS ${column}, or have the rows mended`,
    })
  const last = mark === null ? null : microsOf(mark.to)
  if (last !== null && now < last)
    throw new EtlError('row', `the database's clock says ${timestampOf(now)}, and the last run read until ${mark?.to}.`, {
      hint: 'was the database moved or restored? `run --full` reads everything again',
    })
  const before = mark?.newest === null || mark === null ? null : microsOf(mark.newest)
  const isBehind = before !== null && (newest === null || newest < before)
  if (isBehind && deletes !== 'compare-keys')
    throw new EtlError(
      'row',
      `the newest ${column} is ${newest === null ? 'gone' : timestampOf(newest)}, and the last run had seen ${mark?.newest}: the source went backwards.`,
      {
        hint: "were rows deleted, or a backup restored? `run --full` reads everything again; deletes: 'compare-keys' is for rows that go",
      },
    )
  const latest = now - margin
  const bound = open !== null && open < latest ? open : latest
  const to = last !== null && bound < last ? last : bound
  return {
    column,
    type: row.columns.find(each => each.name === column)?.type === 'DATETIME' ? 'DATETIME' : 'TIMESTAMP',
    from: mark === null ? null : beginning(mark, changes),
    to: timestampOf(to),
    newest: newest === null ? null : timestampOf(newest),
    remark: remarkOf({ now, to, sees, overlap }),
  }
}

function remarkOf({ now, to, sees, overlap }: { now: bigint; to: bigint; sees: boolean; overlap: bigint }): string | null {
  if (!sees)
    return `assumes that no transaction is open for longer than ${overlap / 1_000_000n} s: the role is no member of pg_monitor and can't see`
  const seconds = (now - to) / 1_000_000n
  return seconds < 60n ? null : `${seconds} s behind: a transaction has been open since then`
}

import { createHash } from 'node:crypto'
import { beginning, type Changes, type Mark, type Window } from './changes.ts'
import { EtlError } from './error.ts'
import { microsOf, timestampOf } from './micros.ts'
import { type Pg, pgLiteral } from './pg.ts'
import type { RowSchema } from './row.ts'
import { typeText } from './shape.ts'

/** A source that is read by its changes. */
type Changing = { readonly row: RowSchema; readonly query: Pg; readonly changes: Changes | null }

/** What Postgres says of its clock, its open transactions and a source's newest change; microseconds since 1970, null for none. */
export type PgTimes = {
  readonly now: bigint
  /** When the oldest transaction that may still write began, of those that are seen. */
  readonly open: bigint | null
  /** When the oldest prepared transaction was prepared; when it began nobody tells. */
  readonly prepared: bigint | null
  /** Are the beginnings of all transactions seen? */
  readonly sees: boolean
  /** Is it a replica, which knows nothing of its primary's transactions? */
  readonly replica: boolean
  /** Of a replica: when what it has replayed last was committed. */
  readonly replayed: bigint | null
  readonly newest: bigint | null
  /** Are there rows whose time is NULL, or infinite? */
  readonly nulls: boolean
}

/** The columns of the answer to `windowSql`, as drivers give them: numbers of 64 bits as text or bigint. */
export function pgTimes(row: Readonly<Record<string, unknown>>): PgTimes {
  const micros = (name: string) => (row[name] === null || row[name] === undefined ? null : BigInt(String(row[name])))
  return {
    now: micros('now') ?? 0n,
    open: micros('open'),
    prepared: micros('prepared'),
    sees: row.sees === true,
    replica: row.replica === true,
    replayed: micros('replayed'),
    newest: micros('newest'),
    nulls: row.nulls === true,
  }
}

/** So long before now nothing is read: a transaction is seen a moment after its time was taken. */
const margin = 5_000_000n

/**
 * Asks for `PgTimes`, in a statement of its own before anything is read. `now()` is the time at which it began, before the transactions are looked at: whoever begins later has a later time. xact_start of others is visible to
 * members of pg_read_all_stats, which pg_monitor includes, and of none whose role has track_activities off (Postgres: 27.2 The Cumulative Statistics System). Transactions in other databases can't write here.
 */
export function windowSql({ query, changes, row }: Changing): string {
  const name = pgLiteral.name(changes?.column ?? '')
  const isLocal = row.columns.find(column => column.name === changes?.column)?.type === 'DATETIME'
  const micros = (text: string) => `(extract(epoch FROM ${text}) * 1000000)::bigint`
  const newest = isLocal ? "(m.newest AT TIME ZONE 'UTC')" : 'm.newest'
  const some = (condition: string) => `EXISTS (SELECT 1 FROM (\n${query.text}\n) AS n WHERE ${name} ${condition})`
  return `SELECT ${micros('now()')} AS now, ${micros('o.since')} AS open, ${micros('p.since')} AS prepared,
  (pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AND NOT o.hidden) AS sees,
  pg_is_in_recovery() AS replica, ${micros('pg_last_xact_replay_timestamp()')} AS replayed,
  CASE WHEN isfinite(m.newest) THEN ${micros(newest)} END AS newest,
  (${[`IS NULL`, `= 'infinity'`, `= '-infinity'`].map(some).join(' OR ')}) AS nulls
FROM (SELECT max(${name}) AS newest FROM (\n${query.text}\n) AS q) AS m,
  (SELECT min(xact_start) AS since, coalesce(bool_or(state = 'disabled'), FALSE) AS hidden FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker') AS o,
  (SELECT min(prepared) AS since FROM pg_prepared_xacts WHERE database = current_database()) AS p`
}

/**
 * The part of a source that is read next.
 * @throws EtlError `row` where the watermark can't be trusted.
 */
export function windowOf(source: Changing, mark: Mark | null, times: PgTimes): Window {
  const { row, changes } = source
  if (changes === null) throw new EtlError('bug', 'a source without changedBy has no window.')
  const { column, deletes } = changes
  const { now, newest, nulls } = times
  if (nulls)
    throw new EtlError('row', `${column} is NULL or infinite in some rows: they would never be read.`, {
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
  const hash = hashOf(source)
  const isOther = mark?.of !== undefined && mark.of !== hash
  const bound = boundOf(changes, times)
  const to = last !== null && bound < last ? last : bound
  const remarks = [
    ...(isOther ? ['the query or its columns are others than those of the last version: everything is read'] : []),
    // The row may be gone, or the source an older one, whose rows have changed back.
    ...(isBehind ? [`the newest that the last run saw, of ${mark?.newest}, is there no more: everything is read`] : []),
    ...remarksOf(changes, times, to),
  ]
  return {
    column,
    type: row.columns.find(each => each.name === column)?.type === 'DATETIME' ? 'DATETIME' : 'TIMESTAMP',
    from: mark === null || isOther || isBehind ? null : beginning(mark, changes),
    to: timestampOf(to),
    newest: newest === null ? null : timestampOf(newest),
    of: hash,
    remark: remarks.length === 0 ? null : remarks.join('; '),
  }
}

/** No row that is not seen yet may have a time as early as this. */
function boundOf({ overlap }: Changes, { now, open, prepared, replica, replayed }: PgTimes): bigint {
  if (replica && replayed === null)
    throw new EtlError('row', 'the database is a replica that has replayed nothing yet: how far it is behind can’t be known.', {
      hint: 'read the primary, or wait',
    })
  return [
    now - margin,
    // Its rows have the very time at which it began.
    ...(open === null ? [] : [open - 1n]),
    ...(prepared === null ? [] : [prepared - overlap - 1n]),
    ...(replica && replayed !== null ? [replayed] : []),
  ].reduce((least, each) => (each < least ? each : least))
}

function remarksOf(
  { overlap, column }: Changes,
  { now, sees, replica, prepared, newest }: PgTimes,
  to: bigint,
): readonly string[] {
  const length = `${overlap / 1_000_000n} s`
  const behind = (now - to) / 1_000_000n
  return [
    ...(replica
      ? [`assumes that no transaction of the primary is open for longer than ${length}: a replica can't see them`]
      : sees
        ? []
        : [
            `assumes that no transaction is open for longer than ${length}: the role is no member of pg_monitor, or others are not tracked, and can't be seen`,
          ]),
    ...(prepared === null ? [] : [`assumes that a prepared transaction had been open for no longer than ${length}`]),
    ...(behind < 60n
      ? []
      : [`${behind} s behind: ${replica ? 'the replica is, or ' : ''}a transaction has been open since then`]),
    ...(newest !== null && newest > now + 60_000_000n
      ? [
          `there are rows of ${timestampOf(newest)}, which wait until that time: is a clock wrong, or ${column} no time of change?`,
        ]
      : []),
  ]
}

/** Twelve hex digits that differ where a source's query, columns or watermark do. */
function hashOf({ query, row, changes }: Changing): string {
  const columns = row.columns.map(column => [column.name, typeText(column)])
  return createHash('sha256')
    .update(JSON.stringify([query.text, columns, changes?.column]))
    .digest('hex')
    .slice(0, 12)
}

import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import { microsOf } from '../domain/micros.ts'
import type { Scope, TargetTables } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Warehouse } from '../ports/warehouse.ts'
import { asked } from './asked.ts'
import { localDate } from './tick.ts'

/** A version as the ledger has it. `slices` is null where everything was replaced, changed or added. Times are TIMESTAMP text. */
export type PublishedVersion = {
  readonly version: string
  readonly slot: string | null
  readonly run: string
  readonly attempt: string
  readonly rows: number | null
  readonly slices: Scope
  readonly contentHash: string | null
  readonly codeSha: string | null
  readonly publishedAt: string
  /** The version that this one brought back. */
  readonly restores: string | null
  /** merge: the history has a full copy of it. */
  readonly baseline: boolean
  readonly cursor: string | null
}

/** All versions of a target and the warehouse's time. */
export type Versions = {
  /** Newest first. */
  readonly all: readonly PublishedVersion[]
  readonly now: string
  /** Rows of the history before this version were deleted by hand; null if none were. */
  readonly pruned: string | null
}

/** The ledger's versions of a target. */
export async function publishedVersions(tables: TargetTables, warehouse: Pick<Warehouse, 'ask'>): Promise<Versions> {
  const { rows } = await asked(
    warehouse,
    tables,
    [
      'SELECT CURRENT_TIMESTAMP() AS now, event, version, slot, run, attempt, rows_written, scope, content_hash, code_sha, logged_at, message, cursor_to',
      `FROM ${literal.table(tables.runs)}`,
      `WHERE event IN ('published', 'restored', 'pruned') AND target = ${literal.string(tableName(tables.target))}`,
      'ORDER BY version DESC',
    ].join('\n'),
  )
  const all = rows
    .filter(row => row.event !== 'pruned')
    .map(row => {
      const scope = JSON.parse(String(row.scope ?? 'null')) as Scope | { readonly baseline: true }
      const isBaseline = scope !== null && 'baseline' in scope
      return {
        version: String(row.version),
        slot: row.slot === null ? null : String(row.slot),
        run: String(row.run),
        attempt: String(row.attempt),
        rows: row.rows_written === null ? null : Number(row.rows_written),
        slices: isBaseline ? null : scope,
        contentHash: row.content_hash as string | null,
        codeSha: row.code_sha as string | null,
        publishedAt: String(row.logged_at),
        restores: row.event === 'restored' ? (row.message as string | null) : null,
        baseline: isBaseline,
        cursor: row.cursor_to as string | null,
      }
    })
  const pruned = rows.flatMap(row => (row.event === 'pruned' ? [String(row.message)] : []))
  return { all, now: String(rows[0]?.now ?? '1970-01-01T00:00:00Z'), pruned: newest(pruned) }
}

/**
 * The version that a person means: as `versions` prints it, the beginning of one, or a date: then the one that stood at the end of that day in the
 * schedule's zone.
 * @throws EtlError `usage`, with the versions there are.
 */
export function versionMeant(text: string, { all }: Versions, timeZone: string): PublishedVersion {
  const exact = all.find(({ version }) => version === text)
  if (exact !== undefined) return exact
  const fail = (why: string) => {
    const some = all.slice(0, 5).map(({ version }) => version)
    return new EtlError('usage', `version ${text}: ${why}.`, {
      hint: some.length === 0 ? 'nothing has been published yet' : `there are ${some.join(', ')}${all.length > 5 ? ', …' : ''}`,
    })
  }
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const stood = all.find(({ version }) => localDate(version, timeZone) <= text)
    if (stood === undefined) throw fail('nothing was published by the end of that day')
    return stood
  }
  const matching = all.filter(({ version }) => version.startsWith(text))
  if (matching.length === 1 && matching[0] !== undefined && text.length >= 4) return matching[0]
  throw fail(matching.length > 1 ? `${matching.length} versions begin like this` : 'there is none')
}

function newest(versions: readonly string[]): string | null {
  return versions.reduce<string | null>((last, one) => (last === null || microsOf(one) > microsOf(last) ? one : last), null)
}

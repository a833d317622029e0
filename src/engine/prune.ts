import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import { microsOf, timestampOf } from '../domain/micros.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import { tablesOf } from './plan.ts'
import type { RunRequest, Settings } from './settings.ts'
import { snapshotTable } from './snapshot.ts'
import { unreadable } from './state.ts'
import { type PublishedVersion, publishedVersions } from './versions.ts'

/** What a pruning would take, or has taken. */
export type Pruning = {
  /** Versions that can be read now, and not any more afterwards. */
  readonly versions: readonly PublishedVersion[]
  /** What is older goes: midnight, so that whole partitions go for nothing; null where nothing does. */
  readonly before: string | null
  readonly statements: readonly string[]
}

/**
 * What goes if versions of the last `days` days stay readable. The version that stands always stays; merge keeps the full copy that later versions are read from.
 */
export async function planPruning(
  pipeline: NamedPipeline,
  days: number,
  { warehouse }: Pick<Ports, 'warehouse'>,
  settings: Settings,
): Promise<Pruning> {
  const tables = tablesOf(pipeline, settings)
  const versions = await publishedVersions(tables, warehouse)
  const day = 86_400_000_000n
  const cutoff = (microsOf(versions.now) / day - BigInt(days)) * day
  const { write } = pipeline
  const copy = versions.all.find(one => one.baseline && microsOf(one.version) <= cutoff)
  const before = write.mode !== 'merge' ? cutoff : copy === undefined ? null : (microsOf(copy.version) / day) * day
  const none = { versions: [], before: null, statements: [] }
  if (before === null || (write.mode !== 'append' && write.history.kind === 'none')) return none
  const text = timestampOf(before)
  const stays = (version: string) => unreadable(pipeline, tables, { ...versions, pruned: text }, version) === undefined
  const lost = versions.all.filter(
    ({ version }) => unreadable(pipeline, tables, versions, version) === undefined && !stays(version),
  )
  if (lost.length === 0) return none
  const old = lost.filter(({ version }) => microsOf(version) < before)
  const statements =
    write.history.kind === 'snapshot'
      ? old.map(({ version }) => `DROP SNAPSHOT TABLE IF EXISTS ${literal.table(snapshotTable(tables, version))}`)
      : [`DELETE FROM ${literal.table(tables.history)} WHERE version < ${literal.timestamp(text)}`]
  return { versions: lost, before: text, statements }
}

/** Deletes what the plan says, and notes it, so that nobody reads a part of a version. Throws EtlError. */
export async function prune(
  pipeline: NamedPipeline,
  pruning: Pruning,
  { user, attempt }: RunRequest,
  { warehouse }: Pick<Ports, 'warehouse'>,
  settings: Settings,
): Promise<void> {
  const tables = tablesOf(pipeline, settings)
  const run = `prune-${user}-${attempt}`
  if (pruning.before === null) throw new EtlError('bug', 'there is nothing to prune.')
  const { head } = await warehouse.describe(pipeline, tables, run)
  // The note comes first: what it calls gone is not read, whether or not the deletion has come to an end.
  await warehouse.note({
    event: 'pruned',
    pipeline: pipeline.name,
    tables,
    run,
    attempt,
    version: head?.version ?? pruning.before,
    slot: head?.version ?? pruning.before,
    trigger: 'local',
    mode: pipeline.write.mode,
    codeSha: settings.codeSha,
    message: pruning.before,
  })
  for (const statement of pruning.statements)
    await warehouse.execute(`etl-prune-${tables.target.table}`, statement, `pruning the history of ${tableName(tables.target)}`)
}

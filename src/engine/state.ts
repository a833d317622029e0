import { EtlError } from '../domain/error.ts'
import { datesCondition, literal } from '../domain/literal.ts'
import { microsOf, timestampOf } from '../domain/micros.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { TargetTables } from '../domain/run.ts'
import { snapshotTable } from './snapshot.ts'
import type { PublishedVersion, Versions } from './versions.ts'
import { visibleAt } from './visible.ts'

/**
 * A SELECT of the target's rows as they were at a version: the row schema's columns and `version`.
 * @throws EtlError `notFound` where the history no longer has it, or never kept it.
 */
export function stateAt(pipeline: NamedPipeline, tables: TargetTables, versions: Versions, version: string): string {
  if (versions.all[0]?.version === version) return select(pipeline, tables.target)
  switch (pipeline.write.mode) {
    case 'replace':
      return replacedAt(pipeline, tables, versions, version)
    case 'partition':
      return slicesAt(pipeline, tables, versions, version, datesSince(versions, version))
    case 'append':
      return appendedAt(pipeline, tables, versions, version)
    case 'merge':
      return mergedAt(pipeline, tables, versions, version)
  }
}

/** Why a version can't be read any more; undefined if it can. */
export function unreadable(
  pipeline: NamedPipeline,
  tables: TargetTables,
  versions: Versions,
  version: string,
): string | undefined {
  try {
    stateAt(pipeline, tables, versions, version)
    return undefined
  } catch (error) {
    if (error instanceof EtlError) return error.problem
    throw error
  }
}

/** partition: the slices that later versions have done again, or first: all others are as they were. Ascending. */
export function datesSince({ all }: Versions, version: string): readonly string[] {
  const later = all.slice(
    0,
    all.findIndex(one => one.version === version),
  )
  return [...new Set(later.flatMap(({ slices }) => slices ?? []))].sort()
}

/** partition: these slices as they were at a version, from the history. */
export function historyOfSlices(
  pipeline: NamedPipeline,
  tables: TargetTables,
  versions: Versions,
  version: string,
  dates: readonly string[],
): string {
  const { write } = pipeline
  if (write.mode !== 'partition') throw new EtlError('bug', 'only a partitioned target has slices.')
  const parts = versionsOfSlices(versions, version, dates).map(({ of, dates: here }) => {
    checkKept(pipeline, versions, of.version, version)
    return `(version = ${literal.timestamp(of.version)} AND ${datesCondition(write.column, here)})`
  })
  return `${select(pipeline, tables.history)} WHERE ${parts.length === 0 ? nothing : parts.join('\n   OR ')}`
}

/** partition: which version each of these slices comes from, as they were at a version; a slice that was not there comes from none. */
export function versionsOfSlices({ all }: Versions, version: string, dates: readonly string[]) {
  const left = new Set(dates)
  return all.slice(all.findIndex(one => one.version === version)).flatMap(of => {
    const here = (of.slices ?? []).filter(date => left.delete(date)).sort()
    return here.length === 0 ? [] : [{ of, dates: here }]
  })
}

/** A condition on the history's partitions that no row meets. */
const nothing = `version = TIMESTAMP '1970-01-01 00:00:00+00'`

function slicesAt(
  pipeline: NamedPipeline,
  tables: TargetTables,
  versions: Versions,
  version: string,
  changed: readonly string[],
): string {
  const { write } = pipeline
  const column = write.mode === 'partition' ? write.column : ''
  const old = historyOfSlices(pipeline, tables, versions, version, changed)
  return `${select(pipeline, tables.target)} WHERE NOT (${datesCondition(column, changed)})\nUNION ALL\n${old}`
}

function replacedAt(pipeline: NamedPipeline, tables: TargetTables, versions: Versions, version: string): string {
  const from = pipeline.write.history.kind === 'snapshot' ? snapshotTable(tables, version) : tables.history
  checkKept(pipeline, versions, version, version)
  return `${select(pipeline, from)} WHERE version = ${literal.timestamp(version)}`
}

function appendedAt(pipeline: NamedPipeline, tables: TargetTables, versions: Versions, version: string): string {
  const now = new Set(visibleAt(versions.all, versions.all[0]?.version ?? ''))
  const then = visibleAt(versions.all, version)
  const there = then.filter(one => now.has(one))
  const moved = then.filter(one => !now.has(one))
  if (moved.length > 0) for (const one of moved) checkPruned(versions, one, version)
  const of = (list: readonly string[]) => `version IN (${list.map(literal.timestamp).join(', ')})`
  // Rows without a version were there before the table was ours.
  const current = `${select(pipeline, tables.target)} WHERE version IS NULL${there.length === 0 ? '' : ` OR ${of(there)}`}`
  return moved.length === 0 ? current : `${current}\nUNION ALL\n${select(pipeline, tables.history)} WHERE ${of(moved)}`
}

/** The newest full copy of the table at or before the version, and what was done since: of each key the last word. */
function mergedAt(pipeline: NamedPipeline, tables: TargetTables, versions: Versions, version: string): string {
  const { columns, key } = pipeline.to.row
  const at = versions.all.findIndex(one => one.version === version)
  const copy = versions.all.slice(at).find(one => one.baseline)
  if (pipeline.write.history.kind === 'none') throw gone(version, "the pipeline says history: 'none'")
  if (copy === undefined) throw gone(version, 'the history has no full copy of the table that is as old')
  checkKept(pipeline, versions, copy.version, version)
  const names = [...columns.map(column => literal.name(column.name)), 'version'].join(', ')
  const keys = key.map(literal.name).join(', ')
  const range = `version BETWEEN ${literal.timestamp(copy.version)} AND ${literal.timestamp(version)}`
  return `SELECT ${names} FROM (
  SELECT ${names}, _op, ROW_NUMBER() OVER (PARTITION BY ${keys} ORDER BY version DESC) AS _place
  FROM ${literal.table(tables.history)} WHERE ${range}
) WHERE _place = 1 AND _op != 'delete'`
}

function select({ to }: NamedPipeline, from: TargetTables['target']): string {
  const names = [...to.row.columns.map(column => column.name), 'version']
  return `SELECT ${names.map(literal.name).join(', ')} FROM ${literal.from(from, names)}`
}

/** Rows of a version stay in the history for so many days, from midnight of its day. */
function checkKept(pipeline: NamedPipeline, versions: Versions, needed: string, wanted: string): void {
  const { history } = pipeline.write
  if (history.kind === 'none') throw gone(wanted, "the pipeline says history: 'none'")
  const day = 86_400_000_000n
  const oldest = (microsOf(versions.now) / day - BigInt(history.days)) * day
  if (microsOf(needed) < oldest)
    throw gone(
      wanted,
      `the history keeps ${history.days} days, since ${timestampOf(oldest).slice(0, 10)}${needed === wanted ? '' : `, and it needs rows of ${needed}`}`,
    )
  checkPruned(versions, needed, wanted)
}

function checkPruned({ pruned }: Versions, needed: string, wanted: string): void {
  if (pruned !== null && microsOf(needed) < microsOf(pruned)) throw gone(wanted, `what is older than ${pruned} was pruned`)
}

function gone(version: string, why: string): EtlError {
  return new EtlError('notFound', `version ${version} can't be read any more: ${why}.`, {
    hint: '`npm run etl -- versions NAME` says which can',
  })
}

/** append: what a version that is brought back changes. */
export function moves(
  all: readonly PublishedVersion[],
  version: string,
): { leave: readonly string[]; comeBack: readonly string[] } {
  const now = visibleAt(all, all[0]?.version ?? '')
  const then = visibleAt(all, version)
  return { leave: now.filter(one => !then.includes(one)), comeBack: then.filter(one => !now.includes(one)) }
}

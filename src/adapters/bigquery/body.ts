import { EtlError } from '../../domain/error.ts'
import { datesCondition, literal } from '../../domain/literal.ts'
import type { Publication } from '../../domain/run.ts'
import type { TableRef } from '../../domain/source.ts'
import { keepsRows } from '../../domain/write.ts'
import { mergeRows, operation } from './merge.ts'
import { fromStage } from './staged.ts'

/** What a publication does to its target and the history, by the write mode: statements of the publish script, inside its transaction. */
export function body(publication: Publication): string {
  return statements(publication)
    .map(statement => `  ${statement};`)
    .join('\n')
}

function statements(publication: Publication): readonly string[] {
  const { write, restores, tables } = publication
  switch (write.mode) {
    case 'replace':
      return [truncated(tables.target), filled(publication, tables.target), ...kept(publication)]
    case 'partition':
      return [slicesEmptied(publication), filled(publication, tables.target), ...kept(publication)]
    case 'append':
      return restores === null ? [filled(publication, tables.target)] : movedAside(publication)
    case 'merge':
      return restores === null
        ? [mergeRows(publication), ...kept(publication), ...baseline(publication)]
        : [truncated(tables.target), filled(publication, tables.target), ...baseline(publication)]
  }
}

/** TRUNCATE bills nothing (BigQuery: TRUNCATE TABLE). */
function truncated(target: TableRef): string {
  return `TRUNCATE TABLE ${literal.table(target)}`
}

/** A DELETE of whole partitions by literals bills nothing (BigQuery: Using DML with partitioned tables). */
function slicesEmptied({ write, scope, tables: { target } }: Publication): string {
  if (write.mode !== 'partition' || scope === null) throw new EtlError('bug', 'a publication in partition mode has no scope.')
  return `DELETE FROM ${literal.from(target, [write.column])} WHERE ${datesCondition(write.column, scope)}`
}

function filled({ columns, stage }: Publication, target: TableRef): string {
  return `INSERT INTO ${literal.table(target)} (${names(columns)}, version)
    SELECT ${columns.map(fromStage).join(', ')}, @version FROM ${literal.table(stage.table)}`
}

/** The rows of this version for the history, each with what happened to it. */
function kept(publication: Publication): readonly string[] {
  const { write, columns, stage, tables } = publication
  if (!keepsRows(write) || publication.baseline) return []
  const op = write.mode === 'merge' ? operation(write) : `'row'`
  return [
    `INSERT INTO ${literal.table(tables.history)} (${names(columns)}, version, _op)
    SELECT ${columns.map(fromStage).join(', ')}, @version, ${op} FROM ${literal.table(stage.table)}`,
  ]
}

/** merge: in place of what was done, the table as it is now, whole, so that what is older than this may expire. */
function baseline({ write, baseline: isDue, columns, tables }: Publication): readonly string[] {
  if (!isDue || !keepsRows(write)) return []
  const list = names(columns)
  const from = literal.from(tables.target, [...columns.map(column => column.name), 'version'])
  return [
    `INSERT INTO ${literal.table(tables.history)} (${list}, version, _op)
    SELECT ${list}, @version, 'row' FROM ${from}`,
  ]
}

/** append keeps no copies: rows of versions that shall not be seen move to the history, others come back from there. */
function movedAside({ restores, columns, tables }: Publication): readonly string[] {
  const list = names(columns)
  const [target, history] = [literal.table(tables.target), literal.table(tables.history)]
  const moved = (versions: readonly string[]) => `version IN (${versions.map(literal.timestamp).join(', ')})`
  const { leave = [], comeBack = [] } = restores ?? {}
  const out = [
    `INSERT INTO ${history} (${list}, version, _op)
    SELECT ${list}, version, 'delete' FROM ${target} WHERE ${moved(leave)}`,
    `DELETE FROM ${target} WHERE ${moved(leave)}`,
  ]
  const back = [
    `INSERT INTO ${target} (${list}, version)
    SELECT ${list}, version FROM ${history} WHERE ${moved(comeBack)}`,
    `DELETE FROM ${history} WHERE ${moved(comeBack)}`,
  ]
  return [...(leave.length === 0 ? [] : out), ...(comeBack.length === 0 ? [] : back)]
}

function names(columns: Publication['columns']): string {
  return columns.map(column => literal.name(column.name)).join(', ')
}

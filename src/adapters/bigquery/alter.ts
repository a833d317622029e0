import type { Column } from '../../domain/column.ts'
import type { Change } from '../../domain/evolution.ts'
import { literal } from '../../domain/literal.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { TargetTables } from '../../domain/run.ts'
import { schemaHash, shapeOf } from '../../domain/shape.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import type { TableResource } from './tables.ts'
import { ddlColumn } from './types.ts'

/**
 * The expansions of one table, a statement each but for the new columns: a statement that another pod was faster with fails, and none may take a second one
 * with it (BigQuery: ALTER COLUMN DROP NOT NULL, "If a column does not have a NOT NULL constraint the query returns an error").
 */
export function alterScripts(ref: TableRef, role: 'target' | 'history', changes: readonly Change[]): readonly string[] {
  const alter = `ALTER TABLE ${literal.table(ref)}`
  const added = changes.flatMap(({ kind, wanted }) => (kind === 'add' && wanted !== undefined ? [wanted] : []))
  const columns = added.map(column => `ADD COLUMN IF NOT EXISTS ${ddlColumn(addable(column, role))}`)
  return [
    ...(columns.length === 0 ? [] : [`${alter}\n  ${columns.join(',\n  ')};`]),
    ...changes.flatMap(({ kind, column, wanted }) => {
      const one = `${alter} ALTER COLUMN ${column === '' ? '' : literal.name(column)}`
      if (kind === 'relax') return [`${one} DROP NOT NULL;`]
      if (kind === 'widen' && wanted !== undefined) return [`${one} SET DATA TYPE ${wanted.type};`]
      if (kind === 'describe' && wanted?.description !== undefined)
        return [`${one} SET OPTIONS (description = ${literal.string(wanted.description)});`]
      return []
    }),
  ]
}

/** The history keeps its rows for as long as the pipeline says now; what has expired already is gone. One that never expires is somebody's choice. */
export function keepScripts(
  { write: { history } }: NamedPipeline,
  ref: TableRef,
  table: TableResource | undefined,
): readonly string[] {
  if (table === undefined || history.kind !== 'rows') return []
  const known = table.timePartitioning?.expirationMs
  if (known === undefined || Number(known) === history.days * 86_400_000) return []
  return [`ALTER TABLE ${literal.table(ref)} SET OPTIONS (partition_expiration_days = ${literal.number(String(history.days))});`]
}

/** BigQuery: ALTER TABLE ADD COLUMN, "You cannot add a REQUIRED column to an existing table schema". */
function addable(column: Column, role: 'target' | 'history'): Column {
  const { description, ...rest } = column
  return {
    ...rest,
    mode: column.mode === 'REPEATED' ? 'REPEATED' : 'NULLABLE',
    ...(description === undefined || role === 'history' ? {} : { description }),
  }
}

/** Notes in the ledger what the pipeline declares from now on; `version` is the last one that was published before. */
export function evolvedNote(
  pipeline: NamedPipeline,
  tables: TargetTables,
  run: string,
  version: string,
  changes: readonly Change[],
): string {
  const values = [
    'CURRENT_TIMESTAMP()',
    `'evolved'`,
    literal.string(pipeline.name),
    literal.string(tableName(tables.target)),
    literal.string(run),
    `''`,
    literal.timestamp(version),
    literal.string(pipeline.write.mode),
    literal.string(schemaHash(pipeline)),
    literal.string(JSON.stringify(shapeOf(pipeline))),
    literal.string(changes.map(change => change.sentence).join('; ')),
  ]
  return `INSERT INTO ${literal.table(tables.runs)} (logged_at, event, pipeline, target, run, attempt, version, mode, schema_hash, message, hint)
  VALUES (${values.join(', ')});`
}

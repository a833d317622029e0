import { added, auditSql, type Promises } from '../domain/audit.ts'
import { contentSql } from '../domain/content.ts'
import { dayColumn, daysAsked } from '../domain/days.ts'
import { ownAuditsSql, tablesOf } from '../domain/own-audits.ts'
import { guarded } from '../domain/personal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Scope, TargetTables } from '../domain/run.ts'
import type { TableRef } from '../domain/source.ts'
import type { Warehouse } from '../ports/warehouse.ts'

/** What a pipeline promises of its staged rows. Rows of a function were checked one by one, the elements of their arrays too. */
export function promisesOf(pipeline: NamedPipeline, scope: Scope): Promises {
  const { columns, key } = guarded(pipeline)
  const slices = pipeline.write.mode === 'partition' && scope !== null ? { column: pipeline.write.column, dates: scope } : null
  const { write } = pipeline
  const deletions = write.mode === 'merge' && write.deletes === 'missing'
  return { columns, key, scope: slices, elements: pipeline.transform.kind === 'sql', deletions }
}

/** The audit's question of a stage: which promises its rows break, and in the same breath the hash of what lies in it, as `content`, and between which days of a column. */
export function auditQuestion(promises: Promises, stage: TableRef, days: string | null): string {
  const content = contentSql(promises.columns, stage, promises.deletions ? added : undefined)
  return auditSql(promises, stage, [`(${content}) AS content`, ...daysAsked(days)])
}

/** What stands in front of the author's own audits. */
export function ownTables(
  pipeline: NamedPipeline,
  tables: TargetTables,
  stage: TableRef,
  warehouse: Pick<Warehouse, 'auditTables'>,
): string {
  return warehouse.auditTables(pipeline, tables, stage, tablesOf(pipeline.audits))
}

/** The audit's questions as text, for `plan`. */
export function auditText(
  pipeline: NamedPipeline,
  scope: Scope,
  tables: TargetTables,
  stage: TableRef,
  warehouse: Pick<Warehouse, 'auditTables'>,
): string {
  const own =
    Object.keys(pipeline.audits).length === 0
      ? []
      : [ownAuditsSql(pipeline.audits, ownTables(pipeline, tables, stage, warehouse))]
  return [auditQuestion(promisesOf(pipeline, scope), stage, dayColumn(pipeline)), ...own].join(';\n\n')
}

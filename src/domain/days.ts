import type { AnyRow } from './column.ts'
import { literal } from './literal.ts'
import type { NamedPipeline } from './pipeline.ts'

/** The first and the last day of staged rows, in the column that the target is partitioned by. */
export type Days = { readonly column: string; readonly first: string; readonly last: string }

/**
 * The column whose days bound a merge: a row that is changed lies in the partition of the staged one, if the partition's column is part of the key. Not
 * where keys that the stage lacks are deleted: those may lie anywhere; nor of personal data, which SQL that others may read doesn't tell.
 */
export function dayColumn({ write, to: { row, partitionBy } }: NamedPipeline): string | null {
  if (write.mode !== 'merge' || write.deletes === 'missing' || partitionBy === undefined) return null
  const column = row.columns.find(each => each.name === partitionBy)
  return row.key.includes(partitionBy) && column?.pii === undefined ? partitionBy : null
}

/** SQL: the aggregates that `daysFound` reads. */
export function daysAsked(column: string | null): readonly string[] {
  if (column === null) return []
  return [`MIN(${literal.name(column)}) AS first_day`, `MAX(${literal.name(column)}) AS last_day`]
}

/** Those days; none, if no row was staged. */
export function daysFound(column: string | null, row: AnyRow): Days | undefined {
  const [first, last] = [row.first_day, row.last_day]
  return column === null || typeof first !== 'string' || typeof last !== 'string' ? undefined : { column, first, last }
}

/** SQL: what holds of every row of the target that a staged row can meet, in literals, so that partitions prune (BigQuery: Query partitioned tables). */
export function withinDays({ column, first, last }: Days, target: string): string {
  return `${target}.${literal.name(column)} BETWEEN ${literal.date(first)} AND ${literal.date(last)}`
}

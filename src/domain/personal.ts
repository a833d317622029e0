import type { Column } from './column.ts'
import type { Pipeline } from './pipeline.ts'
import type { RowSchema } from './row.ts'

/** Does a column, or one inside it, hold personal data? */
export function isPersonal(column: Column): boolean {
  return column.pii !== undefined || (column.fields ?? []).some(isPersonal)
}

/** Does any source or the target of a pipeline hold personal data? */
export function handlesPersonal(pipeline: Pick<Pipeline, 'from' | 'to'>): boolean {
  return [...Object.values(pipeline.from), pipeline.to].some(part => part.row.columns.some(isPersonal))
}

const guardedRows = new WeakMap<object, RowSchema>()

/**
 * The target's row schema for messages: where a pipeline handles personal data, any column of its result may carry some by mistake, so that all
 * are taken as marked.
 */
export function guarded(pipeline: Pick<Pipeline, 'from' | 'to'>): RowSchema {
  const { row } = pipeline.to
  if (!handlesPersonal(pipeline)) return row
  const known = guardedRows.get(row)
  if (known !== undefined) return known
  const marked = { ...row, columns: row.columns.map(allMarked) }
  guardedRows.set(row, marked)
  return marked
}

function allMarked(column: Column): Column {
  const { fields } = column
  return { ...column, pii: column.pii ?? 'indirect', ...(fields === undefined ? {} : { fields: fields.map(allMarked) }) }
}

import type { Column } from './column.ts'
import { literal } from './literal.ts'

/** SQL that is true where a column's values of two rows differ: NULL is a value, NaN equals itself. `left` and `right` are the rows' names. */
export function differs(column: Column, left: string, right: string): string {
  const [mine, theirs] = [`${left}.${literal.name(column.name)}`, `${right}.${literal.name(column.name)}`]
  // GoogleSQL, Operators: IS DISTINCT FROM takes what can be compared; the others differ where their texts do.
  if (column.mode !== 'REPEATED' && !['RECORD', 'JSON', 'GEOGRAPHY'].includes(column.type))
    return `${mine} IS DISTINCT FROM ${theirs}`
  if (column.type === 'GEOGRAPHY' && column.mode !== 'REPEATED') return `ST_ASTEXT(${mine}) IS DISTINCT FROM ST_ASTEXT(${theirs})`
  return `TO_JSON_STRING(${mine}) IS DISTINCT FROM TO_JSON_STRING(${theirs})`
}

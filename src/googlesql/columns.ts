import { GoogleSqlError } from './error.ts'
import type { Field } from './field.ts'

/**
 * The columns of a result as BigQuery names them: those without a name are `f0_`, `f1_`, … by their place among the unnamed.
 * The evaluator allows two columns of one name, BigQuery doesn't (query results have no duplicate names, compared without case): throws GoogleSqlError.
 */
export function resultNames(columns: readonly Field[]): Field[] {
  let unnamed = 0
  const named = columns.map(column => (isUnnamed(column.name) ? { ...column, name: `f${unnamed++}_` } : column))
  refuseDuplicates(named)
  return named
}

/** Refuses two columns of one name, in BigQuery's words. */
export function refuseDuplicates(columns: readonly { readonly name: string }[]): void {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name.toLowerCase())) twice.add(name)
    seen.add(name.toLowerCase())
  }
  if (twice.size > 0)
    throw new GoogleSqlError(
      'invalid',
      `Duplicate column names in the result are not supported. Found duplicate(s): ${[...twice].join(', ')}`,
    )
}

function isUnnamed(name: string): boolean {
  return name === '' || name.startsWith('$')
}

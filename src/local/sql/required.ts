import type { Value } from '../../googlesql/field.ts'
import { BigQueryError, type Field } from '../contract.ts'
import { physicalType } from '../types.ts'
import { NotLowered } from './lower/grammar.ts'

/**
 * The expression that a column stores of a value (NULL where none is given): an absent array is an empty one, and a REQUIRED column refuses NULL
 * with the service's message. Throws NotLowered where REQUIRED stands inside of a record.
 */
export function stored(value: string | undefined, field: Field): string {
  const type = physicalType(field)
  if (field.mode === 'REPEATED') return value === undefined ? `CAST([] AS ${type})` : `COALESCE(${value}, CAST([] AS ${type}))`
  if (value !== undefined && requiresInside(field)) throw new NotLowered('a required field of a record')
  const given = value ?? `CAST(NULL AS ${type})`
  return field.mode === 'REQUIRED'
    ? `COALESCE(${given}, CAST(error('${missing(field.name).replaceAll("'", "''")}') AS ${type}))`
    : given
}

/** The same for rows of values. Throws invalidQuery. */
export function checkRequired(rows: readonly (readonly Value[])[], schema: readonly Field[]): void {
  for (const row of rows) for (const [index, field] of schema.entries()) checkValue(row[index] ?? null, field, field.name)
}

function checkValue(value: Value, field: Field, path: string): void {
  if (field.mode === 'REPEATED') {
    for (const each of (value ?? []) as readonly Value[]) checkValue(each, { ...field, mode: 'NULLABLE' }, path)
  } else if (value === null) {
    if (field.mode === 'REQUIRED') throw new BigQueryError('invalidQuery', missing(path), 'query')
  } else if (field.type === 'RECORD') {
    const record = value as { readonly [name: string]: Value }
    for (const each of field.fields ?? []) checkValue(record[each.name] ?? null, each, `${path}.${each.name}`)
  }
}

const missing = (path: string) => `Required field ${path} cannot be null`

function requiresInside(field: Field): boolean {
  return (field.fields ?? []).some(each => each.mode === 'REQUIRED' || requiresInside(each))
}

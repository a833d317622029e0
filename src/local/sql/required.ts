import type { Value } from '../../googlesql/field.ts'
import { BigQueryError, type Field } from '../contract.ts'
import { physicalType } from '../types.ts'

/**
 * The expression that a column stores of a value (NULL where none is given): an absent array is an empty one, and a REQUIRED column, or field of a
 * record, refuses NULL with the service's message.
 */
export function stored(value: string | undefined, field: Field): string {
  const type = physicalType(field)
  const empty = field.mode === 'REPEATED' ? `CAST([] AS ${type})` : `CAST(NULL AS ${type})`
  const refusal = `CAST(error('${missing(field.name).replaceAll("'", "''")}') AS ${type})`
  if (value === undefined) return field.mode === 'REQUIRED' ? refusal : empty
  const faults = gaps(value, { ...field, mode: field.mode === 'REQUIRED' ? 'NULLABLE' : field.mode }, field.name)
  const inside = faults.map(
    ({ found, path }) => `WHEN ${found} THEN CAST(error('${missing(path).replaceAll("'", "''")}') AS ${type})`,
  )
  const whole = inside.length === 0 ? value : `CASE ${inside.join(' ')} ELSE ${value} END`
  if (field.mode === 'REPEATED') return `COALESCE(${whole}, ${empty})`
  return field.mode === 'REQUIRED' ? `COALESCE(${whole}, ${refusal})` : whole
}

/** Conditions under which a REQUIRED field inside of a value is NULL, each with the field's path. */
function gaps(value: string, field: Field, path: string, depth = 0): { readonly found: string; readonly path: string }[] {
  if (field.mode === 'REPEATED') {
    const element = `e${depth}`
    return gaps(element, { ...field, mode: 'NULLABLE' }, path, depth + 1).map(gap => ({
      ...gap,
      found: `len(list_filter(${value}, lambda ${element}: ${gap.found})) > 0`,
    }))
  }
  return (field.fields ?? []).flatMap(each => {
    const part = `struct_extract(${value}, '${each.name.replaceAll("'", "''")}')`
    const inner = `${path}.${each.name}`
    const own = each.mode === 'REQUIRED' ? [{ found: `(${value} IS NOT NULL AND ${part} IS NULL)`, path: inner }] : []
    return [...own, ...gaps(part, each, inner, depth)]
  })
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

import type { Field, FieldType } from './contract.ts'
import { quoted } from './duck.ts'

/**
 * A DuckDB aggregate: the bytes of these columns over all rows of a table.
 * BigQuery: Estimate storage and query costs, 'Data type sizes'. NULL counts 0.
 */
export function byteSize(columns: readonly Field[]): string {
  // How many values a column has, DuckDB mostly knows without reading it.
  const [fixed, others] = [columns.filter(isFixed), columns.filter(field => !isFixed(field))]
  const counts = fixed.map(field => `count(${quoted(field.name)}) * ${fixedSizes[field.type]}`)
  const sums = others.map(field => `coalesce(sum(${size(field, quoted(field.name), 0)}), 0)`)
  return `(${[...counts, ...sums].join(' + ') || '0'})::BIGINT`
}

const isFixed = ({ mode, type }: Field) => mode !== 'REPEATED' && fixedSizes[type] !== undefined

function size(field: Field, ref: string, depth: number): string {
  if (field.mode === 'REPEATED') {
    const element = `e${depth}`
    return `coalesce(list_sum(list_transform(${ref}, lambda ${element}: ${one(field, element, depth + 1)})), 0)`
  }
  return one(field, ref, depth)
}

function one(field: Field, ref: string, depth: number): string {
  if (field.type === 'RECORD') {
    const inside = (field.fields ?? []).map(each => size(each, `${ref}.${quoted(each.name)}`, depth))
    return `(${inside.join(' + ') || '0'})`
  }
  const fixed = fixedSizes[field.type]
  if (fixed !== undefined) return `if(${ref} IS NULL, 0, ${fixed})`
  return field.type === 'BYTES' ? `coalesce(2 + octet_length(${ref}), 0)` : `coalesce(2 + strlen(${ref}), 0)`
}

const fixedSizes: Partial<Record<FieldType, number>> = {
  INT64: 8,
  FLOAT64: 8,
  BOOL: 1,
  NUMERIC: 16,
  BIGNUMERIC: 32,
  TIMESTAMP: 8,
  DATE: 8,
  TIME: 8,
  DATETIME: 8,
}

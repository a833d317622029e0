import { elementOf } from '../../../googlesql/field.ts'
import { typeName } from '../../../googlesql/types.ts'
import type { Field } from '../../contract.ts'
import { quoted } from '../../duck.ts'
import { NotLowered } from './grammar.ts'

/** A side of a comparison of JSON texts: the argument of TO_JSON_STRING. */
export type JsonSide = { readonly field: Field; readonly sql: string }

/**
 * Whether TO_JSON_STRING(a) and TO_JSON_STRING(b) differ, without writing the texts: two values of one type have the same text exactly where their
 * physical values are not distinct in DuckDB (NaN is itself, the two zeros are one), but that NULL and JSON null are both `null`. A JSON value lies as
 * its text, so this compares spellings. Throws NotLowered for sides of two types.
 */
export function jsonTextsDiffer(a: JsonSide, b: JsonSide): string {
  if (typeName(a.field) !== typeName(b.field)) throw new NotLowered('TO_JSON_STRING of two types')
  return `${comparable(a.sql, a.field)} IS DISTINCT FROM ${comparable(b.sql, b.field)}`
}

function comparable(value: string, field: Field, depth = 0): string {
  if (field.mode === 'REPEATED') {
    if (!isSpecial(field)) return value
    const element = `e${depth}`
    return `list_transform(${value}, lambda ${element}: ${comparable(element, elementOf(field), depth + 1)})`
  }
  if (field.type === 'JSON') return `COALESCE(${value}, 'null')`
  if (field.type !== 'RECORD' || !isSpecial(field)) return value
  const fields = (field.fields ?? []).map(
    each =>
      `${quoted(each.name)} := ${comparable(`struct_extract(${value}, '${each.name.replaceAll("'", "''")}')`, each, depth)}`,
  )
  return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
}

function isSpecial(field: Field): boolean {
  if (field.type === 'RECORD') return (field.fields ?? []).some(isSpecial)
  return field.type === 'JSON'
}

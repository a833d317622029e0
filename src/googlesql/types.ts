import { GoogleSqlError } from './error.ts'
import { elementOf, type Field, type FieldType } from './field.ts'
import { child, children, type Node, text } from './tree.ts'

/** A type as the evaluator's protos write it. */
export type ProtoType = { readonly [field: string]: unknown }

/** The evaluator's type of a column; its mode REQUIRED is not part of the type. */
export function typeOf(field: Field): ProtoType {
  if (field.mode === 'REPEATED') return { typeKind: 'TYPE_ARRAY', arrayType: { elementType: typeOf(elementOf(field)) } }
  if (field.type !== 'RECORD') return { typeKind: kinds[field.type] }
  return {
    typeKind: 'TYPE_STRUCT',
    structType: { field: (field.fields ?? []).map(each => ({ fieldName: each.name, fieldType: typeOf(each) })) },
  }
}

/** A column of a type as the evaluator says it. Throws GoogleSqlError for types that no column of BigQuery's can have here. */
export function fieldOf(name: string, type: Node): Field {
  const kind = text(type, 'typeKind')
  if (kind === 'TYPE_ARRAY') {
    const element = fieldOf(name, child(child(type, 'arrayType') ?? {}, 'elementType') ?? {})
    if (element.mode === 'REPEATED') throw new GoogleSqlError('invalid', 'Cannot construct array with element type ARRAY')
    return { ...element, mode: 'REPEATED' }
  }
  if (kind === 'TYPE_STRUCT') {
    const fields = children(child(type, 'structType') ?? {}, 'field')
    return {
      name,
      type: 'RECORD',
      mode: 'NULLABLE',
      fields: fields.map((each, index) =>
        fieldOf(text(each, 'fieldName') || `_field_${index + 1}`, child(each, 'fieldType') ?? {}),
      ),
    }
  }
  const found = Object.entries(kinds).find(([, proto]) => proto === kind)?.[0] as FieldType | undefined
  if (found === undefined)
    throw new GoogleSqlError('unable', `Columns of type ${kind.replace('TYPE_', '')} are not supported here`)
  return { name, type: found, mode: 'NULLABLE' }
}

/** The type in GoogleSQL's words, for messages: `ARRAY<STRUCT<a INT64>>`. */
export function typeName(field: Field): string {
  if (field.mode === 'REPEATED') return `ARRAY<${typeName(elementOf(field))}>`
  if (field.type !== 'RECORD') return field.type
  return `STRUCT<${(field.fields ?? []).map(each => `${each.name} ${typeName(each)}`).join(', ')}>`
}

const kinds: Record<Exclude<FieldType, 'RECORD'>, string> = {
  STRING: 'TYPE_STRING',
  BYTES: 'TYPE_BYTES',
  INT64: 'TYPE_INT64',
  FLOAT64: 'TYPE_DOUBLE',
  BOOL: 'TYPE_BOOL',
  NUMERIC: 'TYPE_NUMERIC',
  BIGNUMERIC: 'TYPE_BIGNUMERIC',
  TIMESTAMP: 'TYPE_TIMESTAMP',
  DATE: 'TYPE_DATE',
  TIME: 'TYPE_TIME',
  DATETIME: 'TYPE_DATETIME',
  JSON: 'TYPE_JSON',
  GEOGRAPHY: 'TYPE_GEOGRAPHY',
}

import type { Column, ColumnType } from '../../domain/column.ts'
import { literal } from '../../domain/literal.ts'

/** TableFieldSchema of the REST API; the type is a standard or a legacy name. */
export type Field = {
  readonly name: string
  readonly type: string
  readonly mode?: string
  readonly description?: string
  readonly fields?: readonly Field[]
}

/** A column of a table that we make. */
export function fieldOf(column: Column): Field {
  return {
    name: column.name,
    type: column.type,
    mode: column.mode,
    ...(column.description === undefined ? {} : { description: column.description }),
    ...(column.fields === undefined ? {} : { fields: column.fields.map(fieldOf) }),
  }
}

/** A column of an answer or a table of somebody's. Whole numbers are bigint: an answer has no schema that says they are small. */
export function columnOfField(field: Field): Column {
  const type = standardType(field.type)
  const mode = field.mode === 'REQUIRED' || field.mode === 'REPEATED' ? field.mode : 'NULLABLE'
  return {
    name: field.name,
    type,
    mode,
    rules: [],
    ...(type === 'INT64' ? { bigint: true as const } : {}),
    ...(field.description === undefined ? {} : { description: field.description }),
    ...(field.fields === undefined ? {} : { fields: field.fields.map(columnOfField) }),
  }
}

/** BigQuery REST, TableFieldSchema.type: the legacy names mean the same. Types that no row schema has stay as they are. */
function standardType(name: string): ColumnType {
  const legacy: Readonly<Record<string, ColumnType>> = {
    INTEGER: 'INT64',
    INT: 'INT64',
    FLOAT: 'FLOAT64',
    BOOLEAN: 'BOOL',
    STRUCT: 'RECORD',
    DECIMAL: 'NUMERIC',
    BIGDECIMAL: 'BIGNUMERIC',
  }
  return legacy[name] ?? (name as ColumnType)
}

/** Do the two have the same type, at every depth? Fields of a record are told by name, in any order. */
export function sameType(wanted: Column, found: Column): boolean {
  if (wanted.type !== found.type || (wanted.mode === 'REPEATED') !== (found.mode === 'REPEATED')) return false
  return (wanted.fields ?? []).every(field => {
    const other = found.fields?.find(candidate => candidate.name.toLowerCase() === field.name.toLowerCase())
    return other !== undefined && sameType(field, other)
  })
}

/** A column in CREATE TABLE. */
export function ddlColumn(column: Column): string {
  return `${literal.name(column.name)} ${ddlType(column)}`
}

function ddlType(column: Column): string {
  const one = column.type === 'RECORD' ? `STRUCT<${(column.fields ?? []).map(ddlColumn).join(', ')}>` : column.type
  const description = column.description === undefined ? '' : ` OPTIONS (description = ${literal.string(column.description)})`
  const required = column.mode === 'REQUIRED' ? ' NOT NULL' : ''
  return `${column.mode === 'REPEATED' ? `ARRAY<${one}>` : one}${required}${description}`
}

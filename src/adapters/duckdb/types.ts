import type { Column, ColumnType } from '../../domain/column.ts'

/**
 * The DuckDB type of a column of the spool; Parquet follows from it. BIGNUMERIC is text: a DECIMAL ends at 38 digits.
 * JSON is text: load jobs of Parquet take no JSON column.
 */
export function duckType(column: Column): string {
  const one =
    column.type === 'RECORD'
      ? `STRUCT(${(column.fields ?? []).map(field => `${quoted(field.name)} ${duckType(field)}`).join(', ')})`
      : scalars[column.type]
  return column.mode === 'REPEATED' ? `${one}[]` : one
}

const scalars: Readonly<Record<Exclude<ColumnType, 'RECORD'>, string>> = {
  STRING: 'VARCHAR',
  BYTES: 'BLOB',
  INT64: 'BIGINT',
  FLOAT64: 'DOUBLE',
  BOOL: 'BOOLEAN',
  NUMERIC: 'DECIMAL(38,9)',
  BIGNUMERIC: 'VARCHAR',
  TIMESTAMP: 'TIMESTAMPTZ',
  DATE: 'DATE',
  TIME: 'TIME',
  DATETIME: 'TIMESTAMP',
  JSON: 'VARCHAR',
  GEOGRAPHY: 'VARCHAR',
}

/**
 * SQL: the value as text that says one thing only, whatever DuckDB's version; NULL included. Texts carry their length, all else ends in `;`.
 */
export function canonicalText(column: Column, value: string, depth = 0): string {
  if (column.mode === 'REPEATED') {
    const element = `e${depth}`
    const one = canonicalText({ ...column, mode: 'REQUIRED' }, element, depth + 1)
    return orNull(
      value,
      `len(${value}) || '[' || array_to_string(list_transform(${value}, lambda ${element}: ${one}), '') || ']'`,
    )
  }
  if (column.type !== 'RECORD') return orNull(value, canonicalScalar(column.type, value))
  const fields = (column.fields ?? []).map(field => canonicalText(field, `${value}.${quoted(field.name)}`, depth))
  return orNull(value, `'{' || ${fields.join(' || ')} || '}'`)
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function orNull(value: string, text: string): string {
  return `CASE WHEN ${value} IS NULL THEN 'n;' ELSE ${text} END`
}

function canonicalScalar(type: Exclude<ColumnType, 'RECORD'>, value: string): string {
  switch (type) {
    case 'FLOAT64':
      // 17 digits tell every double from every other.
      return `printf('%.17g;', ${value})`
    case 'BOOL':
      return `CASE WHEN ${value} THEN 't;' ELSE 'f;' END`
    case 'BYTES':
      return `base64(${value}) || ';'`
    case 'TIMESTAMP':
    case 'DATETIME':
    case 'TIME':
    case 'DATE':
      return `epoch_us(${value}) || ';'`
    case 'INT64':
    case 'NUMERIC':
      return `${value} || ';'`
    default:
      return `strlen(${value}) || ':' || ${value}`
  }
}

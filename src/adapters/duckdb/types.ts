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

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

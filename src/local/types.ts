import type { Field, FieldType } from './contract.ts'

/** The DuckDB type of a column, as the table at the foot of contract.ts says. */
export function physicalType(field: Field): string {
  const one = field.type === 'RECORD' ? struct(field.fields ?? []) : scalars[field.type]
  return field.mode === 'REPEATED' ? `${one}[]` : one
}

const scalars: Record<Exclude<FieldType, 'RECORD'>, string> = {
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

function struct(fields: readonly Field[]): string {
  return `STRUCT(${fields.map(field => `"${field.name.replaceAll('"', '""')}" ${physicalType(field)}`).join(', ')})`
}

/** Standard names of BigQuery's types; the REST API's legacy names (INTEGER, FLOAT, BOOLEAN, STRUCT) are normalised on the way in. */
export type FieldType =
  | 'STRING'
  | 'BYTES'
  | 'INT64'
  | 'FLOAT64'
  | 'BOOL'
  | 'NUMERIC'
  | 'BIGNUMERIC'
  | 'TIMESTAMP'
  | 'DATE'
  | 'TIME'
  | 'DATETIME'
  | 'JSON'
  | 'GEOGRAPHY'
  | 'RECORD'

/** A column of a table or of a result. */
export type Field = {
  readonly name: string
  readonly type: FieldType
  readonly mode: 'NULLABLE' | 'REQUIRED' | 'REPEATED'
  readonly description?: string
  readonly fields?: readonly Field[]
}

/**
 * A value in JavaScript, exact for every type: INT64 bigint · FLOAT64 number · BOOL boolean · BYTES Uint8Array · STRING, JSON, GEOGRAPHY text ·
 * NUMERIC, BIGNUMERIC canonical decimal text (no exponent, no trailing zeros) · DATE `2024-01-31` · TIME `06:30:00[.123456]` ·
 * DATETIME `2024-01-31T06:30:00[.123456]` · TIMESTAMP the same in UTC with a `Z` · RECORD an object by field name · REPEATED an array · NULL null.
 */
export type Value = null | string | boolean | number | bigint | Uint8Array | readonly Value[] | { readonly [name: string]: Value }

/** The field without its REPEATED: what one element of it is. */
export function elementOf(field: Field): Field {
  return { ...field, mode: 'NULLABLE' }
}

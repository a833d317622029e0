/** The closed set of column types: BigQuery's standard names. GEOGRAPHY passes through as WKT text. */
export type ColumnType =
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

/** How sensitive a column is; the marketplace's three tags, shortened. A marked column's values never reach a log or an error. */
export type Pii = 'direct' | 'special' | 'indirect'

/** A constraint of a row schema that the audit can check in SQL: bounds as text in the column's own type, patterns RE2-safe. */
export type Rule =
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'min'; readonly value: string; readonly inclusive: boolean }
  | { readonly kind: 'max'; readonly value: string; readonly inclusive: boolean }
  | { readonly kind: 'multipleOf'; readonly value: string }
  | { readonly kind: 'minLength'; readonly value: number }
  | { readonly kind: 'maxLength'; readonly value: number }
  | { readonly kind: 'pattern'; readonly source: string; readonly name: string }

/** One column as the warehouse has it. */
export type Column = {
  readonly name: string
  readonly type: ColumnType
  readonly mode: 'REQUIRED' | 'NULLABLE' | 'REPEATED'
  readonly description?: string
  readonly pii?: Pii
  /** An INT64 that is a bigint in memory (`bq.int64()`); absent, it is a number. */
  readonly bigint?: true
  /** Of a RECORD. */
  readonly fields?: readonly Column[]
  readonly rules: readonly Rule[]
  /** Why a rule of the author's can't be checked in SQL, if there is one: such a column is refused in a `sql` pipeline. */
  readonly notAuditable?: string
}

/**
 * A value in memory: STRING, NUMERIC, BIGNUMERIC, TIMESTAMP, DATE, TIME, DATETIME, JSON and GEOGRAPHY as text; INT64 as number (`z.int()`)
 * or bigint (`bq.int64()`); FLOAT64 number; BYTES Uint8Array; RECORD an object, REPEATED an array.
 */
export type Value = null | string | number | bigint | boolean | Uint8Array | readonly Value[] | { readonly [name: string]: Value }

/** A row in memory, whatever its schema. */
export type AnyRow = Readonly<Record<string, Value>>

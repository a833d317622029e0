import type * as duckdb from '@duckdb/node-api'
import type { Column, ColumnType, Value } from '../../domain/column.ts'
import { microsOf } from '../../domain/micros.ts'
import { isPersonal } from '../../domain/personal.ts'
import { isDate, isDatetime, isDecimal, isTime, isTimestamp } from '../../domain/text.ts'

type Duck = duckdb.DuckDBValue
export type Encode = (value: Value | undefined) => Duck

/** A value that has no place in its column. `at` is the path inside the column; `shown` is what the value is, as a type. */
export class Misfit extends Error {
  readonly at: string
  readonly problem: string
  constructor(at: string, problem: string) {
    super(problem)
    this.at = at
    this.problem = problem
  }
}

/**
 * Compiles what turns a value in memory into DuckDB's, exactly. What it returns throws Misfit, without the value where the column, one inside it
 * or a record round it (`hidden`) is marked as personal data.
 */
export function encoder(duck: typeof duckdb, column: Column, hidden = false): Encode {
  const at = column.name
  if (column.mode === 'REPEATED') {
    const one = encoder(duck, { ...column, mode: 'REQUIRED' }, hidden)
    return value => {
      if (!Array.isArray(value)) throw new Misfit(at, `expected an array, got ${typeName(value)}`)
      return duck.listValue(value.map((element, index) => inside(`[${index}]`, () => one(element))))
    }
  }
  const isHidden = hidden || isPersonal(column)
  const one = column.type === 'RECORD' ? recordEncoder(duck, column, hidden) : scalarEncoder(duck, column.type)
  return value => {
    if (value !== null && value !== undefined) {
      const encoded = one(value)
      if (encoded !== undefined) return encoded
      throw new Misfit(at, `expected ${expected[column.type]}, got ${isHidden ? typeName(value) : shown(value)}`)
    }
    if (column.mode === 'NULLABLE') return null
    throw new Misfit(at, `expected ${expected[column.type]}, got null`)
  }
}

function recordEncoder(duck: typeof duckdb, column: Column, hidden: boolean): (value: Value) => Duck | undefined {
  const fields = (column.fields ?? []).map(
    field => [field.name, encoder(duck, field, hidden || column.pii !== undefined)] as const,
  )
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return undefined
    const record = value as Readonly<Record<string, Value>>
    const entries: Record<string, Duck> = {}
    for (const [name, encode] of fields) entries[name] = inside(`${column.name}.`, () => encode(record[name]))
    return duck.structValue(entries)
  }
}

/** undefined: the value has no place there. */
function scalarEncoder(duck: typeof duckdb, type: Exclude<ColumnType, 'RECORD'>): (value: Value) => Duck | undefined {
  const text = (fits: (value: string) => boolean, make: (value: string) => Duck) => (value: Value) =>
    typeof value === 'string' && fits(value) ? make(value) : undefined
  switch (type) {
    case 'INT64':
      return int64
    case 'FLOAT64':
      return value => (typeof value === 'number' ? value : undefined)
    case 'BOOL':
      return value => (typeof value === 'boolean' ? value : undefined)
    case 'BYTES':
      return value => (value instanceof Uint8Array ? new duck.DuckDBBlobValue(value) : undefined)
    case 'NUMERIC':
      return text(
        value => isDecimal(value, 29, 9),
        value => new duck.DuckDBDecimalValue(scaledBy9(value), 38, 9),
      )
    case 'BIGNUMERIC':
      return text(value => isDecimal(value, 39, 38), shortest)
    case 'TIMESTAMP':
      return text(isTimestamp, value => new duck.DuckDBTimestampTZValue(microsOf(value)))
    case 'DATETIME':
      return text(isDatetime, value => new duck.DuckDBTimestampValue(microsOf(`${value}Z`)))
    case 'DATE':
      return text(isDate, value => new duck.DuckDBDateValue(Date.parse(`${value}T00:00:00Z`) / 86_400_000))
    case 'TIME':
      return text(isTime, value => new duck.DuckDBTimeValue(microsOf(`1970-01-01T${value}Z`)))
    default:
      // A half of a surrogate pair has no UTF-8.
      return text(
        value => value.isWellFormed(),
        value => value,
      )
  }
}

function int64(value: Value): Duck | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : undefined
}

function scaledBy9(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const scaled = BigInt(whole + fraction.slice(0, 9).padEnd(9, '0'))
  return text.startsWith('-') ? -scaled : scaled
}

/** The shortest text of a decimal: equal numbers have equal texts, and so equal hashes. */
function shortest(text: string): string {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  const rest = fraction.replace(/0+$/, '')
  const plain = rest === '' ? digits : `${digits}.${rest}`
  return text.startsWith('-') && plain !== '0' ? `-${plain}` : plain
}

function inside<T>(prefix: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    // `[2]` stands behind the column's name, `record.` before the field's.
    throw new Misfit(
      prefix.startsWith('[') ? error.at.replace(/^[^.[]+/, name => `${name}${prefix}`) : `${prefix}${error.at}`,
      error.problem,
    )
  }
}

const expected: Readonly<Record<ColumnType, string>> = {
  STRING: 'text of whole characters',
  BYTES: 'bytes',
  INT64: 'a whole number of 64 bits (a number beyond 2^53 is no longer exact: use bq.int64())',
  FLOAT64: 'a number',
  BOOL: 'true or false',
  NUMERIC: 'a NUMERIC as text (29 digits before the point, 9 after it)',
  BIGNUMERIC: 'a BIGNUMERIC as text (38 digits before the point, 38 after it)',
  TIMESTAMP: 'a TIMESTAMP as text in UTC with at most six fraction digits',
  DATE: 'a DATE as text',
  TIME: 'a TIME as text',
  DATETIME: 'a DATETIME as text',
  JSON: 'JSON as text',
  GEOGRAPHY: 'WKT text',
  RECORD: 'an object',
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? 'an array' : value instanceof Uint8Array ? 'bytes' : `a ${typeof value}`
}

function shown(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : typeName(value)
}

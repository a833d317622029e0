import type * as duckdb from '@duckdb/node-api'
import type { Column, ColumnType, Value } from '../../domain/column.ts'
import { shortest } from '../../domain/decimal.ts'
import { microsOf } from '../../domain/micros.ts'
import { inside, noPlace } from '../../domain/misfit.ts'
import { isDate, isDatetime, isDecimal, isTime, isTimestamp } from '../../domain/text.ts'

type Duck = duckdb.DuckDBValue
export type Encode = (value: Value | undefined) => Duck

/**
 * Compiles what turns a value in memory into DuckDB's, exactly. What it returns throws Misfit, without the value where the column, one inside it
 * or a record round it (`hidden`) is marked as personal data.
 */
export function encoder(duck: typeof duckdb, column: Column, hidden = false): Encode {
  if (column.mode === 'REPEATED') {
    const one = encoder(duck, { ...column, mode: 'REQUIRED' }, hidden)
    return value => {
      if (!Array.isArray(value)) throw noPlace(column, value, hidden)
      return duck.listValue(value.map((element, index) => inside(`[${index}]`, () => one(element))))
    }
  }
  const one = column.type === 'RECORD' ? recordEncoder(duck, column, hidden) : scalarEncoder(duck, column.type)
  return value => {
    if (value !== null && value !== undefined) {
      const encoded = one(value)
      if (encoded !== undefined) return encoded
      throw noPlace(column, value, hidden)
    }
    if (column.mode === 'NULLABLE') return null
    throw noPlace(column, null, hidden)
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

import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { scaled, scales, unscaled } from '../../googlesql/decimal.ts'
import { elementOf, type Value } from '../../googlesql/field.ts'
import { dateOf, datetimeOf, daysOf, microsOf, microsOfTime, timeOf } from '../../googlesql/time.ts'
import type { Field } from '../contract.ts'
import { quoted } from '../duck.ts'
import { physicalType } from '../types.ts'

/** A value as a DuckDB expression of the column's physical type, for any value of the type, NULL included. */
export function literal(value: Value, field: Field): string {
  const type = physicalType(field)
  if (field.mode === 'REPEATED') {
    const element = elementOf(field)
    return `CAST([${((value ?? []) as readonly Value[]).map(each => literal(each, element)).join(', ')}] AS ${type})`
  }
  if (value === null) return `CAST(NULL AS ${type})`
  switch (field.type) {
    case 'INT64':
      return `CAST('${value}' AS BIGINT)`
    case 'FLOAT64':
      return `CAST('${Object.is(value, -0) ? '-0.0' : value}' AS DOUBLE)`
    case 'BOOL':
      return value === true ? 'TRUE' : 'FALSE'
    case 'BYTES':
      return `from_hex('${Buffer.from(value as Uint8Array).toString('hex')}')`
    case 'TIMESTAMP':
      return `make_timestamptz(CAST('${microsOf(String(value))}' AS BIGINT))`
    case 'DATETIME':
      return `make_timestamp(CAST('${microsOf(String(value))}' AS BIGINT))`
    case 'RECORD': {
      const record = value as { readonly [name: string]: Value }
      const fields = (field.fields ?? []).map(each => `${quoted(each.name)} := ${literal(record[each.name] ?? null, each)}`)
      return `CAST(struct_pack(${fields.join(', ')}) AS ${type})`
    }
    default:
      return `CAST(${textLiteral(String(value))} AS ${type})`
  }
}

/** A text as a DuckDB expression. A statement can't hold the character 0, so that one is put in by name. */
export function textLiteral(text: string): string {
  const pieces = text.split('\0').map(piece => `'${piece.replaceAll("'", "''")}'`)
  return pieces.length === 1 ? (pieces[0] ?? "''") : `(${pieces.join(' || chr(0) || ')})`
}

/** A value as DuckDB's appender takes it. */
export function toDuck(value: Value, field: Field): DuckDBValue {
  if (field.mode === 'REPEATED') {
    const element = elementOf(field)
    return new DuckDBListValue(((value ?? []) as readonly Value[]).map(each => toDuck(each, element)))
  }
  if (value === null) return null
  switch (field.type) {
    case 'INT64':
      return BigInt(value as bigint)
    case 'NUMERIC':
      return new DuckDBDecimalValue(scaled(String(value), scales.NUMERIC), 38, scales.NUMERIC)
    case 'BYTES':
      return new DuckDBBlobValue(value as Uint8Array)
    case 'DATE':
      return new DuckDBDateValue(daysOf(String(value)))
    case 'TIMESTAMP':
      return new DuckDBTimestampTZValue(microsOf(String(value)))
    case 'DATETIME':
      return new DuckDBTimestampValue(microsOf(String(value)))
    case 'TIME':
      return new DuckDBTimeValue(microsOfTime(String(value)))
    case 'RECORD': {
      const record = value as { readonly [name: string]: Value }
      return new DuckDBStructValue(
        Object.fromEntries((field.fields ?? []).map(each => [each.name, toDuck(record[each.name] ?? null, each)])),
      )
    }
    default:
      return value as string | number | boolean
  }
}

/** Reads a value of DuckDB's, exactly. */
export function fromDuck(value: DuckDBValue | undefined, field: Field): Value {
  if (field.mode === 'REPEATED') {
    const element = elementOf(field)
    return value instanceof DuckDBListValue ? value.items.map(each => fromDuck(each, element)) : []
  }
  if (value === null || value === undefined) return null
  if (value instanceof DuckDBDecimalValue) return unscaled(value.value, value.scale)
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes)
  if (value instanceof DuckDBDateValue) return dateOf(value.days)
  if (value instanceof DuckDBTimestampTZValue) return `${datetimeOf(value.micros)}Z`
  if (value instanceof DuckDBTimestampValue) return datetimeOf(value.micros)
  if (value instanceof DuckDBTimeValue) return timeOf(value.micros)
  if (value instanceof DuckDBStructValue) {
    const entries = value.entries as Readonly<Record<string, DuckDBValue>>
    return Object.fromEntries((field.fields ?? []).map(each => [each.name, fromDuck(entries[each.name], each)]))
  }
  return value as string | number | bigint | boolean
}

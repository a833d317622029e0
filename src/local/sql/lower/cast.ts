import type { Field } from '../../contract.ts'
import { physicalType } from '../../types.ts'
import { NotLowered } from './grammar.ts'

/** A CAST (or SAFE_CAST, where `safe`) between types whose texts and rounding are the same in both. Throws NotLowered for the others. */
export function cast(value: string, from: Field, to: Field, safe: boolean): string {
  if (from.mode === 'REPEATED' || to.mode === 'REPEATED') throw new NotLowered('a CAST of an array')
  if (from.type === to.type && from.type !== 'RECORD') return value
  const write = casts[`${from.type} ${to.type}`]
  if (write === undefined) throw new NotLowered(`a CAST from ${from.type} to ${to.type}`)
  return write(value, safe, physicalType(to))
}

type Write = (value: string, safe: boolean, type: string) => string

const exact: Write = (value, _safe, type) => `CAST(${value} AS ${type})`

// The text is checked first, because DuckDB takes more than GoogleSQL does: '1.5' and '1e2' as a BIGINT, '1_000' as any number.
const fromText =
  (pattern: string): Write =>
  (value, safe, type) => {
    const bad = safe ? `CAST(NULL AS ${type})` : `error('Bad ${type === 'BIGINT' ? 'int64' : 'numeric'} value: ' || ${value})`
    return `(CASE WHEN ${value} IS NULL THEN NULL WHEN regexp_full_match(${value}, '${pattern}') AND TRY_CAST(${value} AS ${type}) IS NOT NULL THEN TRY_CAST(${value} AS ${type}) ELSE ${bad} END)`
  }

const casts: Readonly<Record<string, Write>> = {
  'INT64 NUMERIC': exact,
  'INT64 FLOAT64': exact,
  'INT64 STRING': exact,
  'BOOL STRING': exact,
  'BOOL INT64': exact,
  'STRING INT64': fromText('[ \\t\\n\\r\\f\\v]*[+-]?[0-9]+[ \\t\\n\\r\\f\\v]*'),
  'STRING NUMERIC': fromText('[ \\t\\n\\r\\f\\v]*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)[ \\t\\n\\r\\f\\v]*'),
  'NUMERIC STRING': value => `regexp_replace(regexp_replace(CAST(${value} AS VARCHAR), '0+$', ''), '\\.$', '')`,
  'TIMESTAMP DATE': value => `CAST(${value} AT TIME ZONE 'UTC' AS DATE)`,
  'DATE TIMESTAMP': value => `(CAST(${value} AS TIMESTAMP) AT TIME ZONE 'UTC')`,
  'DATE DATETIME': exact,
  'DATE STRING': exact,
}

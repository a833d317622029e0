import type { Column, ColumnType, Value } from '../../domain/column.ts'
import { microsOf, timestampOf } from '../../domain/micros.ts'
import { dateProblem, isDatetime, isDecimal, isTime, isTimestamp } from '../../domain/text.ts'
import type { Cell } from './parse.ts'

/** A text that is no value of its column. The sentence may quote the text: who shows it knows whether the column is personal data. */
export class Unfit extends Error {
  /** What was expected, without the value. */
  readonly expected: string
  constructor(problem: string, expected: string) {
    super(problem)
    this.expected = expected
  }
}

/** Compiles what turns a field of a file into the column's value; a record or an array is JSON. What it returns throws Unfit. */
export function fieldReader(column: Column): (cell: Cell) => Value {
  const nested = column.mode === 'REPEATED' || column.type === 'RECORD'
  const absent = column.mode === 'REPEATED' ? [] : null
  return ({ text, quoted }) => {
    // NULL and the empty text look alike in CSV; quotes tell them apart.
    if (text === '' && !(column.type === 'STRING' && (quoted || column.mode === 'REQUIRED'))) return absent
    return nested ? fromJson(parseJson(text), column) : scalar(text, column.type, column.bigint === true)
  }
}

/** Compiles what turns a value of parseJson into the column's value; an absent one is null, or an empty array. What it returns throws Unfit. */
export function jsonReader(column: Column): (value: unknown) => Value {
  const absent = column.mode === 'REPEATED' ? [] : null
  return value => (value === undefined || value === null ? absent : fromJson(value, column))
}

/** A number of a JSON text in its own digits: JSON.parse would round it. */
class Digits {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Parses JSON; numbers keep their digits. Throws Unfit. */
export function parseJson(text: string): unknown {
  try {
    const exact = (_: string, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' ? new Digits(context?.source ?? String(value)) : value
    return JSON.parse(text, exact as (key: string, value: unknown) => unknown)
  } catch {
    throw new Unfit(`${quote(text)} is no JSON`, 'JSON')
  }
}

function fromJson(value: unknown, column: Column): Value {
  if (column.mode === 'REPEATED') {
    if (!Array.isArray(value)) throw new Unfit('expected a JSON array', 'a JSON array')
    return value.map(element => fromJson(element, { ...column, mode: 'REQUIRED' }))
  }
  if (value === null || value === undefined) return null
  if (column.type === 'RECORD') {
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Digits)
      throw new Unfit('expected a JSON object', 'a JSON object')
    const record = value as Record<string, unknown>
    return Object.fromEntries(
      (column.fields ?? []).map(field => [
        field.name,
        fromJson(record[field.name] ?? (field.mode === 'REPEATED' ? [] : null), field),
      ]),
    )
  }
  if (value instanceof Digits) {
    if (column.type === 'STRING') throw new Unfit(`expected text, got the number ${value.text}`, 'text')
    return scalar(value.text, column.type, column.bigint === true)
  }
  if (typeof value === 'boolean') return scalar(String(value), column.type, false)
  if (typeof value === 'string') return scalar(value, column.type, column.bigint === true)
  if (column.type === 'JSON') return JSON.stringify(value, (_, inner) => (inner instanceof Digits ? rawJson(inner.text) : inner))
  throw new Unfit(`expected ${column.type}`, column.type)
}

function scalar(text: string, type: ColumnType, bigint: boolean): Value {
  const wrong = (expected: string) => new Unfit(`expected ${expected}, got ${quote(text)}`, expected)
  switch (type) {
    case 'INT64': {
      if (!/^[-+]?\d+$/.test(text)) throw wrong('a whole number')
      if (bigint) return BigInt(text)
      if (!Number.isSafeInteger(Number(text))) throw wrong('a whole number up to 2^53 (use bq.int64() for larger ones)')
      return Number(text)
    }
    case 'FLOAT64': {
      const named: Record<string, number> = {
        nan: Number.NaN,
        inf: Number.POSITIVE_INFINITY,
        infinity: Number.POSITIVE_INFINITY,
        '-inf': Number.NEGATIVE_INFINITY,
        '-infinity': Number.NEGATIVE_INFINITY,
      }
      const found = named[text.toLowerCase()]
      if (found !== undefined) return found
      if (!/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) throw wrong('a number')
      return Number(text)
    }
    case 'BOOL':
      if (!/^(true|false)$/i.test(text)) throw wrong('true or false')
      return text.toLowerCase() === 'true'
    case 'NUMERIC':
      if (!isDecimal(text, 29, 9)) throw wrong('a NUMERIC: at most 29 digits before the point, 9 after it')
      return text
    case 'BIGNUMERIC':
      if (!isDecimal(text, 38, 38)) throw wrong('a BIGNUMERIC: at most 38 digits before the point, 38 after it')
      return text
    case 'DATE': {
      const problem = dateProblem(text)
      if (problem !== undefined) throw new Unfit(problem, 'a date such as 2022-01-20')
      return text
    }
    case 'TIME':
      if (!isTime(text)) throw wrong('a time such as 06:30:00.123456')
      return text
    case 'DATETIME': {
      const joined = text.replace(' ', 'T')
      if (!isDatetime(joined)) throw wrong('a DATETIME such as 2024-01-31T06:30:00.123456')
      return joined
    }
    case 'TIMESTAMP':
      return timestamp(text) ?? raise(wrong('a TIMESTAMP with its zone, such as 2024-01-31T06:30:00.123456Z'))
    case 'BYTES':
      if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw wrong('bytes in base64')
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'JSON':
      parseJson(text)
      return text
    default:
      return text
  }
}

/** Also as BigQuery's own exports write it: a space for T, `UTC` for Z; an offset is reckoned in. */
function timestamp(text: string): string | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,6})?) ?(Z|UTC|([+-])(\d\d):?(\d\d)?)$/i.exec(text)
  if (parts === null) return undefined
  const utc = `${parts[1]}T${parts[2]}Z`
  if (!isTimestamp(utc)) return undefined
  const minutes = Number(parts[5] ?? 0) * 60 + Number(parts[6] ?? 0)
  const shifted = microsOf(utc) - BigInt(parts[4] === '-' ? -minutes : minutes) * 60_000_000n
  try {
    return timestampOf(shifted)
  } catch {
    return undefined // an offset can lead out of the years 1 to 9999
  }
}

/** Node has it, TypeScript's library not yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

function raise(error: Error): never {
  throw error
}

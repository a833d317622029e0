import {
  blobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBValue,
  listValue,
  structValue,
} from '@duckdb/node-api'
import type { Field, FieldType } from './contract.ts'
import type { Json, JsonObject } from './json.ts'
import { datetimeMicros, daysOf, secondsMicros, timeMicros, timestampMicros } from './temporal.ts'

/** A number of a JSON text whose digits a double can't keep. */
export class ExactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** What stands in a JSON line, with exact numbers. */
export type Loaded = Json | ExactNumber

/** A value that doesn't fit its column, in the words of BigQuery's load jobs. */
export class RowProblem extends Error {}

/** One row of NDJSON as DuckDB values in the order of the schema. Throws RowProblem. */
export function decodeRow(
  schema: readonly Field[],
  row: JsonObject,
  ignoreUnknown: boolean,
  path: readonly string[] = [],
): DuckDBValue[] {
  const names = Object.keys(row)
  if (!ignoreUnknown) {
    const unknown = names.find(name => !schema.some(field => isNamed(field, name)))
    if (unknown !== undefined) throw new RowProblem(`No such field: ${[...path, unknown].join('.')}.`)
  }
  return schema.map(field => {
    const value = row[field.name] ?? row[names.find(name => isNamed(field, name)) ?? '']
    return decode(field, value ?? null, ignoreUnknown, [...path, field.name])
  })
}

/** One value as a DuckDB value of the column's physical type. Throws RowProblem. */
export function decode(field: Field, value: Loaded, ignoreUnknown: boolean, path: readonly string[] = [field.name]): DuckDBValue {
  const name = path.join('.')
  if (field.mode === 'REPEATED') {
    if (value === null) return listValue([])
    if (!Array.isArray(value)) throw new RowProblem(`Single value specified for repeated field: ${name}.`)
    return listValue(
      value.map((element: Json) => {
        if (element === null) throw new RowProblem(`Only optional fields can be set to NULL. Field: ${name}; Value: NULL`)
        return decode({ ...field, mode: 'NULLABLE' }, element, ignoreUnknown, path)
      }),
    )
  }
  if (value === null) {
    if (field.mode === 'REQUIRED') throw new RowProblem(`Missing required fields: ${name}.`)
    return null
  }
  if (field.type === 'RECORD') {
    if (!isObject(value)) throw new RowProblem(`Field: ${name} is a RECORD but the value is not an object.`)
    const fields = field.fields ?? []
    const values = decodeRow(fields, value, ignoreUnknown, path)
    return structValue(Object.fromEntries(fields.map((each, index) => [each.name, values[index] ?? null])))
  }
  if (field.type === 'JSON') return stringify(value)
  if (Array.isArray(value)) throw new RowProblem(`Array specified for non-repeated field: ${name}.`)
  if (isObject(value)) throw new RowProblem(`JSON object specified for non-record field: ${name}`)
  const text = value instanceof ExactNumber ? value.text : String(value)
  const read = scalars[field.type](text)
  if (read === undefined)
    throw new RowProblem(
      `Could not convert value to ${wordFor[field.type] ?? field.type.toLowerCase()}. Field: ${name}; Value: ${text}`,
    )
  return read
}

const isNamed = (field: Field, name: string) => field.name.toLowerCase() === name.toLowerCase()
const isObject = (value: Loaded): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)

const scalars: Record<Exclude<FieldType, 'RECORD' | 'JSON'>, (text: string) => DuckDBValue | undefined> = {
  STRING: text => text,
  GEOGRAPHY: text => text,
  BYTES: text => (/^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? blobValue(Buffer.from(text, 'base64')) : undefined),
  INT64: int64,
  FLOAT64: float64,
  BOOL: text => booleans[text.toLowerCase()],
  NUMERIC: text => {
    const unscaled = scaled(text, 9)
    return unscaled === undefined || abs(unscaled) >= 10n ** 38n ? undefined : new DuckDBDecimalValue(unscaled, 38, 9)
  },
  BIGNUMERIC: text => {
    const unscaled = scaled(text, 38)
    return unscaled === undefined || BigInt.asIntN(256, unscaled) !== unscaled ? undefined : unscaledText(unscaled, 38)
  },
  TIMESTAMP: text => optionally(timestampMicros(text) ?? secondsMicros(text), micros => new DuckDBTimestampTZValue(micros)),
  DATETIME: text => optionally(datetimeMicros(text), micros => new DuckDBTimestampValue(micros)),
  DATE: text => optionally(daysOf(text), days => new DuckDBDateValue(days)),
  TIME: text => optionally(timeMicros(text), micros => new DuckDBTimeValue(micros)),
}

const wordFor: Partial<Record<FieldType, string>> = { INT64: 'integer', FLOAT64: 'double', BOOL: 'boolean', BYTES: 'bytes' }
/** BigQuery: Loading CSV data, 'Data types': the words for BOOL. */
const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  1: true,
  false: false,
  f: false,
  no: false,
  n: false,
  0: false,
}

function int64(text: string): bigint | undefined {
  const match = /^([+-]?\d+)(?:\.0*)?$/.exec(text)
  if (!match?.[1]) return undefined
  const value = BigInt(match[1].replace('+', ''))
  return BigInt.asIntN(64, value) === value ? value : undefined
}

function float64(text: string): number | undefined {
  const special = /^([+-]?)(?:(inf|infinity)|(nan))$/i.exec(text)
  if (special) return special[3] ? Number.NaN : special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

/** The decimal times 10^scale; undefined for what isn't a decimal. Further digits are rounded half away from zero. */
function scaled(text: string, scale: number): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  const [whole, fraction] = [match?.[2] ?? '', match?.[3] ?? '']
  if (!match || whole + fraction === '') return undefined
  const shift = scale + Number(match[4] ?? 0) - fraction.length
  const digits = BigInt(whole + fraction)
  const half = shift < 0 ? 5n * 10n ** BigInt(-shift - 1) : 0n
  const value = shift < 0 ? (digits + half) / 10n ** BigInt(-shift) : digits * 10n ** BigInt(shift)
  return match[1] === '-' ? -value : value
}

function unscaledText(unscaled: bigint, scale: number): string {
  const digits = abs(unscaled)
    .toString()
    .padStart(scale + 1, '0')
  const fraction = digits.slice(-scale).replace(/0+$/, '')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}${fraction ? `.${fraction}` : ''}`
}

const abs = (value: bigint) => (value < 0n ? -value : value)
const optionally = <A, B>(value: A | undefined, make: (value: A) => B): B | undefined =>
  value === undefined ? undefined : make(value)

/** JSON text of a JSON value, its numbers as they were written. */
function stringify(value: Loaded): string {
  return JSON.stringify(value, (_, each) => (each instanceof ExactNumber ? rawJson(each.text) : each))
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

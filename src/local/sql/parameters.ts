import type { Named } from '../../googlesql/analyse.ts'
import { scaled, scales, unscaled } from '../../googlesql/decimal.ts'
import { elementOf, type Value } from '../../googlesql/field.ts'
import { dateOf, datetimeOf, daysOf, microsOf, microsOfTime, timeOf } from '../../googlesql/time.ts'
import { BigQueryError, type Field, type QueryParameter, type RestValue } from '../contract.ts'

/** The query parameters with their values read from the REST API's text. Throws `invalid` for text that is no value of the type. */
export function readParameters(parameters: readonly QueryParameter[]): Named[] {
  return parameters.map(({ name, type, value }) => {
    const field: Field = { ...type, name }
    return { field, value: readValue(value ?? null, field, name) }
  })
}

function readValue(rest: RestValue, field: Field, parameter: string): Value {
  if (field.mode === 'REPEATED') {
    if (rest === null) return []
    if (!Array.isArray(rest)) throw invalid(parameter, field, rest)
    const element = elementOf(field)
    return rest.map(each => readValue(each, element, parameter))
  }
  if (rest === null) return null
  if (field.type === 'RECORD') {
    if (typeof rest !== 'object' || Array.isArray(rest)) throw invalid(parameter, field, rest)
    const record = rest as { readonly [name: string]: RestValue }
    return Object.fromEntries(
      (field.fields ?? []).map(each => [each.name, readValue(record[each.name] ?? null, each, parameter)]),
    )
  }
  if (typeof rest !== 'string') throw invalid(parameter, field, rest)
  const value = readScalar(rest, field)
  if (value === undefined) throw invalid(parameter, field, rest)
  return value
}

function readScalar(text: string, field: Field): Value | undefined {
  switch (field.type) {
    case 'INT64':
      return /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : undefined
    case 'FLOAT64':
      return readFloat(text)
    case 'BOOL':
      return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined
    case 'BYTES':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'NUMERIC':
      return readDecimal(text, scales.NUMERIC, 10n ** 38n)
    case 'BIGNUMERIC':
      return readDecimal(text, scales.BIGNUMERIC, 1n << 255n)
    case 'DATE':
      return readDate(text)
    case 'TIME':
      return readTime(text)
    case 'DATETIME':
      return readMoment(text, '')
    case 'TIMESTAMP':
      return readMoment(text, 'Z')
    default:
      return text
  }
}

function readFloat(text: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special) return special[2]?.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

function readDecimal(text: string, scale: number, bound: bigint): string | undefined {
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,3}))?$/i.exec(text)
  if (parts === null || `${parts[2]}${parts[3]}` === '') return undefined
  const shift = Number(parts[4] ?? 0)
  const digits = `${parts[2]}${parts[3]}`
  const point = (parts[2] ?? '').length + shift
  const whole = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0')
  const fraction = point < 0 ? `${'0'.repeat(-point)}${digits}` : digits.slice(point)
  if (fraction.replace(/0+$/, '').length > scale) return undefined
  const value = scaled(`${parts[1]}${whole}.${fraction}`, scale)
  return value < bound && value > -bound ? unscaled(value, scale) : undefined
}

function readDate(text: string): string | undefined {
  return /^\d{4}-\d\d-\d\d$/.test(text) && text >= '0001' && dateOf(daysOf(text) || 0) === text ? text : undefined
}

function readTime(text: string): string | undefined {
  return /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/.test(text) ? timeOf(microsOfTime(text)) : undefined
}

// The clients send '2024-01-31 06:30:00.000001Z', '…T…+00:00' or with a zone's offset; BigQuery takes all of these.
function readMoment(text: string, suffix: '' | 'Z'): string | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?))?(?: ?(Z|UTC|[+-]\d\d(?::?\d\d)?))?$/i.exec(text)
  const date = readDate(parts?.[1] ?? '')
  const time = readTime(parts?.[2] ?? '00:00:00')
  if (parts === null || date === undefined || time === undefined || (suffix === '' && parts[3] !== undefined)) return undefined
  const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(parts[3] ?? '')
  const minutes = offset === null ? 0 : (Number(offset[2]) * 60 + Number(offset[3] ?? 0)) * (offset[1] === '-' ? -1 : 1)
  const moment = datetimeOf(microsOf(`${date}T${time}`) - BigInt(minutes) * 60_000_000n)
  return /^\d{4}-/.test(moment) && moment >= '0001' ? `${moment}${suffix}` : undefined
}

function invalid(parameter: string, field: Field, value: unknown): BigQueryError {
  const shown = typeof value === 'string' ? value : JSON.stringify(value)
  return new BigQueryError('invalid', `Invalid value for query parameter @${parameter}: ${shown} is not a valid ${field.type}`)
}

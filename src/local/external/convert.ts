import { scaled, scales, unscaled } from '../../googlesql/decimal.ts'
import type { Value } from '../../googlesql/field.ts'
import type { Field } from '../contract.ts'
import { invalid } from './types.ts'

/**
 * A value of Postgres's, from its text (DateStyle ISO, time zone UTC, bytea in hex). Throws invalidQuery for what has no value in BigQuery: infinity,
 * years before Christ and after 9999, 24:00:00, NaN of a numeric, and numbers that don't fit. The error doesn't quote the value.
 */
export function fromPostgres(text: string | null, field: Field): Value {
  if (text === null) return null
  const value = convert(text, field)
  if (value === undefined) throw invalid(`A value of the column ${field.name} is out of the range of ${field.type}`)
  return value
}

function convert(text: string, field: Field): Value | undefined {
  switch (field.type) {
    case 'BOOL':
      return text === 't'
    case 'INT64':
      return BigInt(text)
    case 'FLOAT64':
      return Number(text)
    case 'BYTES':
      return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
    case 'NUMERIC':
      return decimal(text, scales.NUMERIC, 10n ** 38n)
    case 'BIGNUMERIC':
      return decimal(text, scales.BIGNUMERIC, 1n << 255n)
    case 'DATE':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined
    case 'TIME':
      return text.startsWith('24') ? undefined : text
    case 'DATETIME':
      return moment.test(text) ? text.replace(' ', 'T') : undefined
    case 'TIMESTAMP':
      return moment.test(text.replace(/\+00$/, '')) ? text.replace(' ', 'T').replace(/\+00$/, 'Z') : undefined
    default:
      return text
  }
}

const moment = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$/

function decimal(text: string, scale: number, bound: bigint): string | undefined {
  try {
    const value = scaled(text, scale)
    return value < bound && value > -bound ? unscaled(value, scale) : undefined
  } catch {
    return undefined
  }
}

import type { AnyRow, Column, Value } from './column.ts'
import { microsOf } from './micros.ts'

/**
 * A value as text that is the same for two values exactly if BigQuery holds them equal: NUMERIC 1.0 is 1, 06:30:00.5 is 06:30:00.500000, -0 is 0,
 * NaN is NaN, an integer is the same as a number and as a bigint. Null has a text of its own.
 */
export function canonical(column: Column, value: Value): string {
  if (value === null || value === undefined) return '∅'
  if (column.mode === 'REPEATED') {
    const element: Column = { ...column, mode: 'NULLABLE' }
    return `[${(value as readonly Value[]).map(each => JSON.stringify(canonical(element, each))).join(',')}]`
  }
  switch (column.type) {
    case 'STRING':
      return `"${String(value)}`
    case 'NUMERIC':
    case 'BIGNUMERIC':
      return decimal(String(value))
    case 'TIMESTAMP':
      return String(microsOf(String(value)))
    case 'TIME':
    case 'DATETIME':
      return String(value)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '')
    case 'BYTES':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'FLOAT64':
      return String(value)
    case 'JSON':
      return `"${sorted(String(value))}`
    case 'RECORD': {
      const fields = value as { readonly [name: string]: Value }
      return `{${(column.fields ?? []).map(field => JSON.stringify(canonical(field, fields[field.name] ?? null))).join(',')}}`
    }
    default:
      return String(value)
  }
}

/** The canonical texts of some columns as one, each with its length, so that no two rows share one by accident. */
export function keyText(columns: readonly Column[], row: AnyRow): string {
  let key = ''
  for (const column of columns) {
    const text = canonical(column, row[column.name] ?? null)
    key += `${text.length}:${text}`
  }
  return key
}

function decimal(text: string): string {
  const negative = text.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const digits = `${whole.replace(/^0+/, '') || '0'}.${fraction.replace(/0+$/, '')}`.replace(/\.$/, '')
  return negative && digits !== '0' ? `-${digits}` : digits
}

/** JSON with the names of every object in order and no spaces: BigQuery keeps neither. Numbers stay as they are written. */
function sorted(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text, marked))
  } catch {
    return text
  }
}

function marked(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value === 'number') return `n${context?.source ?? value}`
  if (typeof value === 'string') return `s${value}`
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}

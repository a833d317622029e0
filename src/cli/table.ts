import type { Column, Value } from '../domain/column.ts'
import { isPersonal } from '../domain/personal.ts'

/** Rows as an aligned table for a terminal. Values of columns marked as personal data are hidden unless asked for. */
export function table(
  columns: readonly Column[],
  rows: readonly Readonly<Record<string, Value>>[],
  options: { readonly personal?: boolean } = {},
): string {
  const cells = rows.map(row =>
    columns.map(column => (isPersonal(column) && options.personal !== true ? '•••' : text(row[column.name] ?? null))),
  )
  const widths = columns.map((column, index) => Math.max(width(column.name), ...cells.map(row => width(row[index] ?? ''))))
  const right = columns.map(column => ['INT64', 'FLOAT64', 'NUMERIC', 'BIGNUMERIC'].includes(column.type))
  const line = (parts: readonly string[]) =>
    `  ${parts.map((part, index) => pad(part, widths[index] ?? 0, right[index] === true)).join('  ')}`.trimEnd()
  return [line(columns.map(column => column.name)), line(widths.map(size => '─'.repeat(size))), ...cells.map(line)].join('\n')
}

/** A row as JSON can say it: an INT64 beyond 2^53 and bytes as text. Hides personal data like `table`. */
export function plain(
  columns: readonly Column[],
  row: Readonly<Record<string, Value>>,
  options: { readonly personal?: boolean } = {},
): Record<string, unknown> {
  return Object.fromEntries(
    columns.map(column => [
      column.name,
      isPersonal(column) && options.personal !== true ? '•••' : jsonValue(row[column.name] ?? null),
    ]),
  )
}

function text(value: Value): string {
  if (value === null) return 'NULL'
  if (typeof value === 'object') return JSON.stringify(jsonValue(value))
  if (Object.is(value, -0)) return '-0'
  return String(value).replace(/\p{Cc}/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function jsonValue(value: Value): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(jsonValue)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, jsonValue(inner)]))
  return value
}

function width(value: string): number {
  return [...value].length
}

function pad(value: string, size: number, right: boolean): string {
  const fill = ' '.repeat(Math.max(0, size - width(value)))
  return right ? fill + value : value + fill
}

import type { AnyRow, Column, Value } from '../../domain/column.ts'

/** Bytes that a column of these rows takes before anything is compressed, about: a unit of text is one, all else that is one value eight. */
export function sizeOf(rows: readonly AnyRow[], { name, type, mode }: Column): number {
  if (mode !== 'REPEATED' && !long.has(type)) return rows.length * valueBytes
  let bytes = 0
  for (const row of rows) bytes += bytesOf(row[name])
  return bytes
}

const valueBytes = 8
const long: ReadonlySet<Column['type']> = new Set(['STRING', 'BYTES', 'JSON', 'GEOGRAPHY', 'BIGNUMERIC', 'RECORD'])

function bytesOf(value: Value | undefined): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  if (typeof value !== 'object' || value === null) return valueBytes
  return Object.values(value).reduce<number>((sum, inner) => sum + bytesOf(inner), valueBytes)
}

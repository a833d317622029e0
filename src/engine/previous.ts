import type { AnyRow, Column, Value } from '../domain/column.ts'
import type { RowSchema } from '../domain/row.ts'
import { keyText } from '../domain/same.ts'
import type { Sources } from '../domain/source.ts'
import type { KeyFilter } from '../ports/reader.ts'

/** Which rows of the target a transform is given. */
export type Wanted = {
  /** Goes to the reader, which may give more. null: all rows. */
  readonly keys: KeyFilter | null
  has(row: AnyRow): boolean
}

/**
 * The rows of the target whose key stands in the rows of another source; all of them where no other source has the key's columns, since nobody can say then which
 * ones matter.
 */
export function wantedOf(target: RowSchema, from: Sources, given: Readonly<Record<string, readonly object[]>>): Wanted {
  const key = target.columns.filter(column => target.key.includes(column.name))
  const sources = Object.keys(given).filter(name => hasAll(key, from[name]?.row.columns ?? []))
  const [first] = key
  if (sources.length === 0 || first === undefined) return { keys: null, has: () => true }
  const wanted = new Set<string>()
  const values = new Map<string, Value>()
  for (const name of sources) {
    for (const row of given[name] as readonly AnyRow[]) {
      wanted.add(keyText(key, row))
      const value = row[first.name] ?? null
      values.set(String(value), value)
    }
  }
  return { keys: { column: first, values: [...values.values()] }, has: row => wanted.has(keyText(key, row)) }
}

function hasAll(key: readonly Column[], columns: readonly Column[]): boolean {
  return key.every(({ name, type }) => columns.some(column => column.name === name && column.type === type))
}

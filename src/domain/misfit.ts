import type { Column, ColumnType, Value } from './column.ts'
import { isPersonal } from './personal.ts'

/** A value that has no place in its column. `at` is the path inside the column; `shown` is what the value is, as a type. */
export class Misfit extends Error {
  readonly at: string
  readonly problem: string
  constructor(at: string, problem: string) {
    super(problem)
    this.at = at
    this.problem = problem
  }
}

/** The error for a value; it isn't shown where the column, one inside it or a record round it (`hidden`) is marked as personal data. */
export function noPlace(column: Column, value: Value | undefined, hidden: boolean): Misfit {
  if (column.mode === 'REPEATED') return new Misfit(column.name, `expected an array, got ${typeName(value)}`)
  const got = value === null || value === undefined || hidden || isPersonal(column) ? typeName(value) : shown(value)
  return new Misfit(column.name, `expected ${expected[column.type]}, got ${got}`)
}

/** A misfit of a part, as one of the whole. */
export function inside<T>(prefix: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    // `[2]` stands behind the column's name, `record.` before the field's.
    throw new Misfit(
      prefix.startsWith('[') ? error.at.replace(/^[^.[]+/, name => `${name}${prefix}`) : `${prefix}${error.at}`,
      error.problem,
    )
  }
}

const expected: Readonly<Record<ColumnType, string>> = {
  STRING: 'text of whole characters',
  BYTES: 'bytes',
  INT64: 'a whole number of 64 bits (a number beyond 2^53 is no longer exact: use bq.int64())',
  FLOAT64: 'a number',
  BOOL: 'true or false',
  NUMERIC: 'a NUMERIC as text (29 digits before the point, 9 after it)',
  BIGNUMERIC: 'a BIGNUMERIC as text (38 digits before the point, 38 after it)',
  TIMESTAMP: 'a TIMESTAMP as text in UTC with at most six fraction digits',
  DATE: 'a DATE as text',
  TIME: 'a TIME as text',
  DATETIME: 'a DATETIME as text',
  JSON: 'JSON as text',
  GEOGRAPHY: 'WKT text',
  RECORD: 'an object',
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? 'an array' : value instanceof Uint8Array ? 'bytes' : `a ${typeof value}`
}

function shown(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : typeName(value)
}

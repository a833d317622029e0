import type * as z from 'zod'
import type { AnyRow, Column } from './column.ts'
import { EtlError } from './error.ts'
import { problemOf } from './problem.ts'
import { quickTest, type Test } from './quick.ts'
import type { Row, RowSchema, Shape } from './row.ts'
import type { Def } from './rules.ts'
import { keyText } from './same.ts'

/**
 * Checks rows at a border of the pipeline: unknown columns are dropped, absent nullable ones become null. `from`: how many rows came before these.
 * @throws EtlError `row` for the first row that does not fit: where (`row 17 › cluster`), what was expected, what stands there (never a value of
 * a column marked as personal data), what next.
 */
export function checkRows<S extends Shape>(
  row: RowSchema<S>,
  rows: readonly unknown[],
  options: { readonly from?: number } = {},
): Row<RowSchema<S>>[] {
  const fits = quick(row)
  const checked = new Array<unknown>(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const value = rows[index]
    checked[index] = fits(value) ? value : normalised(row, value, (options.from ?? 0) + index + 1)
  }
  return checked as Row<RowSchema<S>>[]
}

/**
 * Refuses two rows of one key, as BigQuery compares its columns (NUMERIC 1.0 is 1). Holds one text a row.
 * @throws EtlError `row` that names both rows, and the key as far as it isn't personal data.
 */
export function duplicateKey(row: RowSchema, rows: readonly AnyRow[], options: { readonly from?: number } = {}): void {
  if (row.key.length === 0) return
  const columns = row.columns.filter(column => row.key.includes(column.name))
  const seen = new Map<string, number>()
  for (const [index, each] of rows.entries()) {
    const key = keyText(columns, each)
    const first = seen.get(key)
    if (first !== undefined) throw twice(columns, each, (options.from ?? 0) + first + 1, (options.from ?? 0) + index + 1)
    seen.set(key, index)
  }
}

const compiled = new WeakMap<object, Test>()

/** True only for rows that the zod schema accepts and would give back unchanged: most rows, and many times quicker. Else zod decides. */
function quick(row: RowSchema): Test {
  const known = compiled.get(row)
  if (known !== undefined) return known
  const test = record(Object.keys(row.shape), row.shape, fieldChecks(row.zod))
  compiled.set(row, test)
  return test
}

type Parser = { safeParse(value: unknown): { readonly success: boolean } }

function fieldChecks(zod: unknown): Readonly<Record<string, unknown>> {
  return (zod as { shape: Record<string, unknown> }).shape
}

/** `own` are the author's schemas, `checks` what became of them (checker.ts). */
function record(names: readonly string[], own: Shape, checks: Readonly<Record<string, unknown>>): Test {
  const tests = names.map(name => fieldTest(own[name] as z.core.$ZodType, checks[name]))
  const inAnyOrder = (fields: Readonly<Record<string, unknown>>) => {
    let count = 0
    for (const _ in fields) count++
    return count === names.length && names.every((name, index) => (tests[index] as Test)(fields[name]))
  }
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const fields = value as Readonly<Record<string, unknown>>
    // Almost all have their columns in the order of the schema: then V8 takes one after the other, and looks none up by its name.
    let index = 0
    for (const name in fields) {
      if (name !== names[index]) return inAnyOrder(fields)
      if (!(tests[index++] as Test)(fields[name])) return false
    }
    return index === names.length
  }
}

function fieldTest(own: z.core.$ZodType, check: unknown): Test {
  const def = own._zod.def as unknown as Def
  if (def.type === 'nullable' || def.type === 'optional') {
    const test = fieldTest(def.innerType, unwrapped(check))
    return value => value === null || test(value)
  }
  if (def.type === 'array') {
    const test = fieldTest(def.element, (check as { element: unknown }).element)
    return value => Array.isArray(value) && all(value, test)
  }
  if (def.type === 'object') return record(Object.keys(def.shape), def.shape, fieldChecks(check))
  return quickTest(own) ?? (value => (check as Parser).safeParse(value).success)
}

/** `every` leaves out holes, which are no values. */
function all(values: readonly unknown[], test: Test): boolean {
  for (let index = 0; index < values.length; index++) if (!test(values[index])) return false
  return true
}

/** The check inside of what makes absent values null (checker.ts). */
function unwrapped(check: unknown): unknown {
  const { def } = (check as { _zod: { def: { type: string; in?: unknown; innerType?: unknown } } })._zod
  if (def.type === 'pipe') return unwrapped(def.in)
  return def.type === 'nullable' || def.type === 'optional' ? unwrapped(def.innerType) : check
}

function normalised(row: RowSchema, value: unknown, number: number): unknown {
  const result = row.zod.safeParse(value)
  if (result.success) return result.data
  throw problemOf(row, value, result.error.issues[0], `row ${number}`)
}

function twice(columns: readonly Column[], row: AnyRow, first: number, second: number): EtlError {
  const key = columns
    .map(column => (column.pii === undefined ? `${column.name} ${String(row[column.name])}` : column.name))
    .join(', ')
  return new EtlError('row', `has the same key as row ${first} (${key}).`, {
    where: { at: `row ${second}` },
    hint: 'the key of the row schema must be unique: group by it, or give the row schema another key',
  })
}

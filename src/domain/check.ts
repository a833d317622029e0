import { codePoints } from './checker.ts'
import type { AnyRow, Column } from './column.ts'
import { EtlError } from './error.ts'
import { problemOf } from './problem.ts'
import type { Row, RowSchema, Shape } from './row.ts'
import { keyText } from './same.ts'
import { isDate } from './text.ts'

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

type Test = (value: unknown) => boolean

const compiled = new WeakMap<object, Test>()

/** True only for rows that the zod schema accepts and would give back unchanged: most rows, and several times quicker. Else zod decides. */
function quick(row: RowSchema): Test {
  const known = compiled.get(row)
  if (known !== undefined) return known
  const test = record(row.columns, fieldChecks(row.zod))
  compiled.set(row, test)
  return test
}

type Parser = { safeParse(value: unknown): { readonly success: boolean } }

function fieldChecks(zod: unknown): Readonly<Record<string, unknown>> {
  return (zod as { shape: Record<string, unknown> }).shape
}

function record(columns: readonly Column[], checks: Readonly<Record<string, unknown>>): Test {
  const names = columns.map(column => column.name)
  const tests = columns.map(column => quickTest(column, checks[column.name]))
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const fields = value as Record<string, unknown>
    let count = 0
    for (const _ in fields) count++
    if (count !== names.length) return false
    for (let index = 0; index < names.length; index++) if (!tests[index]?.(fields[names[index] as string])) return false
    return true
  }
}

function quickTest(column: Column, check: unknown): Test {
  const inner = unwrapped(check)
  if (column.mode === 'NULLABLE') {
    const test = quickTest({ ...column, mode: 'REQUIRED' }, inner)
    return value => value === null || test(value)
  }
  if (column.mode === 'REPEATED') {
    const test = quickTest({ ...column, mode: 'REQUIRED' }, (inner as { element: unknown }).element)
    return value => Array.isArray(value) && value.every(test)
  }
  if (column.type === 'RECORD') return record(column.fields ?? [], fieldChecks(inner))
  return scalar(column, inner as Parser)
}

function scalar(column: Column, check: Parser): Test {
  const simple = plain(column, typeOf(check))
  if (simple !== undefined) return simple
  return value => check.safeParse(value).success
}

/** The few types that make up most columns; undefined where only zod knows. */
function plain({ type, rules, notAuditable }: Column, zodType: string): Test | undefined {
  if (notAuditable !== undefined) return undefined
  const [rule] = rules
  if (rules.length > 1 || (rule !== undefined && rule.kind !== 'oneOf' && rule.kind !== 'maxLength')) return undefined
  if (type === 'STRING' && rule?.kind === 'oneOf') {
    const values = new Set<unknown>(rule.values)
    return value => values.has(value)
  }
  if (type === 'STRING' && rule?.kind === 'maxLength') return value => isText(value) && codePoints(value) <= rule.value
  if (rule !== undefined) return undefined
  if (type === 'STRING') return isText
  if (type === 'DATE') return value => typeof value === 'string' && isDate(value)
  if (type === 'BOOL') return value => typeof value === 'boolean'
  if (type === 'FLOAT64') return value => typeof value === 'number'
  if (type === 'INT64' && zodType === 'number') return Number.isSafeInteger
  return undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function typeOf(check: unknown): string {
  return (check as { _zod: { def: { type: string } } })._zod.def.type
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

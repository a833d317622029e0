import type * as z from 'zod'
import type { AnyRow, Column } from './column.ts'
import { compile, quoted } from './compile.ts'
import { EtlError } from './error.ts'
import { problemOf } from './problem.ts'
import { quickTest, type Test } from './quick.ts'
import { restTest } from './rest.ts'
import type { Row, RowSchema, Shape } from './row.ts'
import type { Def } from './rules.ts'
import { keyText } from './same.ts'

/** What is known of rows before they are checked. */
export type Known = {
  /** How many rows came before these. */
  readonly from?: number
  /** A reader made all values as those of their columns' types, and every column: only what the author's schema says beyond that is asked. */
  readonly isTyped?: boolean
  /**
   * The checked row that each was made from, and what `promised` of it: a value taken over as it was, into a column that promises no more, is not looked at again. A row can have been changed in
   * between: what is promised of a value is compared with what it was, and its type is what is written anyway.
   */
  readonly madeFrom?: { readonly row: RowSchema; readonly rows: readonly unknown[]; readonly before: readonly unknown[] }
}

/**
 * Checks rows at a border of the pipeline: unknown columns are dropped, absent nullable ones become null.
 * @throws EtlError `row` for the first row that does not fit: where (`row 17 › cluster`), what was expected, what stands there (never a value of
 * a column marked as personal data), what next.
 */
export function checkRows<S extends Shape>(
  row: RowSchema<S>,
  rows: readonly unknown[],
  { from = 0, isTyped = false, madeFrom }: Known = {},
): Row<RowSchema<S>>[] {
  const fits = isTyped ? rest(row) : quick(row)
  const same = madeFrom === undefined ? undefined : taken(row, madeFrom.row)
  const checked = new Array<unknown>(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const value = rows[index]
    const isFit = same?.(value, madeFrom?.rows[index], madeFrom?.before[index]) === true || fits(value)
    checked[index] = isFit ? value : normalised(row, value, from + index + 1)
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

const quickTests = new WeakMap<object, Test>()
const restTests = new WeakMap<object, Test>()

/** True only for rows that the zod schema accepts and would give back unchanged: most rows, and many times quicker. Else zod decides. */
function quick(row: RowSchema): Test {
  return kept(quickTests, row, () => record(row.shape, fieldChecks(row.zod)))
}

/** The same of rows whose values have the types of their columns. */
function rest(row: RowSchema): Test {
  return kept(restTests, row, () => {
    const checks = fieldChecks(row.zod)
    const left = Object.entries(row.shape).map(([name, own]) => [name, restTest(own, checks[name] as Parser)] as const)
    const asked = left.filter(([, test]) => test !== null)
    const lines = asked.map(([name], index) => `t${index}(row[${quoted(name)}])`)
    return compile(
      Object.fromEntries(asked.map(([, test], index) => [`t${index}`, test])),
      `row => ${lines.join(' && ') || true}`,
    )
  })
}

type Pick = (row: unknown) => unknown
const picks = new WeakMap<object, Pick>()

/** Makes what takes from checked rows the values that the author's rules are about, before a function gets the rows. */
export function promised(row: RowSchema): Pick {
  return kept(picks, row, () => {
    const fields = row.columns.filter(isPromise).map(({ name }) => `${quoted(name)}: row[${quoted(name)}]`)
    return compile({}, `row => ({ ${fields.join(', ')} })`)
  })
}

/** Rules, and what the type alone does not say where it is written. */
function isPromise({ type, rules }: Column): boolean {
  return rules.length > 0 || type === 'JSON' || type === 'GEOGRAPHY'
}

type Pair = (value: unknown, origin: unknown, before: unknown) => boolean
const pairTests = new WeakMap<object, WeakMap<object, Pair>>()

/** The same of a row that was made from another; false for that one itself, which may have been changed. */
function taken(row: RowSchema, from: RowSchema): Pair {
  const ofRow = kept(pairTests, row, () => new WeakMap<object, Pair>())
  return kept(ofRow, from, () => {
    const tests = fieldTests(row.shape, fieldChecks(row.zod))
    const lines = row.columns.map((column, index) => {
      const name = quoted(column.name)
      const known = from.columns.find(other => other.name === column.name)
      if (known === undefined || !promisesNoMore(column, known)) return `t${index}(row[${name}])`
      return `(row[${name}] === ${isPromise(known) ? 'before' : 'origin'}[${name}] || t${index}(row[${name}]))`
    })
    const test = compile<Pair>(
      Object.fromEntries(tests.map((each, index) => [`t${index}`, each])),
      `(row, origin, before) => ${lines.join(' && ')}`,
    )
    const names = row.columns.length
    return (value, origin, before) =>
      value !== origin && isRecord(value) && sizeOf(value) === names && test(value, origin, before)
  })
}

/** Scalars only: what is inside of an object can have been changed. */
function promisesNoMore(column: Column, known: Column): boolean {
  const { type, mode, bigint, rules, notAuditable } = column
  if (type !== known.type || bigint !== known.bigint || notAuditable !== undefined) return false
  if (type === 'RECORD' || type === 'BYTES' || mode === 'REPEATED' || known.mode === 'REPEATED') return false
  if (mode !== known.mode && mode !== 'NULLABLE') return false
  return rules.length === 0 || JSON.stringify(rules) === JSON.stringify(known.rules)
}

function kept<K extends object, V>(cache: WeakMap<K, V>, key: K, make: () => V): V {
  let value = cache.get(key)
  if (value === undefined) {
    value = make()
    cache.set(key, value)
  }
  return value
}

type Parser = { safeParse(value: unknown): { readonly success: boolean } }

function fieldChecks(zod: unknown): Readonly<Record<string, unknown>> {
  return (zod as { shape: Record<string, unknown> }).shape
}

/** `own` are the author's schemas, `checks` what became of them (checker.ts). */
function record(own: Shape, checks: Readonly<Record<string, unknown>>): Test {
  const names = Object.keys(own)
  const tests = fieldTests(own, checks)
  const test = compile<Test>(
    Object.fromEntries(tests.map((each, index) => [`t${index}`, each])),
    `row => ${names.map((name, index) => `t${index}(row[${quoted(name)}])`).join(' && ') || true}`,
  )
  return value => isRecord(value) && sizeOf(value) === names.length && test(value)
}

function fieldTests(own: Shape, checks: Readonly<Record<string, unknown>>): readonly Test[] {
  return Object.keys(own).map(name => fieldTest(own[name] as z.core.$ZodType, checks[name]))
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** How many fields it has; one that the schema does not name is one too many, as all that it names are there. */
function sizeOf(fields: object): number {
  let count = 0
  for (const _ in fields) count++
  return count
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
  if (def.type === 'object') return record(def.shape, fieldChecks(check))
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

import type { AnyRow, Column, Rule, Value } from './column.ts'
import { datesCondition, literal } from './literal.ts'
import type { TableRef } from './source.ts'

/** The slices of a publication: no staged row may lie outside. */
export type AuditScope = { readonly column: string; readonly dates: readonly string[] } | null

/**
 * The row schema as one aggregate query over a stage: how many rows break each promise, and one of the values that do (never of a column
 * with personal data). `auditProblems` reads its only row. BIGNUMERIC and JSON are text in a stage. The elements of arrays are not looked at.
 */
export function auditSql(columns: readonly Column[], key: readonly string[], stage: TableRef, scope: AuditScope): string {
  const table = literal.table(stage)
  const parts = ['COUNT(*) AS n']
  for (const { alias, bad, value } of checksOf(columns)) {
    parts.push(`COUNTIF(${bad}) AS ${alias}`)
    if (value !== undefined) parts.push(`MIN(IF(${bad}, ${value}, NULL)) AS ${alias}_example`)
  }
  if (scope !== null) {
    const outside = `NOT (${datesCondition(scope.column, scope.dates)})`
    parts.push(`COUNTIF(${outside}) AS outside`)
    if (!isPersonal(columns, [scope.column]))
      parts.push(`MIN(IF(${outside}, ${literal.name(scope.column)}, NULL)) AS outside_example`)
  }
  if (key.length > 0) {
    const names = key.map(literal.name).join(', ')
    const twice = `FROM ${table} GROUP BY ${names} HAVING COUNT(*) > 1`
    parts.push(`(SELECT COUNT(*) FROM (SELECT ${names} ${twice})) AS twice`)
    if (!isPersonal(columns, key))
      parts.push(`(SELECT MIN(k) FROM (SELECT ${keyText(columns, key)} AS k ${twice})) AS twice_example`)
  }
  return `SELECT\n  ${parts.join(',\n  ')}\nFROM ${table}`
}

/** How many promises the query looks at. */
export function auditChecks(columns: readonly Column[], key: readonly string[], scope: AuditScope): number {
  return 1 + checksOf(columns).length + (scope === null ? 0 : 1) + (key.length === 0 ? 0 : 1)
}

/**
 * The first rule of the schema that the audit's query leaves out, as a sentence: rows of a function are checked before they are staged, the
 * result of a sql transform is checked by the audit alone.
 */
export function notAudited(columns: readonly Column[], path = '', inArray = false): string | undefined {
  for (const column of columns) {
    const name = `${path}${column.name}`
    const isArray = inArray || column.mode === 'REPEATED'
    if (column.notAuditable !== undefined) return `column ${name}: ${column.notAuditable}`
    if (isArray && column.rules.length > 0) return `column ${name}: the audit does not look at the elements of an array`
    const rule = column.rules.find(candidate => broken(candidate, column, 'x') === undefined)
    if (rule !== undefined) return `column ${name}: the rule ${rule.kind} says nothing about ${column.type} in SQL`
    const inner = notAudited(column.fields ?? [], `${name}.`, isArray)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** What the audit found, as sentences; none, if every promise is kept. `staged` is the number of rows that should be there. */
export function auditProblems(
  row: AnyRow,
  columns: readonly Column[],
  key: readonly string[],
  staged: number,
): readonly string[] {
  const problems: string[] = []
  const count = (alias: string) => Number(row[alias] ?? 0)
  const example = (alias: string) => {
    const value = row[`${alias}_example`]
    return value === undefined || value === null ? '' : ` (for example ${shown(value)})`
  }
  if (count('n') !== staged) problems.push(`the stage has ${count('n')} rows, ${staged} were staged`)
  for (const { alias, column, promise } of checksOf(columns)) {
    if (count(alias) > 0) problems.push(`${column}: ${rows(count(alias))} ${promise}${example(alias)}`)
  }
  if (count('outside') > 0) problems.push(`${rows(count('outside'))} outside the slices of this run${example('outside')}`)
  if (count('twice') > 0) {
    const times = count('twice') === 1 ? 'one key stands' : `${count('twice')} keys stand`
    problems.push(`${times} in more than one row: (${key.join(', ')})${example('twice')}`)
  }
  return problems
}

/** A check: its alias in the answer, when a row breaks it, the value to show, and what is then said of such rows. */
type Check = {
  readonly alias: string
  readonly column: string
  readonly bad: string
  readonly value: string | undefined
  readonly promise: string
}

function checksOf(columns: readonly Column[]): readonly Check[] {
  return columns
    .flatMap(column => columnChecks(column, literal.name(column.name), column.name, 'TRUE'))
    .map((check, index) => ({ ...check, alias: `c${index}` }))
}

/** `there` is the condition under which the column exists: the records round it are not NULL. */
function columnChecks(column: Column, value: string, name: string, there: string): Omit<Check, 'alias'>[] {
  if (column.mode === 'REPEATED') return []
  const when = (condition: string) => (there === 'TRUE' ? condition : `${there} AND ${condition}`)
  const required =
    column.mode === 'REQUIRED'
      ? [{ column: name, bad: when(`${value} IS NULL`), value: undefined, promise: 'without a value, it is required' }]
      : []
  if (column.type === 'RECORD') {
    const inner = column.mode === 'REQUIRED' ? there : when(`${value} IS NOT NULL`)
    const fields = column.fields ?? []
    return [
      ...required,
      ...fields.flatMap(field => columnChecks(field, `${value}.${literal.name(field.name)}`, `${name}.${field.name}`, inner)),
    ]
  }
  const shownValue = column.pii === undefined && column.type !== 'BYTES' ? value : undefined
  const rules = column.rules.flatMap(rule => {
    const bad = broken(rule, column, value)
    return bad === undefined ? [] : [{ column: name, bad, value: shownValue, promise: promiseOf(rule) }]
  })
  return [...required, ...rules]
}

/** SQL that is true for a value that breaks the rule, NULL or false for NULL; undefined where the rule says nothing about the column's type. */
function broken(rule: Rule, { type }: Column, value: string): string | undefined {
  const isText = type === 'STRING'
  switch (rule.kind) {
    case 'oneOf':
      return isText ? `${value} NOT IN (${rule.values.map(literal.string).join(', ')})` : undefined
    case 'min':
      // Turned round, so that NaN is refused as zod does.
      return isNumber(type) ? `NOT (${value} ${rule.inclusive ? '>=' : '>'} ${bound(rule.value, type)})` : undefined
    case 'max':
      return isNumber(type) ? `NOT (${value} ${rule.inclusive ? '<=' : '<'} ${bound(rule.value, type)})` : undefined
    case 'multipleOf':
      if (type === 'INT64' && /^\d+$/.test(rule.value)) return `MOD(${value}, ${rule.value}) != 0`
      return isNumber(type) ? offGrid(`CAST(${value} AS FLOAT64)`, bound(rule.value, 'FLOAT64')) : undefined
    case 'minLength':
      return isText ? tooShort(value, rule.value) : undefined
    case 'maxLength':
      return isText ? `LENGTH(${value}) > ${rule.value}` : undefined
    case 'pattern':
      return isText ? `NOT REGEXP_CONTAINS(${value}, ${literal.string(rule.source)})` : undefined
  }
}

function isNumber(type: Column['type']): boolean {
  return type === 'INT64' || type === 'FLOAT64'
}

/** Whole numbers stand as they are; the others may have an exponent, which a cast takes. */
function bound(text: string, type: Column['type']): string {
  return type === 'INT64' && /^-?\d+$/.test(text) ? literal.number(text) : `CAST(${literal.string(text)} AS FLOAT64)`
}

/** Doubles are never quite a multiple: nearer than a billionth of a step counts. */
function offGrid(value: string, step: string): string {
  return `NOT (ABS(${value} / ${step} - ROUND(${value} / ${step})) < 1e-9)`
}

/**
 * zod counts UTF-16 units, LENGTH counts characters: one beyond U+FFFF counts for two there. Texts with such characters get the benefit of
 * the doubt, here and in the longest length; rows that passed through Node were counted exactly.
 */
function tooShort(value: string, least: number): string {
  const short = `LENGTH(${value}) < ${least}`
  return least <= 1 ? short : `${short} AND NOT REGEXP_CONTAINS(${value}, ${literal.string('[\\x{10000}-\\x{10FFFF}]')})`
}

function promiseOf(rule: Rule): string {
  switch (rule.kind) {
    case 'oneOf':
      return `with another value than ${rule.values.slice(0, 8).join(', ')}${rule.values.length > 8 ? ', …' : ''}`
    case 'min':
      return `not ${rule.inclusive ? 'at least' : 'above'} ${rule.value}`
    case 'max':
      return `not ${rule.inclusive ? 'at most' : 'below'} ${rule.value}`
    case 'multipleOf':
      return `with no multiple of ${rule.value}`
    case 'minLength':
      return `with fewer than ${rule.value} characters`
    case 'maxLength':
      return `with more than ${rule.value} characters`
    case 'pattern':
      return `that are not ${rule.name}`
  }
}

function isPersonal(columns: readonly Column[], key: readonly string[]): boolean {
  return columns.some(column => key.includes(column.name) && column.pii !== undefined)
}

function keyText(columns: readonly Column[], key: readonly string[]): string {
  const texts = key.map(name => {
    const type = columns.find(column => column.name === name)?.type
    const value = literal.name(name)
    if (type === 'STRING' || type === 'BIGNUMERIC') return value
    return type === 'BYTES' ? `TO_BASE64(${value})` : `CAST(${value} AS STRING)`
  })
  return texts.length === 1 ? (texts[0] ?? '') : `CONCAT(${texts.join(", ', ', ")})`
}

function shown(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value) : String(value)
}

function rows(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`
}

import { broken, promiseOf } from './audit-rules.ts'
import type { AnyRow, Column, Value } from './column.ts'
import { datesCondition, literal } from './literal.ts'
import type { TableRef } from './source.ts'

/** A stage stays so long, in milliseconds: longer than any retry, short enough that forgotten ones cost nothing. */
export const stageLifetime = 2 * 24 * 60 * 60 * 1000

/** What a stage is asked: whether its rows keep the promises of a row schema and stay in the slices of the run. */
export type Promises = {
  /** Of the target, marked as they may be told (domain/personal.ts). */
  readonly columns: readonly Column[]
  readonly key: readonly string[]
  /** No staged row may lie outside; null if there are no slices. */
  readonly scope: { readonly column: string; readonly dates: readonly string[] } | null
  /** The elements of arrays too: of rows that nobody has checked before they were staged. */
  readonly elements: boolean
  /** merge: the stage also holds rows to be deleted, `_op` says which. They were promised by an earlier version; only their keys count. */
  readonly deletions: boolean
}

/**
 * The promises as one aggregate query over a stage: how many rows break each, and one of the values that do (never of a column with personal
 * data). `brokenPromises` reads its only row. BIGNUMERIC and JSON are text in a stage. `more` are further aggregates.
 */
export function auditSql(promises: Promises, stage: TableRef, more: readonly string[] = []): string {
  const { columns, key, scope, deletions } = promises
  const table = literal.table(stage)
  const parts = [deletions ? `(SELECT COUNT(*) FROM ${table}) AS n` : 'COUNT(*) AS n']
  for (const { alias, bad, value } of checksOf(promises)) {
    parts.push(`COUNTIF(${bad}) AS ${alias}`)
    if (value !== undefined) parts.push(`MIN(IF(${bad}, ${value}, NULL)) AS ${alias}_example`)
  }
  if (scope !== null) {
    const outside = outsideOf(scope)
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
  return `SELECT\n  ${[...parts, ...more].join(',\n  ')}\nFROM ${table}${deletions ? ` WHERE ${added}` : ''}`
}

/** SQL: a staged row that is not there to be deleted. */
export const added = '_op IS NULL'

/** How many promises the query looks at. */
export function auditChecks(promises: Promises): number {
  return 1 + checksOf(promises).length + (promises.scope === null ? 0 : 1) + (promises.key.length === 0 ? 0 : 1)
}

/**
 * The first rule of the schema that the audit's query leaves out, as a sentence: rows of a function are checked before they are staged, the
 * result of a sql transform is checked by the audit alone.
 */
export function notAudited(columns: readonly Column[], path = ''): string | undefined {
  for (const column of columns) {
    const name = `${path}${column.name}`
    if (column.notAuditable !== undefined) return `column ${name}: ${column.notAuditable}`
    const rule = column.rules.find(candidate => broken(candidate, column, 'x') === undefined)
    if (rule !== undefined) return `column ${name}: the rule ${rule.kind} says nothing about ${column.type} in SQL`
    const inner = notAudited(column.fields ?? [], `${name}.`)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** A promise that rows break: the sentence, and SQL that shows such rows, if rows can show it. */
export type Broken = { readonly text: string; readonly rows: ((show: Show) => string) | null }

/** Which rows of a stage are shown: at most `limit`, of these columns. */
type Show = { readonly stage: TableRef; readonly columns: readonly string[]; readonly limit: number }

/** What the audit found; nothing, if every promise is kept. `staged` is the number of rows that should be there. */
export function brokenPromises(row: AnyRow, promises: Promises, staged: number): readonly Broken[] {
  const { key, scope, deletions } = promises
  const breaking = (bad: string) => (deletions ? `${added} AND (${bad})` : bad)
  const found: Broken[] = []
  const count = (alias: string) => Number(row[alias] ?? 0)
  const example = (alias: string) => {
    const value = row[`${alias}_example`]
    return value === undefined || value === null ? '' : ` (for example ${shown(value)})`
  }
  if (count('n') !== staged) found.push({ text: `the stage has ${count('n')} rows, ${staged} were staged`, rows: null })
  for (const { alias, column, promise, bad } of checksOf(promises)) {
    if (count(alias) > 0)
      found.push({
        text: `${column}: ${rows(count(alias))} ${promise}${example(alias)}`,
        rows: show => where(show, breaking(bad)),
      })
  }
  if (scope !== null && count('outside') > 0) {
    const text = `${rows(count('outside'))} outside the slices of this run${example('outside')}`
    found.push({ text, rows: show => where(show, breaking(outsideOf(scope))) })
  }
  if (count('twice') > 0) {
    const times = count('twice') === 1 ? 'one key stands' : `${count('twice')} keys stand`
    const text = `${times} in more than one row: (${key.join(', ')})${example('twice')}`
    found.push({ text, rows: show => doubled(show, key) })
  }
  return found
}

function where({ stage, columns, limit }: Show, bad: string): string {
  const shown = columns.length === 0 ? 'COUNT(*) AS n' : columns.map(literal.name).join(', ')
  return `SELECT ${shown} FROM ${literal.table(stage)} WHERE ${bad} LIMIT ${literal.number(String(limit))}`
}

/** The keys that stand in several rows, those columns of them that may be shown. */
function doubled({ stage, columns, limit }: Show, key: readonly string[]): string {
  const shown = [...key.filter(name => columns.includes(name)).map(literal.name), 'COUNT(*) AS n']
  const names = key.map(literal.name).join(', ')
  return `SELECT ${shown.join(', ')} FROM ${literal.table(stage)} GROUP BY ${names} HAVING COUNT(*) > 1 LIMIT ${literal.number(String(limit))}`
}

function outsideOf({ column, dates }: NonNullable<Promises['scope']>): string {
  return `NOT (${datesCondition(column, dates)})`
}

/** A check: its alias in the answer, when a row breaks it, the value to show, and what is then said of such rows. */
type Check = {
  readonly alias: string
  readonly column: string
  readonly bad: string
  readonly value: string | undefined
  readonly promise: string
}

function checksOf({ columns, elements }: Promises): readonly Check[] {
  return columns
    .flatMap(column => columnChecks(column, literal.name(column.name), column.name, 'TRUE', elements))
    .map((check, index) => ({ ...check, alias: `c${index}` }))
}

type Bare = Omit<Check, 'alias'>

/** `there` is the condition under which the column exists: the records round it are not NULL. */
function columnChecks(column: Column, value: string, name: string, there: string, elements: boolean, depth = 0): Bare[] {
  if (column.mode === 'REPEATED') return elements ? elementChecks(column, value, name, depth) : []
  const when = (condition: string) => (there === 'TRUE' ? condition : `${there} AND ${condition}`)
  const required =
    column.mode === 'REQUIRED'
      ? [{ column: name, bad: when(`${value} IS NULL`), value: undefined, promise: 'without a value, it is required' }]
      : []
  if (column.type === 'RECORD') {
    const inner = column.mode === 'REQUIRED' ? there : when(`${value} IS NOT NULL`)
    const field = (each: Column) =>
      columnChecks(each, `${value}.${literal.name(each.name)}`, `${name}.${each.name}`, inner, elements, depth)
    return [...required, ...(column.fields ?? []).flatMap(field)]
  }
  const shownValue = column.pii === undefined && column.type !== 'BYTES' ? value : undefined
  const rules = column.rules.flatMap(rule => {
    const bad = broken(rule, column, value)
    return bad === undefined ? [] : [{ column: name, bad, value: shownValue, promise: promiseOf(rule) }]
  })
  return [...required, ...rules]
}

/** The promises of one element, each as one of the row: no element breaks it. An array holds no NULL (BigQuery: Array type, 'Arrays and NULLs'). */
function elementChecks(column: Column, value: string, name: string, depth: number): Bare[] {
  const element = `e${depth}`
  const from = `FROM UNNEST(${value}) AS ${element}`
  return columnChecks({ ...column, mode: 'NULLABLE' }, element, `${name}[]`, 'TRUE', true, depth + 1).map(check => ({
    ...check,
    bad: `EXISTS (SELECT 1 ${from} WHERE ${check.bad})`,
    value: check.value === undefined ? undefined : `(SELECT MIN(${check.value}) ${from} WHERE ${check.bad})`,
  }))
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

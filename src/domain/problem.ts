import type { Column, Rule } from './column.ts'
import { EtlError } from './error.ts'
import { isPersonal } from './personal.ts'
import type { RowSchema } from './row.ts'
import { dateProblem } from './text.ts'

/** As much of a zod issue as is looked at. */
export type Issue = { readonly path: readonly PropertyKey[]; readonly expected?: unknown; readonly message: string }

/** What is wrong with a row, as an error: where, what was expected, what stands there, what next. No value of personal data. */
export function problemOf(row: RowSchema, value: unknown, issue: Issue | undefined, at: string): EtlError {
  if (issue === undefined || issue.path.length === 0) {
    return new EtlError('row', `expected a row, got ${kindOf(value)}.`, {
      where: { at },
      hint: `a row is an object with ${names(row.columns)}`,
    })
  }
  const { column, place, found } = follow(row.columns, value, issue.path)
  const where = { at: `${at} › ${place}` }
  if (typeof found === 'number' && Number.isInteger(found) && !Number.isSafeInteger(found) && column.type === 'INT64') {
    return new EtlError('row', `expected integer up to 2^53, got ${isPersonal(column) ? 'a larger one' : found}.`, {
      where,
      hint: 'use bq.int64(): all 64 bits, as a bigint',
    })
  }
  if (found === null || found === undefined) {
    const hint =
      column.mode === 'REPEATED'
        ? 'an array without elements is []'
        : 'filter it in the query, or make the column nullable in the row schema'
    return new EtlError('row', `expected ${expected(column, issue)}, got ${found === null ? 'null' : 'nothing'}.`, {
      where,
      hint,
    })
  }
  if (column.type === 'DATE' && typeof found === 'string' && !isPersonal(column)) {
    const sentence = dateProblem(found)
    if (sentence !== undefined)
      return new EtlError('row', sentence.endsWith('.') || sentence.endsWith('?') ? sentence : `${sentence}.`, {
        where,
        hint: 'correct the source, or read the column as z.string()',
      })
  }
  return new EtlError('row', `expected ${expected(column, issue)}, got ${shown(column, found)}.`, {
    where,
    hint: 'correct the source, or change the row schema',
  })
}

const words: Readonly<Record<Column['type'], string>> = {
  STRING: 'string',
  BYTES: 'bytes (a Uint8Array)',
  INT64: 'integer',
  FLOAT64: 'number',
  BOOL: 'boolean',
  NUMERIC: 'NUMERIC as text (at most 29 digits before the point and 9 after it)',
  BIGNUMERIC: 'BIGNUMERIC as text (at most 38 digits before the point and 38 after it)',
  TIMESTAMP: "timestamp as text, such as '2024-01-31T06:30:00.123456Z'",
  DATE: "date as text, such as '2024-01-31'",
  TIME: "time as text, such as '06:30:00.123456'",
  DATETIME: "datetime as text, such as '2024-01-31T06:30:00.123456'",
  JSON: 'the text of a JSON value',
  GEOGRAPHY: 'a geography as WKT text',
  RECORD: 'record',
}

function expected(column: Column, issue: Issue): string {
  if (column.mode === 'REPEATED') return `array of ${words[column.type]}`
  const rules = column.rules.map(ruleText)
  const type = issue.expected === 'bigint' ? 'bigint' : words[column.type]
  if (column.rules[0]?.kind === 'oneOf') return rules[0] ?? type
  const half =
    column.type === 'STRING' && issue.message.includes('surrogate') ? ' of well-formed Unicode (no half of a surrogate pair)' : ''
  // The author's own sentence can quote the value.
  const isTold = column.notAuditable !== undefined && issue.expected === undefined && !isPersonal(column)
  const because = isTold ? ` (${issue.message})` : ''
  return `${type}${half}${rules.length === 0 ? '' : ` ${rules.join(' and ')}`}${because}`
}

function ruleText(rule: Rule): string {
  switch (rule.kind) {
    case 'oneOf':
      return rule.values.map(value => `'${value}'`).join(' or ')
    case 'min':
      return rule.inclusive ? `of at least ${rule.value}` : `above ${rule.value}`
    case 'max':
      return rule.inclusive ? `of at most ${rule.value}` : `below ${rule.value}`
    case 'multipleOf':
      return `that is a multiple of ${rule.value}`
    case 'minLength':
      return `of at least ${rule.value} characters`
    case 'maxLength':
      return `of at most ${rule.value} characters`
    case 'pattern':
      return `that is ${rule.name}`
  }
}

function follow(
  columns: readonly Column[],
  row: unknown,
  path: readonly PropertyKey[],
): { column: Column; place: string; found: unknown } {
  let column: Column | undefined
  let found: unknown = row
  let place = ''
  let personal: Column['pii']
  for (const part of path) {
    found = (found as Record<PropertyKey, unknown> | null | undefined)?.[part]
    if (typeof part === 'number') {
      place += `[${part}]`
      if (column !== undefined) column = { ...column, mode: 'REQUIRED' }
      continue
    }
    column = (column === undefined ? columns : (column.fields ?? [])).find(each => each.name === part) ?? column
    place += `${place === '' ? '' : '.'}${String(part)}`
    personal ??= column?.pii
  }
  if (column === undefined) throw new EtlError('bug', `no column ${place}`)
  return { column: personal === undefined ? column : { ...column, pii: personal }, place, found }
}

/** The value if it is short and may be shown, else what kind of value it is. */
function shown(column: Column, value: unknown): string {
  if (isPersonal(column)) return `${kindOf(value)} (not shown: the column is marked as personal data)`
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number' || typeof value === 'boolean') return Object.is(value, -0) ? '-0' : `${kindOf(value)} ${value}`
  if (typeof value === 'bigint') return `bigint ${value}`
  return kindOf(value)
}

function text(value: string): string {
  return value.length <= 60 ? JSON.stringify(value) : `${JSON.stringify(`${value.slice(0, 57)}…`)} (${value.length} characters)`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Date) return 'Date'
  return typeof value
}

function names(columns: readonly Column[]): string {
  const known = columns.map(column => column.name)
  return known.length <= 6 ? known.join(', ') : `${known.slice(0, 5).join(', ')} and ${known.length - 5} more`
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BigQuery } from '@google-cloud/bigquery'
import { fieldOf } from '../../src/adapters/bigquery/types.ts'
import type { AnyRow, Column, Value } from '../../src/domain/column.ts'
import { microsOf } from '../../src/domain/micros.ts'
import { load } from '../local/support/client.ts'

/**
 * Rows in the one form in which two of them are equal exactly if BigQuery holds the same values: whole numbers are bigint, and JSON is the value
 * that its text says, numbers to their last digit. The service keeps a JSON's value and not its text (BigQuery: JSON type, 'Canonicalization'):
 * it sorts names, drops spaces and writes numbers its own way.
 */
export function asValues(columns: readonly Column[], rows: readonly object[]): Record<string, unknown>[] {
  return scalars(columns, rows, (column, value) => {
    if (column.type === 'INT64') return BigInt(value as number)
    return column.type === 'JSON' ? jsonValue(String(value)) : value
  })
}

/**
 * What Google's Node client gave, in our types. The client (9.3.0) reads a TIMESTAMP before 1970 that has a fraction a second early or late: such a
 * one counts as the expected one if it lies within a second of it. (The answer itself is right: see the test with UNIX_MICROS.)
 */
export function fromClient(
  columns: readonly Column[],
  rows: readonly object[],
  expected: readonly object[],
): Record<string, unknown>[] {
  const change = (column: Column, value: unknown, wanted: unknown) => {
    if (column.type === 'BYTES') return Uint8Array.from(value as Buffer)
    if (column.type === 'NUMERIC' || column.type === 'BIGNUMERIC') return (value as { toFixed(): string }).toFixed()
    const text = String((value as { value?: unknown }).value)
    if (column.type === 'TIMESTAMP') return isSecondOff(text, String(wanted)) ? wanted : sixDigitsOrNone(text.slice(0, -4), 'Z')
    if (column.type === 'DATETIME' || column.type === 'TIME') return sixDigitsOrNone(text, '')
    return column.type === 'DATE' || column.type === 'GEOGRAPHY' ? text : value
  }
  return scalars(columns, rows, change, expected)
}

function isSecondOff(text: string, wanted: string): boolean {
  const micros = microsOf(wanted)
  return micros < 0n && micros % 1_000_000n !== 0n && Math.abs(Date.parse(text) - Date.parse(wanted)) <= 1000
}

function sixDigitsOrNone(text: string, zone: string): string {
  const [whole, fraction = ''] = text.split('.')
  return /^0*$/.test(fraction) ? `${whole}${zone}` : `${whole}.${fraction.padEnd(6, '0')}${zone}`
}

type Cells = { readonly [name: string]: unknown }

/** Rows with each scalar that is not NULL changed, in records and arrays too; `beside` has other rows of the same form. Other columns are left out. */
function scalars(
  columns: readonly Column[],
  rows: readonly object[],
  change: (column: Column, value: unknown, beside: unknown) => unknown,
  beside: readonly object[] = rows,
): Record<string, unknown>[] {
  const cell = (column: Column, value: unknown, other: unknown): unknown => {
    if (value === null || value === undefined) return value
    if (column.mode === 'REPEATED')
      return (value as unknown[]).map((each, index) => cell({ ...column, mode: 'REQUIRED' }, each, (other as unknown[])?.[index]))
    if (column.type !== 'RECORD') return change(column, value, other)
    return record(column.fields ?? [], value as Cells, other as Cells | undefined)
  }
  const record = (fields: readonly Column[], value: Cells, other: Cells | undefined) =>
    Object.fromEntries(fields.map(column => [column.name, cell(column, value[column.name], other?.[column.name])]))
  return rows.map((row, index) => record(columns, row as Cells, beside[index] as Cells | undefined))
}

function jsonValue(text: string): unknown {
  return parseExact(text, (_, value, { source }) => {
    if (typeof value === 'number') return exact(source ?? String(value))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return new Map(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** 1, 1.0 and 1e0 are one number; of whole ones every digit counts. */
function exact(source: string): bigint | number {
  if (/^-?\d+$/.test(source)) return BigInt(source)
  return Number.isInteger(Number(source)) ? BigInt(Number(source)) : Number(source)
}

/** The third argument of a reviver (TC39: JSON.parse source text access) isn't in TypeScript's library yet. */
const parseExact = JSON.parse as (
  text: string,
  revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown

/** Makes a table by a load job of Google's own client: nothing of what is to be proven is in it. */
export async function loadTable(
  client: BigQuery,
  dataset: string,
  table: string,
  columns: readonly Column[],
  rows: readonly AnyRow[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'etl-rows-'))
  try {
    const path = join(folder, 'rows.json')
    await writeFile(path, rows.map(row => `${loadText(columns, row)}\n`).join(''))
    const options = { sourceFormat: 'NEWLINE_DELIMITED_JSON', schema: { fields: columns.map(fieldOf) } }
    const { status } = await load(client, dataset, table, path, options)
    if (status.errorResult !== undefined) throw new Error(JSON.stringify(status))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A row as a line of JSON, in the words of BigQuery: Loading JSON data, 'Data types'. */
function loadText(columns: readonly Column[], row: AnyRow): string {
  return recordText(columns, row, loadScalar)
}

function loadScalar(column: Column, value: Value): string {
  if (column.type === 'JSON') return String(value)
  return column.type === 'TIMESTAMP' ? JSON.stringify(value) : restScalar(column, value)
}

/** A row as JSON text whose leaves are the texts of the REST API (timestamps as microseconds), its records and arrays plain: for other languages. */
export function restRow(columns: readonly Column[], row: AnyRow): string {
  return recordText(columns, row, restScalar)
}

type Scalar = (column: Column, value: Value) => string

function recordText(columns: readonly Column[], row: AnyRow, scalar: Scalar): string {
  const cells = columns.map(column => `${JSON.stringify(column.name)}:${cellText(column, row[column.name] ?? null, scalar)}`)
  return `{${cells.join(',')}}`
}

function cellText(column: Column, value: Value, scalar: Scalar): string {
  if (value === null) return 'null'
  if (column.mode === 'REPEATED') {
    const cells = (value as readonly Value[]).map(each => cellText({ ...column, mode: 'REQUIRED' }, each, scalar))
    return `[${cells.join(',')}]`
  }
  return column.type === 'RECORD' ? recordText(column.fields ?? [], value as AnyRow, scalar) : scalar(column, value)
}

function restScalar(column: Column, value: Value): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  if (column.type === 'TIMESTAMP') return JSON.stringify(String(microsOf(String(value))))
  return JSON.stringify(Object.is(value, -0) ? '-0.0' : String(value))
}

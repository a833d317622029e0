import type { AnyRow, Column, Value } from '../domain/column.ts'
import type { RowSchema } from '../domain/row.ts'
import { keyText } from '../domain/same.ts'

/**
 * What differs between two sets of rows, for people; undefined if they hold the same rows, in whatever order and as often.
 * Aligned, the key's columns decide the order, so that the two sides of a changed row stand together: `-` is expected only, `+` is got only.
 */
export function difference(row: RowSchema, expected: readonly AnyRow[], got: readonly AnyRow[]): string | undefined {
  const left = counted(row, expected)
  const right = counted(row, got)
  const texts = [...new Set([...left.keys(), ...right.keys()])]
  const lines = texts.flatMap(text => {
    const [missing, extra] = [left.get(text), right.get(text)]
    const both = Math.min(missing?.count ?? 0, extra?.count ?? 0)
    const each = (missing ?? extra)?.row ?? {}
    return [
      ...repeated(' ', each, both),
      ...repeated('-', each, (missing?.count ?? 0) - both),
      ...repeated('+', each, (extra?.count ?? 0) - both),
    ]
  })
  const wrong = lines.filter(line => line.sign !== ' ')
  if (wrong.length === 0) return undefined
  const count = (sign: string) => wrong.filter(line => line.sign === sign).length
  const shown = ordered(row, lines.length <= 60 ? lines : wrong).slice(0, 60)
  const head = `expected ${counting(expected.length)}, got ${got.length}: ${count('-')} missing (-), ${count('+')} too many (+)`
  return [head, ...aligned(row.columns, shown), ...(wrong.length > 60 ? [`  … and ${wrong.length - 60} more`] : [])].join('\n')
}

/** Rows as a table for people, a header line first. */
export function tableText(row: RowSchema, rows: readonly AnyRow[]): string {
  return aligned(
    row.columns,
    rows.flatMap(each => repeated(' ', each, 1)),
  ).join('\n')
}

type Line = { readonly sign: '-' | '+' | ' '; readonly row: AnyRow }

function counted(row: RowSchema, rows: readonly AnyRow[]): Map<string, { row: AnyRow; count: number }> {
  const counts = new Map<string, { row: AnyRow; count: number }>()
  for (const each of rows) {
    const text = keyText(row.columns, each)
    const known = counts.get(text)
    if (known === undefined) counts.set(text, { row: each, count: 1 })
    else known.count++
  }
  return counts
}

function repeated(sign: Line['sign'], row: AnyRow, count: number): Line[] {
  return Array.from({ length: count }, () => ({ sign, row }))
}

function ordered({ columns, key }: RowSchema, lines: readonly Line[]): Line[] {
  const first = columns.filter(column => key.includes(column.name))
  const order = [...first, ...columns.filter(column => !first.includes(column))]
  const place = ({ row, sign }: Line) =>
    [
      ...first.map(column => cell(row[column.name])),
      sign === ' ' ? '0' : sign === '-' ? '1' : '2',
      ...order.map(column => cell(row[column.name])),
    ].join('\u0000')
  return lines
    .map(line => ({ line, place: place(line) }))
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0))
    .map(({ line }) => line)
}

function aligned(columns: readonly Column[], lines: readonly Line[]): string[] {
  const names = columns.map(column => column.name)
  const table = [names, ...lines.map(({ row }) => names.map(name => cell(row[name])))]
  const widths = names.map((_, index) => Math.max(...table.map(cells => (cells[index] ?? '').length)))
  return table.map((cells, index) =>
    `${index === 0 ? ' ' : (lines[index - 1]?.sign ?? ' ')} ${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd(),
  )
}

function cell(value: Value | undefined): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string')
    return value === '' || value === 'null' || /^\s|\s$|\n|\t/.test(value) ? JSON.stringify(value) : value
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'object')
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner))
  return Object.is(value, -0) ? '-0' : String(value)
}

function counting(rows: number): string {
  return rows === 1 ? '1 row' : `${rows} rows`
}

import type { Column, ColumnType } from '../../domain/column.ts'
import { contentDepth, contentMark } from '../../domain/content.ts'
import { quoted } from './types.ts'

/** What the hash of rows is made of: their number and two sums over them. Those of several sets of rows add up to those of all. */
export type Sums = readonly [rows: bigint, first: bigint, second: bigint]

/** The sums of no row. */
export const noSums: Sums = [0n, 0n, 0n]

/** The sums of the rows of a table as BigQuery works them out over a stage of them (src/domain/content.ts), in DuckDB's SQL: three whole numbers. */
export function sumsSql(columns: readonly Column[], table: string): string {
  const row = columns.flatMap(column => piecesOf(column, quoted(column.name))).join(', ')
  const sum = (from: number) => `coalesce(sum(('0x' || substr(h, ${from}, 15))::BIGINT), 0)`
  return `SELECT count(*), ${sum(1)}, ${sum(16)} FROM (SELECT md5(concat(${row})) AS h FROM ${table})`
}

/** Those of both sets of rows together. */
export function added(one: Sums, other: readonly unknown[] = []): Sums {
  const [rows, first, second] = one.map((sum, index) => sum + BigInt(String(other[index]))) as [bigint, bigint, bigint]
  return [rows, first, second]
}

/** The hash that the sums of all rows make. */
export function hashOf(columns: readonly Column[], sums: Sums): string {
  return `${contentMark(columns)}${sums.join('-')}`
}

/** The arguments of concat, which leaves NULL out. */
function piecesOf(column: Column, value: string, depth = 0): readonly string[] {
  if (column.mode === 'REPEATED') {
    const length = [`coalesce(len(${value}), 0)`, "'['"]
    if (depth === contentDepth) return length
    // No column is called so: DuckDB takes a column of the name first, and the parameter only then.
    const element = quoted(`element ${depth}`)
    const one = piecesOf({ ...column, mode: 'NULLABLE' }, element, depth + 1).join(', ')
    return [...length, `array_to_string(list_transform(${value}, lambda ${element}: concat(${one})), '')`]
  }
  if (column.type === 'RECORD') {
    const fields = (column.fields ?? []).flatMap(field => piecesOf(field, `${value}.${quoted(field.name)}`, depth))
    return [`CASE WHEN ${value} IS NULL THEN 'n' ELSE '{' END`, ...fields]
  }
  const text = scalarText(column.type, value)
  return text === undefined ? [`coalesce(strlen(${value})::VARCHAR, 'n')`, "':'", value] : [`coalesce(${text}, 'n')`, "';'"]
}

/** NULL for NULL; undefined for what is text already. */
function scalarText(type: Exclude<ColumnType, 'RECORD'>, value: string): string | undefined {
  switch (type) {
    case 'INT64':
    case 'BOOL':
    case 'DATE':
      return `${value}::VARCHAR`
    case 'NUMERIC':
      return `rtrim(rtrim(${value}::VARCHAR, '0'), '.')`
    case 'FLOAT64':
      return `CASE WHEN ${value} = 0 THEN '0' WHEN isnan(${value}) THEN 'nan' ELSE printf('%.17g', ${value}) END`
    case 'TIMESTAMP':
      return `epoch_us(${value})::VARCHAR`
    case 'DATETIME':
      return `strftime(${value}, '%Y-%m-%d %H:%M:%S.%f')`
    case 'TIME':
      return `strftime(DATE '1970-01-01' + ${value}, '%H:%M:%S.%f')`
    case 'BYTES':
      return `lower(hex(${value}))`
    case 'GEOGRAPHY':
      return `CASE WHEN ${value} IS NOT NULL THEN 'g' END`
    default:
      return undefined
  }
}

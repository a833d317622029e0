import type { Column, ColumnType } from './column.ts'
import { literal } from './literal.ts'
import type { TableRef } from './source.ts'

/**
 * SQL: a query of one value, the hash of what lies in a stage: the same for the same rows in any order, another for any other value, and for a row that
 * is missing or stands twice. Of each row a text that says one thing only is made, its MD5 is cut into two numbers of 60 bits, and both are added up over
 * the rows (XOR would lose a row that stands twice). The spool makes the same of the rows that it sends (src/adapters/duckdb/content.ts). `where` leaves
 * rows out. The text: `2-<rows>-<sum>-<sum>`; 'p' behind the 2 where `isWhole` is not true of the columns.
 */
export function contentSql(columns: readonly Column[], stage: TableRef, where?: string): string {
  const table = literal.from(
    stage,
    columns.map(column => column.name),
  )
  const row = columns.map(column => textOf(column, literal.name(column.name), 0)).join(', ')
  const sum = (from: number) =>
    `CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, ${from}, 15)) AS INT64) AS NUMERIC)), 0) AS STRING)`
  const mark = literal.string(contentMark(columns))
  const rows = `SELECT TO_HEX(MD5(CONCAT(${row}))) AS h FROM ${table}${where === undefined ? '' : ` WHERE ${where}`}`
  return `SELECT CONCAT(${mark}, CAST(COUNT(*) AS STRING), '-', ${sum(1)}, '-', ${sum(16)}) FROM (${rows})`
}

/** What a hash of these columns begins with: the definition's number, and whether it covers all of them. */
export function contentMark(columns: readonly Column[]): string {
  return columns.some(hasPlace) ? '2p-' : '2-'
}

/**
 * Do equal hashes mean equal contents? Not where there is a GEOGRAPHY: BigQuery makes its own text of it (it moves points to a grid and turns polygons
 * round), so that only whether there is one is in the hash.
 */
export function isWhole(contentHash: string): boolean {
  return !contentHash.startsWith('2p-')
}

function hasPlace({ type, fields = [] }: Column): boolean {
  return type === 'GEOGRAPHY' || fields.some(hasPlace)
}

/** Texts carry their length, arrays their number of elements, all else ends in `;`: no two rows run into the same text. NULL is `n;`. */
function textOf(column: Column, value: string, depth: number): string {
  if (column.mode === 'REPEATED') {
    const [element, place] = [`e${depth}`, `o${depth}`]
    const one = textOf({ ...column, mode: 'NULLABLE' }, element, depth + 1)
    const all = `ARRAY(SELECT ${one} FROM UNNEST(${value}) AS ${element} WITH OFFSET AS ${place} ORDER BY ${place})`
    return `CONCAT(CAST(ARRAY_LENGTH(${value}) AS STRING), '[', ARRAY_TO_STRING(${all}, ''), ']')`
  }
  if (column.type !== 'RECORD') return `IFNULL(CONCAT(${scalarText(column.type, value)}), 'n;')`
  const fields = (column.fields ?? []).map(field => textOf(field, `${value}.${literal.name(field.name)}`, depth))
  return `IF(${value} IS NULL, 'n;', CONCAT('{', ${fields.join(', ')}, '}'))`
}

/** Only functions whose text is the same everywhere: numbers of microseconds, not a time's digits; -0 is 0, as BigQuery's CAST has it. */
function scalarText(type: Exclude<ColumnType, 'RECORD'>, value: string): string {
  switch (type) {
    case 'INT64':
    case 'BOOL':
    case 'NUMERIC':
    case 'DATE':
      return `CAST(${value} AS STRING), ';'`
    case 'FLOAT64':
      return `IF(${value} = 0, '0', FORMAT('%.17g', ${value})), ';'`
    case 'TIMESTAMP':
      return `CAST(UNIX_MICROS(${value}) AS STRING), ';'`
    case 'DATETIME':
      return `CAST(UNIX_MICROS(TIMESTAMP(${value}, 'UTC')) AS STRING), ';'`
    case 'TIME':
      return `CAST(UNIX_MICROS(TIMESTAMP(DATETIME(${literal.date('1970-01-01')}, ${value}), 'UTC')) AS STRING), ';'`
    case 'BYTES':
      return `TO_HEX(${value}), ';'`
    case 'GEOGRAPHY':
      return `IF(${value} IS NULL, NULL, 'g;')`
    default:
      return `CAST(BYTE_LENGTH(${value}) AS STRING), ':', ${value}`
  }
}

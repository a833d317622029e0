import type { Column, ColumnType } from './column.ts'
import { literal } from './literal.ts'
import type { TableRef } from './source.ts'

/**
 * SQL: a query of one value, the hash of what lies in a stage: the same for the same rows in any order, another for any other value, and for a row that
 * is missing or stands twice. Of each row a text that says one thing only is made, its MD5 is cut into two numbers of 60 bits, and both are added up over
 * the rows (XOR would lose a row that stands twice). The spool makes the same of the rows that it sends (src/adapters/parquet/lines.ts, and src/adapters/duckdb/content.ts where there is a record). `where` leaves
 * rows out. The text: `2-<rows>-<sum>-<sum>`; a 'p' behind the 2 where `isWhole` is not true.
 */
export function contentSql(columns: readonly Column[], stage: TableRef, where?: string): string {
  const table = literal.from(
    stage,
    columns.map(column => column.name),
  )
  const row = columns.flatMap(column => piecesOf(column, literal.name(column.name))).join(', ')
  const sum = (from: number) =>
    `CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, ${from}, 15)) AS INT64) AS NUMERIC)), 0) AS STRING)`
  const mark = literal.string(contentMark(columns))
  const rows = `SELECT TO_HEX(MD5(CONCAT(${row}))) AS h FROM ${table}${where === undefined ? '' : ` WHERE ${where}`}`
  return `SELECT CONCAT(${mark}, CAST(COUNT(*) AS STRING), '-', ${sum(1)}, '-', ${sum(16)}) FROM (${rows})`
}

/**
 * Arrays in arrays: of deeper ones only the number of elements is in the hash. Each takes a query in a query, and parsers end somewhere (Google's own, as
 * a server, at a hundred levels of its answer's tree).
 */
export const contentDepth = 2

/** What a hash of these columns begins with: the definition's number, and whether it covers all of them. */
export function contentMark(columns: readonly Column[]): string {
  return columns.every(column => isCovered(column)) ? '2-' : '2p-'
}

/**
 * Do equal hashes mean equal contents? Not where there is a GEOGRAPHY: BigQuery makes its own text of it (it moves points to a grid and turns polygons
 * round), so that only whether there is one is in the hash; nor where arrays lie too deep in each other.
 */
export function isWhole(contentHash: string): boolean {
  return !contentHash.startsWith('2p-')
}

function isCovered({ type, mode, fields = [] }: Column, depth = 0): boolean {
  const inner = mode === 'REPEATED' ? depth + 1 : depth
  return type !== 'GEOGRAPHY' && inner <= contentDepth && fields.every(field => isCovered(field, inner))
}

/**
 * The arguments of a CONCAT, none of which is ever NULL. Texts carry their length and arrays their number of elements, all else ends in `;`, and a record
 * has so many fields: no two rows run into the same text. A list and not a text, so that records nest no calls.
 */
function piecesOf(column: Column, value: string, depth = 0): readonly string[] {
  if (column.mode === 'REPEATED') {
    // In a record that is NULL an array is NULL, or has no elements.
    const length = [`IFNULL(CAST(ARRAY_LENGTH(${value}) AS STRING), '0')`, "'['"]
    if (depth === contentDepth) return length
    const [element, place] = [`e${depth}`, `o${depth}`]
    const one = piecesOf({ ...column, mode: 'NULLABLE' }, element, depth + 1).join(', ')
    const all = `ARRAY(SELECT CONCAT(${one}) FROM UNNEST(${value}) AS ${element} WITH OFFSET AS ${place} ORDER BY ${place})`
    return [...length, `IFNULL(ARRAY_TO_STRING(${all}, ''), '')`]
  }
  if (column.type === 'RECORD') {
    const fields = (column.fields ?? []).flatMap(field => piecesOf(field, `${value}.${literal.name(field.name)}`, depth))
    return [`IF(${value} IS NULL, 'n', '{')`, ...fields]
  }
  const text = scalarText(column.type, value)
  return text === undefined
    ? [`IFNULL(CAST(BYTE_LENGTH(${value}) AS STRING), 'n')`, "':'", `IFNULL(${value}, '')`]
    : [`IFNULL(${text}, 'n')`, "';'"]
}

/**
 * NULL for NULL; undefined for what is text already. Only functions whose text is the same everywhere: whole seconds and six digits, all 17 digits of a
 * double. -0 is 0, as for every comparison.
 */
function scalarText(type: Exclude<ColumnType, 'RECORD'>, value: string): string | undefined {
  switch (type) {
    case 'INT64':
    case 'BOOL':
    case 'NUMERIC':
    case 'DATE':
      return `CAST(${value} AS STRING)`
    case 'FLOAT64':
      return `IF(${value} = 0, '0', FORMAT('%.17g', ${value}))`
    case 'TIMESTAMP':
      return `CAST(UNIX_MICROS(${value}) AS STRING)`
    case 'DATETIME':
      return `FORMAT_DATETIME('%E4Y-%m-%d %H:%M:%E6S', ${value})`
    case 'TIME':
      return `FORMAT_TIME('%H:%M:%E6S', ${value})`
    case 'BYTES':
      return `TO_HEX(${value})`
    case 'GEOGRAPHY':
      return `IF(${value} IS NULL, NULL, 'g')`
    default:
      return undefined
  }
}

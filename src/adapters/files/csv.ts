import type { AnyRow, Column, Value } from '../../domain/column.ts'
import { EtlError, nearest } from '../../domain/error.ts'
import { isPersonal } from '../../domain/personal.ts'
import { fieldReader, Unfit } from './convert.ts'
import { pageRows } from './format.ts'
import { CsvFault, type CsvRecord, parseCsv } from './parse.ts'
import { textOf } from './text.ts'

/**
 * All rows of a CSV file with a header: the named columns only, each by its column's type; columns that are not asked for are ignored.
 * @throws EtlError `notFound` with similar names, `schema` for a missing column, `row` with file, row and column; the line too where it differs.
 */
export async function readCsv(path: string, columns: readonly Column[]): Promise<AnyRow[]> {
  const rows: AnyRow[] = []
  for await (const page of csvPages('', path, columns, columns)) for (const row of page) rows.push(row)
  return rows
}

/** `known` is every column of the row schema, `columns` those that are read. */
export async function* csvPages(
  root: string,
  path: string,
  columns: readonly Column[],
  known: readonly Column[],
): AsyncGenerator<readonly AnyRow[]> {
  let page: AnyRow[] = []
  let decode: ((record: CsvRecord, row: number) => AnyRow) | undefined
  let row = 0
  try {
    for await (const record of parseCsv(textOf(root, path))) {
      if (decode === undefined) {
        decode = decoder(path, record, columns, known)
        continue
      }
      row += 1
      page.push(decode(record, row))
      if (page.length === pageRows) {
        yield page
        page = []
      }
    }
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error
    throw new EtlError('row', `${path} › line ${error.line}: ${error.message}.`)
  }
  if (decode === undefined) throw new EtlError('schema', `${path} is empty.`, { hint: 'the first line names the columns' })
  yield page
}

function decoder(
  path: string,
  header: CsvRecord,
  columns: readonly Column[],
  known: readonly Column[],
): (record: CsvRecord, row: number) => AnyRow {
  const names = header.cells.map(cell => cell.text.trim())
  const places = columns.map(column => place(path, names, column, known))
  refuseTwice(path, names, known)
  const readers = columns.map(fieldReader)
  return (record, row) => {
    const line = record.line === row + header.line ? '' : ` (line ${record.line})`
    if (record.cells.length !== names.length) {
      const fields = record.cells.length === 1 ? '1 field' : `${record.cells.length} fields`
      throw new EtlError('row', `${path} › row ${row}${line}: ${fields}, the header has ${names.length}.`, {
        hint: 'put a field with a comma in quotes',
      })
    }
    const values: Record<string, Value> = {}
    for (const [index, column] of columns.entries()) {
      try {
        values[column.name] = readers[index]?.(record.cells[places[index] ?? 0] ?? { text: '', quoted: false }) ?? null
      } catch (error) {
        if (!(error instanceof Unfit)) throw error
        const problem = !isPersonal(column)
          ? error.message
          : `expected ${error.expected}; the value is personal data and not shown`
        throw new EtlError('row', `${path} › row ${row}${line} › ${column.name}: ${problem}${/[.?]$/.test(problem) ? '' : '.'}`)
      }
    }
    return values
  }
}

function place(path: string, names: readonly string[], column: Column, known: readonly Column[]): number {
  const found = names.findIndex(name => name.toLowerCase() === column.name.toLowerCase())
  if (found >= 0) return found
  if (names.length === 1 && names[0]?.includes(';')) {
    throw new EtlError('schema', `${path} has no column ${column.name}: its first line is one field with semicolons in it.`, {
      hint: 'columns are separated by commas here: save it so',
    })
  }
  if (known.some(isPersonal)) {
    // Without a header line, the first line is a row: a guess would show its values too.
    throw new EtlError('schema', `${path} has no column ${column.name}.`, {
      hint: `there are ${names.length} columns; their names are not shown, since without a header line they would be personal data: does the first line name the columns?`,
    })
  }
  const guess = nearest(column.name, names)
  throw new EtlError('schema', `${path} has no column ${column.name}.`, {
    hint: `${guess === undefined ? '' : `did you mean ${guess}? `}the columns there are: ${names.join(', ')}`,
  })
}

// Which of the two is meant, nobody could say. Fields without a name, as a spreadsheet leaves behind the last column, are nobody's.
function refuseTwice(path: string, names: readonly string[], known: readonly Column[]): void {
  const lower = names.map(name => name.toLowerCase())
  const twice = names.find((name, index) => name !== '' && lower.indexOf(name.toLowerCase()) < index)
  if (twice === undefined) return
  const which = known.some(isPersonal) ? 'two columns of one name' : `the column ${twice} twice`
  throw new EtlError('schema', `${path} has ${which} in its first line.`, { hint: 'give each column a name of its own' })
}

/** The names in a file's first line. */
export async function headerOf(root: string, path: string): Promise<readonly string[]> {
  for await (const record of parseCsv(textOf(root, path))) return record.cells.map(cell => cell.text.trim())
  return []
}

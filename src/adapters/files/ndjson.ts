import type { AnyRow, Column, Value } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { isPersonal } from '../../domain/personal.ts'
import { jsonReader, parseJson, Unfit } from './convert.ts'
import { pageRows } from './format.ts'
import { CsvFault } from './parse.ts'
import { textOf } from './text.ts'

/** The rows of a file that has one JSON object a line; numbers keep their digits. Keys that nobody reads are ignored, absent ones are null. */
export async function* jsonPages(
  root: string,
  path: string,
  columns: readonly Column[],
  known: readonly Column[],
): AsyncGenerator<readonly AnyRow[]> {
  const decode = objectReader(path, columns, known)
  let page: AnyRow[] = []
  let row = 0
  for await (const { line, text } of lines(root, path)) {
    row += 1
    page.push(decode(text, `row ${row}${line === row ? '' : ` (line ${line})`}`))
    if (page.length === pageRows) {
      yield page
      page = []
    }
  }
  yield page
}

/** The keys of the first row. */
export async function jsonKeys(root: string, path: string): Promise<readonly string[]> {
  for await (const { text } of lines(root, path)) {
    const value = objectOf(text)
    return value === undefined ? [] : Object.keys(value)
  }
  return []
}

/** Compiles what reads one row's text; `at` says which row, for sentences. */
export function objectReader(
  path: string,
  columns: readonly Column[],
  known: readonly Column[],
): (text: string, at: string) => AnyRow {
  const readers = columns.map(column => ({ column, read: jsonReader(column) }))
  const personal = known.some(isPersonal)
  return (text, at) => {
    const value = objectOf(text)
    if (value === undefined) {
      const shown = personal ? '' : `: ${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)}`
      throw new EtlError('row', `${path} › ${at}: a line must be one JSON object${shown}.`, {
        hint: 'NDJSON: no array around the rows, no comma between them',
      })
    }
    const values: Record<string, Value> = {}
    for (const { column, read } of readers) {
      try {
        values[column.name] = read(value[column.name])
      } catch (error) {
        if (!(error instanceof Unfit)) throw error
        const problem = isPersonal(column)
          ? `expected ${error.expected}; the value is personal data and not shown`
          : error.message
        throw new EtlError('row', `${path} › ${at} › ${column.name}: ${problem}${/[.?]$/.test(problem) ? '' : '.'}`)
      }
    }
    return values
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(text)
    return value?.constructor === Object ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof Unfit) return undefined
    throw error
  }
}

/** The lines that have text, with their numbers. */
async function* lines(root: string, path: string): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  let line = 0
  try {
    for await (const piece of textOf(root, path)) {
      // A piece ends with a line, but for the last one of a file.
      const parts = (line === 0 && piece.startsWith('\ufeff') ? piece.slice(1) : piece).split('\n')
      if (parts.at(-1) === '') parts.pop()
      for (const part of parts) {
        line += 1
        const text = part.trim()
        if (text !== '') yield { line, text }
      }
    }
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error
    throw new EtlError('row', `${path} › line ${error.line}: ${error.message.replace(/ \(a spreadsheet.*/, '')}.`)
  }
}

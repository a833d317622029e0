import type { AnyRow, Column, Value } from '../../domain/column.ts'
import { nameIn } from '../../domain/env.ts'
import { EtlError } from '../../domain/error.ts'
import type { FileSource } from '../../domain/source.ts'
import type { Reader } from '../../ports/reader.ts'
import { csvPages, headerOf } from './csv.ts'
import type { Format } from './format.ts'
import { jsonKeys, jsonPages } from './ndjson.ts'
import { parquetColumns, parquetPages } from './parquet.ts'

const formats: Readonly<Record<FileSource['format'], Format>> = {
  csv: { pages: csvPages, columns: async (root, path) => (await headerOf(root, path)).map(name => ({ name })) },
  ndjson: { pages: jsonPages, columns: async (root, path) => (await jsonKeys(root, path)).map(name => ({ name })) },
  parquet: { pages: parquetPages, columns: parquetColumns },
}

/** Reads the project's files. `root` is the project's folder; `environment` chooses in `env({ … })`. */
export function createFileReader(options: { readonly root: string; readonly environment: string }): Reader<FileSource> {
  const pathOf = (source: FileSource) => nameIn(source.path, options.environment)
  const open = (source: FileSource, columns: readonly Column[]) =>
    formats[source.format].pages(options.root, pathOf(source), columns, source.row.columns)
  return {
    async facts(source) {
      const path = pathOf(source)
      let rows = 0
      for await (const page of open(source, source.row.columns)) rows += page.length
      return { name: path, columns: await formats[source.format].columns(options.root, path), rows }
    },
    async dates(source, column, upTo) {
      const found = new Set<string>()
      const sliced = source.row.columns.filter(candidate => candidate.name === column)
      let row = 0
      for await (const page of open(source, sliced)) {
        for (const { [column]: date } of page) {
          row += 1
          if (typeof date === 'string') found.add(date)
          else if (sliced[0]?.mode === 'REQUIRED')
            throw new EtlError('row', `${pathOf(source)} › row ${row} › ${column}: expected a date, got nothing.`)
        }
      }
      return [...found].filter(date => date <= upTo).sort()
    },
    async *read(source, { columns, slices }, signal) {
      if (slices === null) {
        for await (const page of open(source, columns)) {
          if (signal.aborted) return
          yield page
        }
        return
      }
      // A file is in no order, so its slices are put together first: files of a project are small.
      const wanted = new Map<Value, AnyRow[]>([...slices.dates].sort().map(date => [date, []]))
      for await (const page of open(source, columns)) {
        if (signal.aborted) return
        for (const row of page) wanted.get(row[slices.column] ?? null)?.push(row)
      }
      for (const rows of wanted.values()) if (rows.length > 0) yield rows
    },
    text: (source, { slices }) =>
      `the rows of ${pathOf(source)}${slices === null ? '' : ` whose ${slices.column} is one of ${slices.dates.length} dates (${slices.dates[0]} to ${slices.dates.at(-1)})`}`,
  }
}

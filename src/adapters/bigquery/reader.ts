import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import { typeText } from '../../domain/shape.ts'
import { bytesAllowed, type QuerySource, type TableSource, tableName } from '../../domain/source.ts'
import type { Reader, ReadRequest } from '../../ports/reader.ts'
import type { Api } from './api.ts'
import { datesOf } from './dates.ts'
import type { Jobs } from './jobs.ts'
import { checkLocation } from './location.ts'
import { modified, pastOf } from './modified.ts'
import { pinned } from './pinned.ts'
import { worthRows } from './storage.ts'
import { type Reading, streamed } from './stream.ts'
import { columnsText, findTable, missingTable, schemaProblems } from './tables.ts'
import { type Names, readText, sourceRef } from './text.ts'
import { columnOfField } from './types.ts'

/** How a source that is declared large is read, for `plan`. */
export const largeWay = `declared large: by the Storage Read API if ${worthRows.toLocaleString('en')} rows or more come, by pages of the REST API where that is denied`

/** Reads tables and views by query jobs and their answers. */
export function createReader(api: Api, jobs: Jobs, names: Names): Reader<TableSource> {
  /** The table, checked against the row schema. */
  const checked = async (source: TableSource) => {
    const ref = sourceRef(names, source)
    const table = await findTable(api, ref)
    if (table === undefined) throw await missingTable(api, ref)
    checkLocation(api, `the source ${tableName(ref)}`, table.location)
    const fields = table.schema?.fields ?? []
    const problems = schemaProblems(source.row.columns, fields)
    if (problems.length === 0) return { ref, table, fields }
    throw new EtlError('schema', `${tableName(ref)}: ${problems.join('; ')}.`, {
      hint: `the columns there are: ${columnsText(fields)}`,
    })
  }
  return {
    async facts(source) {
      const { ref, table, fields } = await checked(source)
      return {
        name: tableName(ref),
        columns: fields.map(columnOfField).map(column => ({ name: column.name, type: typeText(column) })),
        rows: table.numRows === undefined || table.type === 'VIEW' ? null : Number(table.numRows),
        past: pastOf(table),
        ...(source.large ? { way: largeWay } : {}),
      }
    },
    async dates(source, column, upTo, signal) {
      const { ref, table } = await checked(source)
      // Without a filter, unless the table demands one: rows without a date are to be seen.
      const filter = table.requirePartitionFilter ? ` WHERE ${literal.name(column)} <= ${literal.date(upTo)}` : ''
      const dated = {
        from: literal.from(ref, [column]),
        what: `the dates of ${tableName(ref)}`,
        filter,
        source,
      }
      return datesOf(api, dated, column, upTo, signal)
    },
    modified: async (source, column, signal) => modified(api, await checked(source), column, signal),
    read: (source, request, signal, told) =>
      pinned(request, (asked, way) => streamed(api, jobs, readingOf(names, source, asked, 'read'), signal, way), told),
    text: (source, request) => readText(names, source, request),
  }
}

/** The read of a table or of an author's query, as a query. */
export function readingOf(names: Names, source: TableSource | QuerySource, request: ReadRequest, name: string): Reading {
  const ref = source.kind === 'table' ? sourceRef(names, source) : undefined
  return {
    sql: readText(names, source, request),
    name: `etl-${name}-${ref?.table ?? 'query'}`,
    what: `reading ${ref === undefined ? 'the query' : tableName(ref)}`,
    columns: request.columns,
    ordered: request.slices !== null,
    large: source.large,
    maxBytes: bytesAllowed([source]),
  }
}

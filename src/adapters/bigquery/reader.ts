import type { AnyRow, Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import { typeText } from '../../domain/shape.ts'
import { type TableSource, tableName } from '../../domain/source.ts'
import type { Reader, ReadRequest } from '../../ports/reader.ts'
import type { Api } from './api.ts'
import { decoder, type RawRow } from './decode.ts'
import type { Job, Jobs } from './jobs.ts'
import { checkLocation } from './location.ts'
import { modified } from './modified.ts'
import { ask, queryConfiguration } from './query.ts'
import { rawPages } from './rows.ts'
import { columnsText, findTable, missingTable, schemaProblems } from './tables.ts'
import { type Names, readText, sourceRef } from './text.ts'
import { columnOfField } from './types.ts'

/** Reads tables and views by query jobs and their paged answers. */
export function createReader(api: Api, jobs: Jobs, names: Names): Reader<TableSource> {
  const jobName = (what: string, source: TableSource) => `etl-${what}-${sourceRef(names, source).table}`
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
      }
    },
    async dates(source, column, upTo, signal) {
      const { ref, table } = await checked(source)
      const name = literal.name(column)
      const what = `the dates of ${tableName(ref)}`
      // Without a filter, unless the table demands one: rows without a date are to be seen.
      const filter = table.requirePartitionFilter ? ` WHERE ${name} <= ${literal.date(upTo)}` : ''
      const query = `SELECT DISTINCT ${name} FROM ${literal.from(ref, [column])}${filter} ORDER BY ${name}`
      const answer = await ask(api, query, what, [], signal)
      const dates = answer.rows.map(row => row[column] as string | null)
      const required = source.row.columns.find(candidate => candidate.name === column)?.mode === 'REQUIRED'
      if (required && dates.includes(null)) {
        throw new EtlError('row', `${what}: column ${column} holds NULL, the row schema says it is required.`, {
          hint: 'a row without a date belongs to no slice: filter it in a view, or have it corrected at the source',
        })
      }
      return dates.filter((date): date is string => date !== null && date <= upTo)
    },
    modified: async (source, column, signal) => modified(api, await checked(source), column, signal),
    async *read(source, request, signal) {
      const decode = decoder(request.columns)
      for await (const page of scan(api, jobs, names, source, request, jobName('read', source), signal))
        yield decodedPage(page, decode, request.columns)
    },
    text: (source, request) => readText(names, source, request),
  }
}

/** The pages of a read as they come, nothing decoded: what a read costs at least. Ends soon after `signal` aborts, also while the query runs. */
export async function* scan(
  api: Api,
  jobs: Jobs,
  names: Names,
  source: TableSource,
  request: ReadRequest,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RawRow[]> {
  const what = `reading ${tableName(sourceRef(names, source))}`
  let job: Job
  try {
    job = await jobs.run(name, queryConfiguration(readText(names, source, request)), what, signal)
  } catch (error) {
    if (signal.aborted) return
    throw error
  }
  if (signal.aborted) return
  yield* rawPages(api, job.jobReference.jobId, what, signal)
}

function decodedPage(page: readonly RawRow[], decode: (row: RawRow) => AnyRow, columns: readonly Column[]): readonly AnyRow[] {
  try {
    return page.map(decode)
  } catch (cause) {
    throw new EtlError('bug', `BigQuery's answer does not have the columns ${columns.map(column => column.name).join(', ')}.`, {
      cause,
    })
  }
}

import { EtlError } from '../../domain/error.ts'
import { typeText } from '../../domain/shape.ts'
import { type QuerySource, type TableRef, tableName } from '../../domain/source.ts'
import type { Reader } from '../../ports/reader.ts'
import { type Api, failed } from './api.ts'
import { datesOf } from './dates.ts'
import { checkQuery } from './dryrun.ts'
import { failureOf } from './errors.ts'
import type { Jobs } from './jobs.ts'
import { largeWay, readingOf } from './reader.ts'
import { streamed } from './stream.ts'
import { columnsText, schemaProblems } from './tables.ts'
import { authorsText, fromSource, type Names, readText } from './text.ts'
import { columnOfField, type Field } from './types.ts'

/** Reads the answers of an author's queries: each read puts the query into one of its own, which names the columns and bounds the slices. */
export function createQueryReader(api: Api, jobs: Jobs, names: Names): Reader<QuerySource> {
  return {
    async facts(source) {
      const { fields, tables } = await checked(api, authorsText(source.query))
      const problems = schemaProblems(source.row.columns, fields)
      if (problems.length > 0)
        throw new EtlError('schema', `${what}: ${problems.join('; ')}.`, {
          hint: `the columns it gives are: ${columnsText(fields)}`,
        })
      return {
        name: tables.length === 0 ? 'a query' : `a query of ${tables.map(tableName).join(', ')}`,
        columns: fields.map(columnOfField).map(column => ({ name: column.name, type: typeText(column) })),
        rows: null,
        ...(source.large ? { way: largeWay } : {}),
      }
    },
    dates: (source, column, upTo, signal) =>
      datesOf(api, { from: fromSource(names, source, []), what: `the dates of ${what}`, source }, column, upTo, signal),
    read: (source, request, signal, told) => streamed(api, jobs, readingOf(names, source, request, 'read'), signal, told),
    text: (source, request) => readText(names, source, request),
  }
}

const what = 'the query'

/** What a query gives and reads, by a dry run of its own text: columns need names, each its own, and it must be one SELECT. */
async function checked(api: Api, sql: string): Promise<{ fields: readonly Field[]; tables: readonly TableRef[] }> {
  try {
    const { statement, fields, tables } = await checkQuery(api, sql)
    if (statement !== 'SELECT')
      throw new EtlError('schema', `${what} is no single SELECT but ${statement ?? 'something else'}.`, {
        hint: 'a source only reads: give it one SELECT, with WITH in front where it has parts',
      })
    // BigQuery calls a column without a name f0_, f1_, …: by its number among those.
    const nameless = fields.findIndex(field => /^f\d+_$/.test(field.name))
    if (nameless >= 0)
      throw new EtlError('schema', `${what}: column ${nameless + 1} has no name.`, { hint: 'give it one: … AS name' })
    return { fields, tables }
  } catch (error) {
    const twice = /^Duplicate column names in the result are not supported\. Found duplicate\(s\): ([\w, ]+)/.exec(
      error instanceof EtlError ? '' : failureOf(error).text,
    )
    if (twice === null) throw failed(api, error, what)
    throw new EtlError('schema', `${what} returns the column ${twice[1]} twice.`, {
      hint: 'name each column once: … AS another_name, or name the columns instead of *',
      cause: error,
    })
  }
}

import type { AnyRow } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { pgLiteral } from '../../domain/pg.ts'
import { pgTimes, windowOf, windowSql } from '../../domain/pg-window.ts'
import type { ExternalSource } from '../../domain/source.ts'
import type { Reader } from '../../ports/reader.ts'
import type { Api } from './api.ts'
import { decoder } from './decode.ts'
import { externalError, refusesParameter } from './external-errors.ts'
import { connectionName, connectionRef, externalCall, externalRead, type Statement } from './external-text.ts'
import { checkTypes, typesSql } from './external-types.ts'
import type { Jobs } from './jobs.ts'
import { checkLocation } from './location.ts'
import { ask, queryConfiguration } from './query.ts'
import { rawPages } from './rows.ts'
import type { Names } from './text.ts'

/** Reads a Postgres through BigQuery's EXTERNAL_QUERY. Each call is one statement there, and sees one snapshot. */
export function createExternalReader(api: Api, jobs: Jobs, names: Names): Reader<ExternalSource> {
  const nameOf = (source: ExternalSource) => `connection ${connectionName(connectionRef(names, source))}`
  let travels: 'parameter' | 'literal' = 'parameter'
  /** Sends a statement whose inner SQL is a parameter; where the service takes none there, now and from then on as a literal. */
  const sent = async <T>(
    statement: (as: typeof travels) => Statement,
    work: (statement: Statement) => Promise<T>,
  ): Promise<T> => {
    try {
      return await work(statement(travels))
    } catch (error) {
      if (travels === 'literal' || !refusesParameter(error)) throw error
      travels = 'literal'
      return work(statement(travels))
    }
  }
  /** The rows of one inner statement, for small answers. `planned`: it executes nothing of the author's query. */
  const asked = async (source: ExternalSource, inner: string, what: string, planned: boolean, signal?: AbortSignal) => {
    const ref = connectionRef(names, source)
    checkLocation(api, `the ${nameOf(source)}`, ref.location)
    try {
      const answer = await sent(
        as => externalCall(names, source, inner, as),
        ({ sql, parameters }) => ask(api, `SELECT * FROM ${sql}`, what, parameters, signal),
      )
      return answer.rows
    } catch (error) {
      throw externalError(error, ref, what, { planned, local: api.local })
    }
  }
  return {
    async facts(source) {
      const { columns } = source.row
      const name = nameOf(source)
      const [types] = await asked(source, typesSql(source.query, columns), name, true)
      const found = columns.map((_, index) => String(types?.[`t${index}`] ?? ''))
      return { name, columns: checkTypes(source, found, name), rows: null }
    },
    async dates(source, column, upTo, signal) {
      const what = `the dates of the ${nameOf(source)}`
      const quoted = pgLiteral.name(column)
      const inner = `SELECT DISTINCT ${quoted} FROM (\n${source.query.text}\n) AS q`
      const rows = await asked(source, inner, what, false, signal)
      const dates = rows.map(row => row[column] as string | null)
      const required = source.row.columns.find(each => each.name === column)?.mode === 'REQUIRED'
      if (required && dates.includes(null)) {
        throw new EtlError('row', `${what}: column ${column} holds NULL, the row schema says it is required.`, {
          hint: 'a row without a date belongs to no slice: leave it out in the query, or have it corrected at the source',
        })
      }
      return dates.filter((date): date is string => date !== null && date <= upTo).sort()
    },
    async *read(source, request, signal) {
      const ref = connectionRef(names, source)
      const what = `reading the ${nameOf(source)}`
      const decode = decoder(request.columns)
      try {
        const job = await sent(
          as => externalRead(names, source, request, as),
          ({ sql, parameters }) => jobs.run(`etl-read-${ref.id}`, queryConfiguration(sql, parameters), what, signal),
        )
        if (signal.aborted) return
        for await (const page of rawPages(api, job.jobReference.jobId, what, signal)) yield page.map(decode) as readonly AnyRow[]
      } catch (error) {
        if (signal.aborted) return
        throw externalError(error, ref, what, { local: api.local })
      }
    },
    async window(source, mark, signal) {
      const [row] = await asked(source, windowSql(source), `the changes of the ${nameOf(source)}`, false, signal)
      return windowOf(source, mark, pgTimes(row ?? {}))
    },
    text: (source, request) => externalRead(names, source, request, 'literal').sql,
  }
}

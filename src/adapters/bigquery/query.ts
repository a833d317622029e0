import { EtlError } from '../../domain/error.ts'
import type { Answer } from '../../domain/run.ts'
import { type Api, failed } from './api.ts'
import { decoder } from './decode.ts'
import type { Configuration, Jobs } from './jobs.ts'
import type { Parameter } from './publish.ts'
import { allRows } from './rows.ts'
import { columnOfField } from './types.ts'

/** `configuration` of a query job; parameters are named and typed. */
export function queryConfiguration(sql: string, parameters: readonly Parameter[] = []): Configuration {
  return {
    query: {
      query: sql,
      useLegacySql: false,
      ...(parameters.length === 0 ? {} : { parameterMode: 'NAMED', queryParameters: parameters }),
    },
  }
}

/** Runs a query and gives its whole answer, decoded. */
export async function ask(
  api: Api,
  jobs: Jobs,
  name: string,
  sql: string,
  what: string,
  parameters: readonly Parameter[] = [],
): Promise<Answer> {
  const job = await jobs.run(name, queryConfiguration(sql, parameters), what)
  return answerOf(api, job.jobReference.jobId, what)
}

/** The answer of a finished query job, decoded; of a script, its last SELECT. */
export async function answerOf(api: Api, job: string, what: string): Promise<Answer> {
  const { fields, rows } = await allRows(api, job, what)
  const columns = fields.map(columnOfField)
  const decode = decoder(columns)
  try {
    return { columns, rows: rows.map(decode) }
  } catch (cause) {
    throw failed(api, new EtlError('bug', `${what}: the answer could not be decoded.`, { cause }), what, job)
  }
}

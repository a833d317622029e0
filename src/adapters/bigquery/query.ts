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

/** Runs a query and gives its whole answer, decoded. Throws EtlError `stopped` soon after `signal` aborts. */
export async function ask(
  api: Api,
  jobs: Jobs,
  name: string,
  sql: string,
  what: string,
  parameters: readonly Parameter[] = [],
  signal?: AbortSignal,
): Promise<Answer> {
  try {
    const job = await jobs.run(name, queryConfiguration(sql, parameters), what, signal)
    return await answerOf(api, job.jobReference.jobId, what, signal)
  } catch (error) {
    // Whatever the transport makes of it, it is our own doing.
    if (signal?.aborted) throw new EtlError('stopped', `${what}: told to stop while the query was running.`, { cause: error })
    throw error
  }
}

/** The answer of a finished query job, decoded; of a script, its last SELECT. */
export async function answerOf(api: Api, job: string, what: string, signal?: AbortSignal): Promise<Answer> {
  const { fields, rows } = await allRows(api, job, what, signal)
  const columns = fields.map(columnOfField)
  const decode = decoder(columns)
  try {
    return { columns, rows: rows.map(decode) }
  } catch (cause) {
    throw failed(api, new EtlError('bug', `${what}: the answer could not be decoded.`, { cause }), what, job)
  }
}

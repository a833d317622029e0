import { randomUUID } from 'node:crypto'
import { EtlError } from '../../domain/error.ts'
import type { Answer } from '../../domain/run.ts'
import { type Api, failed, pause } from './api.ts'
import { decoder } from './decode.ts'
import { failureOf, jobFailure } from './errors.ts'
import { type Configuration, type Jobs, labels } from './jobs.ts'
import type { RawPage } from './page.ts'
import type { Parameter } from './publish.ts'
import { allPages, fetchPage, pageOptions } from './rows.ts'
import { columnOfField } from './types.ts'

/** `configuration` of a query job; parameters are named and typed. `maxBytes`: a job that would be billed for more fails before it runs; null sets no limit. */
export function queryConfiguration(
  sql: string,
  parameters: readonly Parameter[] = [],
  maxBytes: number | null = null,
): Configuration {
  return {
    query: {
      query: sql,
      useLegacySql: false,
      ...(maxBytes === null ? {} : { maximumBytesBilled: String(maxBytes) }),
      ...(parameters.length === 0 ? {} : { parameterMode: 'NAMED', queryParameters: parameters }),
    },
  }
}

/**
 * Asks, or notes something that may be noted twice, in one call (jobs.query), and gives the whole answer, decoded. A request that got no answer is repeated
 * under its request id, under which the service runs it once (BigQuery REST: QueryRequest.requestId).
 * @throws EtlError `stopped` soon after `signal` aborts.
 */
export async function ask(
  api: Api,
  sql: string,
  what: string,
  parameters: readonly Parameter[] = [],
  signal?: AbortSignal,
  maxBytes: number | null = null,
): Promise<Answer> {
  const stopping = signal === undefined ? {} : { signal }
  const query = queryConfiguration(sql, parameters, maxBytes).query as object
  let requestId = randomUUID()
  for (let tried = 1; ; tried++) {
    try {
      const body = { ...query, labels, location: api.location, requestId, ...pageOptions(api) }
      const first = await api.once<RawPage>({ method: 'POST', path: `${api.project}/queries`, body, ...stopping })
      return decoded(await allPages(api, first, signal), what)
    } catch (error) {
      // Whatever the transport makes of it, it is our own doing.
      if (signal?.aborted) throw new EtlError('stopped', `${what}: told to stop while the query was running.`, { cause: error })
      const failure = failureOf(error)
      // A server that was asked before may also say that the id is used up, instead of its answer.
      const isUsed = failure.status === 409 && tried > 1
      if (!(failure.passing || isUsed) || tried >= api.policy.request.tries) throw failed(api, failure, what)
      // What was answered once is answered the same under the same id.
      if (failure.status !== undefined && tried > 1) requestId = randomUUID()
      await pause(api.policy, api.clock, tried, signal)
    }
  }
}

/** The answer of a job that was submitted, as soon as it is done; of a script, its last SELECT. Throws the job's `Failure`. */
export async function answerOf(api: Api, jobs: Jobs, id: string, what: string): Promise<Answer> {
  const answer = async (tries: 'once' | 'repeat') => allPages(api, await fetchPage(api, id, undefined, tries))
  try {
    return decoded(await answer('once'), what)
  } catch (error) {
    failureOf(error)
    // How it ended, the job itself says: an answer that can't be had is no failure of it.
    const job = await jobs.find(id)
    const ended = job === undefined ? undefined : await jobs.finished(job)
    if (ended?.status.errorResult !== undefined) throw jobFailure(ended.status.errorResult)
    return decoded(await answer('repeat'), what)
  }
}

function decoded({ fields, rows }: Awaited<ReturnType<typeof allPages>>, what: string): Answer {
  const columns = fields.map(columnOfField)
  const decode = decoder(columns)
  try {
    return { columns, rows: rows.map(decode) }
  } catch (cause) {
    throw new EtlError('bug', `${what}: the answer could not be decoded.`, { cause })
  }
}

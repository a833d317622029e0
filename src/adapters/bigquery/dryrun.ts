import { type Api, failed } from './api.ts'
import { queryConfiguration } from './query.ts'
import type { Field } from './types.ts'

/** A job that was only checked. */
type Checked = {
  readonly user_email?: string
  readonly statistics?: {
    readonly totalBytesProcessed?: string
    readonly query?: {
      readonly totalBytesProcessed?: string
      readonly statementType?: string
      readonly schema?: { readonly fields?: readonly Field[] }
    }
  }
}

/** A dry run: nothing is kept, not even a job, so that it may be repeated (BigQuery: Running queries, 'Dry run'). Throws EtlError. */
export async function dryRun(api: Api, sql: string, what: string): Promise<{ bytes: number | null; user: string | undefined }> {
  try {
    const { statistics, user_email: user } = await checked(api, sql)
    const bytes = statistics?.totalBytesProcessed ?? statistics?.query?.totalBytesProcessed
    return { bytes: bytes === undefined ? null : Number(bytes), user }
  } catch (error) {
    throw failed(api, error, what)
  }
}

/** What a query would give, by a dry run: the kind of its statement and its columns. Throws a `Failure`. */
export async function checkQuery(api: Api, sql: string): Promise<{ statement: string | undefined; fields: readonly Field[] }> {
  const { statistics } = await checked(api, sql)
  return { statement: statistics?.query?.statementType, fields: statistics?.query?.schema?.fields ?? [] }
}

function checked(api: Api, sql: string): Promise<Checked> {
  const body = {
    jobReference: { projectId: api.project, location: api.location },
    configuration: { dryRun: true, ...queryConfiguration(sql) },
  }
  return api.repeat<Checked>({ method: 'POST', path: `${api.project}/jobs`, body })
}

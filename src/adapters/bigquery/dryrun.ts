import type { TableRef } from '../../domain/source.ts'
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
      readonly referencedTables?: readonly { readonly projectId: string; readonly datasetId: string; readonly tableId: string }[]
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

/** What a query would give and read, by a dry run: the kind of its statement, its columns, its tables. Throws a `Failure`. */
export async function checkQuery(
  api: Api,
  sql: string,
): Promise<{ statement: string | undefined; fields: readonly Field[]; tables: readonly TableRef[] }> {
  const { statementType: statement, schema, referencedTables = [] } = (await checked(api, sql)).statistics?.query ?? {}
  const tables = referencedTables.map(({ projectId, datasetId, tableId }) => ({
    project: projectId,
    dataset: datasetId,
    table: tableId,
  }))
  return { statement, fields: schema?.fields ?? [], tables }
}

function checked(api: Api, sql: string): Promise<Checked> {
  const body = {
    jobReference: { projectId: api.project, location: api.location },
    configuration: { dryRun: true, ...queryConfiguration(sql) },
  }
  return api.repeat<Checked>({ method: 'POST', path: `${api.project}/jobs`, body })
}

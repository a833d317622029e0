import { type Api, failed } from './api.ts'
import { queryConfiguration } from './query.ts'

/** A job that was only checked. */
type Checked = {
  readonly user_email?: string
  readonly statistics?: { readonly totalBytesProcessed?: string; readonly query?: { readonly totalBytesProcessed?: string } }
}

/** A dry run: nothing is kept, not even a job, so that it may be repeated (BigQuery: Running queries, 'Dry run'). Throws EtlError. */
export async function dryRun(api: Api, sql: string, what: string): Promise<{ bytes: number | null; user: string | undefined }> {
  const body = {
    jobReference: { projectId: api.project, location: api.location },
    configuration: { dryRun: true, ...queryConfiguration(sql) },
  }
  try {
    const { statistics, user_email: user } = await api.repeat<Checked>({ method: 'POST', path: `${api.project}/jobs`, body })
    const bytes = statistics?.totalBytesProcessed ?? statistics?.query?.totalBytesProcessed
    return { bytes: bytes === undefined ? null : Number(bytes), user }
  } catch (error) {
    throw failed(api, error, what)
  }
}

import type { DuckDBConnection } from '@duckdb/node-api'
import { now } from './clock.ts'
import { findJob, requestedJobs, type StoredJob } from './jobstore.ts'
import type { Database } from './store.ts'

/** The newest jobs in memory, as they lie in the catalogue: a client asks several times for each, and DuckDB takes a millisecond and more to find one. */
export type KeptJobs = {
  /** Reads what requests an earlier process has carried out of late. */
  open(connection: DuckDBConnection): Promise<void>
  find(project: string, id: string): Promise<StoredJob | undefined>
  /** The job of the same request within 15 minutes. */
  ofRequest(project: string, request: string): Promise<StoredJob | undefined>
  /** To be called when the job as it is now has been committed. */
  keep(job: StoredJob, request?: string): void
  forget(job: StoredJob): void
  /** To be called when the catalogue has taken expired results from jobs. */
  sweep(): void
}

export function createKeptJobs(database: Database): KeptJobs {
  const jobs = new Map<string, StoredJob>()
  const requests = new Map<string, { readonly id: string; readonly createdAt: number }>()
  const key = (project: string, id: string) => `${project}:${id}`
  const find = async (project: string, id: string) =>
    jobs.get(key(project, id)) ?? (await database.use(({ connection }) => findJob(connection, project, id)))
  const keep = (job: StoredJob, request?: string) => {
    jobs.set(key(job.project, job.id), job)
    if (request !== undefined) requests.set(key(job.project, request), { id: job.id, createdAt: job.createdAt })
    const [oldest] = jobs.keys()
    if (jobs.size > maximum && oldest !== undefined) jobs.delete(oldest)
  }
  return {
    find,
    keep,
    async open(connection) {
      for (const { request, job } of await requestedJobs(connection, now() - requestLifetimeMs)) keep(job, request)
    },
    async ofRequest(project, request) {
      const made = requests.get(key(project, request))
      return made && made.createdAt >= now() - requestLifetimeMs ? find(project, made.id) : undefined
    },
    forget(job) {
      jobs.delete(key(job.project, job.id))
    },
    sweep() {
      jobs.clear()
      for (const [request, { createdAt }] of requests) if (createdAt < now() - requestLifetimeMs) requests.delete(request)
    },
  }
}

/** BigQuery REST, QueryRequest.requestId: 15 minutes. */
const requestLifetimeMs = 15 * 60_000
const maximum = 200

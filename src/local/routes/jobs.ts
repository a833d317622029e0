import type { Call, Handler, Routes } from '../call.ts'
import { BigQueryError } from '../contract.ts'
import { type Jobs, jobResource, readJobRequest } from '../jobs.ts'
import { listJobs, type StoredJob } from '../jobstore.ts'
import type { JsonObject } from '../json.ts'
import { dryRun, type Engine, queryWork } from '../query.ts'
import { listing } from '../resource.ts'
import type { Database } from '../store.ts'

/** jobs.insert (without upload), get, list, cancel and delete. */
export function jobRoutes(
  database: Database,
  jobs: Jobs,
  engine: Engine,
  beforeCommit: (jobId: string) => Promise<void>,
): Routes {
  const answer = (call: Call, job: StoredJob) => ({ body: jobResource(job, call.origin) })
  const known: (call: Call) => Promise<StoredJob> = call => jobOf(jobs, call)
  const cancel: Handler = async call => {
    await known(call)
    const job = await jobs.cancel(...key(call))
    return { body: { kind: 'bigquery#jobCancelResponse', job: jobResource(job, call.origin) } }
  }
  return {
    'POST /projects/:project/jobs': async call => {
      const request = readJobRequest(key(call)[0], await call.json())
      const { configuration, project } = request
      refuse(configuration)
      if (configuration.dryRun === true) {
        const location = request.location ?? 'europe-north1'
        const { statistics } = await dryRun(engine, project, location, configuration)
        const reference = { projectId: project, location }
        return { body: { kind: 'bigquery#job', configuration, jobReference: reference, statistics, status: { state: 'DONE' } } }
      }
      const typed = { ...request, configuration: { jobType: 'QUERY', ...configuration } }
      return answer(call, await jobs.start({ ...typed, work: queryWork(database, engine, beforeCommit) }))
    },
    'GET /projects/:project/jobs/:job': async call => answer(call, await known(call)),
    'GET /projects/:project/jobs': call =>
      database.use(async ({ connection }) => {
        const states = call.query.getAll('stateFilter').map(state => state.toUpperCase())
        const all = await listJobs(connection, key(call)[0])
        const items = all.filter(job => states.length === 0 || states.includes(job.status.state))
        const listed = items.map(job => ({ ...jobResource(job, call.origin), state: job.status.state }))
        return { body: { kind: 'bigquery#jobList', ...listing(listed, 'jobs', call.query) } }
      }),
    'POST /projects/:project/jobs/:job/cancel': cancel,
    'DELETE /projects/:project/jobs/:job/delete': async call => {
      await known(call)
      await jobs.remove(...key(call))
      return {}
    },
  }
}

/** The job that a path names, in the location that the client says if it says one. Throws `notFound`. */
export async function jobOf(jobs: Jobs, call: Call, waitMs = 0): Promise<StoredJob> {
  const job = await jobs.wait(...key(call), waitMs)
  const location = call.query.get('location')
  if (location && location.toLowerCase() !== job.location.toLowerCase()) {
    throw new BigQueryError('notFound', `Not found: Job ${job.project}:${location}.${job.id}`)
  }
  return job
}

const key = ({ at }: Call): [string, string] => [at.project ?? '', at.job ?? '']

function refuse(configuration: JsonObject): void {
  if (configuration.query) return
  if (configuration.copy || configuration.extract) {
    throw new BigQueryError(
      'notImplemented',
      'The local BigQuery has no copy and no extract jobs. Use INSERT … SELECT, or read the rows.',
    )
  }
  if (configuration.load) {
    throw new BigQueryError(
      'notImplemented',
      'The local BigQuery loads uploaded files only, nothing from Cloud Storage (sourceUris).',
    )
  }
  throw new BigQueryError(
    'invalid',
    'Job configuration must contain exactly one job-specific configuration object (e.g., query, load, extract, copy).',
  )
}

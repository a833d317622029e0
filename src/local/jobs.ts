import { randomUUID } from 'node:crypto'
import type { DuckDBConnection } from '@duckdb/node-api'
import { now } from './clock.ts'
import { BigQueryError } from './contract.ts'
import { asBigQueryError, errorProto } from './errors.ts'
import { deleteJob, dropExpiredResults, finishJob, insertJob, type Outcome, runningJobs, type StoredJob } from './jobstore.ts'
import { integer, type JsonObject, object, optional, text } from './json.ts'
import { createKeptJobs } from './keptjobs.ts'
import type { Database } from './store.ts'

/** What a job has to say when it is done. */
export type Done = { readonly statistics: JsonObject; readonly outcome?: Outcome; readonly configuration?: JsonObject }

export type JobContext = {
  readonly project: string
  readonly jobId: string
  readonly location: string
  readonly configuration: JsonObject
  readonly signal: AbortSignal
  /** Records the end of the job in the transaction open on the connection, so that the job is done if and only if that commits. */
  finish(connection: DuckDBConnection, done: Done): Promise<void>
}

/** Does the work of a job. An error thrown is the job's errorResult; other problems may be noted on it as `errors`. */
export type Work = (context: JobContext) => Promise<Done>

export type Jobs = {
  /** Keeps the job and starts it; answers before it is done. Throws `duplicate`, `invalid`. */
  start(job: NewJob): Promise<StoredJob>
  /** Throws `notFound`. */
  get(project: string, id: string): Promise<StoredJob>
  /** The job when it is done, or as it is after `timeoutMs`. */
  wait(project: string, id: string, timeoutMs: number): Promise<StoredJob>
  cancel(project: string, id: string): Promise<StoredJob>
  remove(project: string, id: string): Promise<void>
  /** The job of the same request within 15 minutes (BigQuery REST, QueryRequest.requestId). */
  ofRequest(project: string, request: string): Promise<StoredJob | undefined>
  /** Stops all jobs and waits for their end, but not for ever. */
  close(): Promise<void>
}

export type NewJob = {
  readonly project: string
  readonly id?: string
  readonly location?: string
  readonly configuration: JsonObject
  readonly request?: string
  readonly work: Work
}

/** A job's errors beyond its errorResult. */
export class JobError extends BigQueryError {
  readonly details: readonly object[]
  constructor(error: BigQueryError, details: readonly object[]) {
    super(error.reason, error.message, error.location)
    this.details = details
  }
}

/**
 * The jobs of one server. They run on when their client goes away. A job that a killed server left running reads as failed afterwards:
 * what it had committed stays (a load job records its end in the same commit as its rows; a script may have committed earlier).
 */
export async function createJobs(database: Database): Promise<Jobs> {
  const running = new Map<string, { readonly abort: AbortController; readonly ended: Promise<void> }>()
  const key = (project: string, id: string) => `${project}:${id}`
  const kept = createKeptJobs(database)
  await database.use(async ({ connection }) => {
    for (const job of await runningJobs(connection)) await finishJob(connection, failed(job, interrupted))
    await dropExpiredResults(connection, now(), true)
    await kept.open(connection)
  })
  const sweep = setInterval(() => {
    void database
      .use(({ connection }) => dropExpiredResults(connection, now(), false))
      .catch(() => undefined)
      .then(() => kept.sweep())
  }, 10 * 60_000)
  sweep.unref()

  const get = async (project: string, id: string) => {
    const job = await kept.find(project, id)
    if (!job) throw new BigQueryError('notFound', `Not found: Job ${project}:${id}`)
    return job
  }

  return {
    get,
    async start({ project, id, location, configuration, request, work }) {
      const createdAt = now()
      const job: StoredJob = {
        project,
        id: checkedId(id ?? `job_${randomUUID().replaceAll('-', '')}`),
        location: location ?? 'europe-north1',
        createdAt,
        configuration,
        statistics: { creationTime: String(createdAt), startTime: String(createdAt) },
        status: { state: 'RUNNING' },
      }
      const timeoutMs = optional(configuration.jobTimeoutMs, integer, 'jobTimeoutMs')
      await database.use(({ connection }) => insertJob(connection, job, request ?? null))
      kept.keep(job, request)
      const abort = new AbortController()
      const timer = timeoutMs ? setTimeout(() => abort.abort(timedOut(timeoutMs)), timeoutMs) : undefined
      const ended = perform(job, work, abort.signal).finally(() => {
        clearTimeout(timer)
        running.delete(key(project, job.id))
      })
      running.set(key(project, job.id), { abort, ended })
      return job
    },
    async wait(project, id, timeoutMs) {
      const active = running.get(key(project, id))
      if (active && timeoutMs > 0) {
        const { promise: late, resolve } = Promise.withResolvers<void>()
        const timer = setTimeout(resolve, timeoutMs)
        await Promise.race([active.ended, late])
        clearTimeout(timer)
      }
      return get(project, id)
    },
    async cancel(project, id) {
      const active = running.get(key(project, id))
      active?.abort.abort(new BigQueryError('stopped', 'Job execution was cancelled: User requested cancellation'))
      return get(project, id)
    },
    async remove(project, id) {
      const job = await get(project, id)
      if (job.status.state !== 'DONE') throw new BigQueryError('invalid', `Job ${project}:${id} is running: cancel it first.`)
      await database.use(({ connection }) => deleteJob(connection, job))
      kept.forget(job)
    },
    ofRequest: kept.ofRequest,
    async close() {
      clearInterval(sweep)
      const ends = [...running.values()].map(({ abort, ended }) => {
        abort.abort(new BigQueryError('stopped', 'The local server was stopped while this job ran.'))
        return ended
      })
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, 5000)
      await Promise.race([Promise.all(ends), late])
      clearTimeout(timer)
    },
  }

  async function perform(job: StoredJob, work: Work, signal: AbortSignal): Promise<void> {
    let recorded: StoredJob | undefined
    const end = (done: Done): StoredJob => ({
      ...job,
      statistics: { ...job.statistics, ...done.statistics, endTime: String(now()) },
      status: { state: 'DONE' },
      ...(done.configuration ? { configuration: done.configuration } : {}),
      ...(done.outcome ? { outcome: done.outcome } : {}),
      ...(done.outcome?.rows ? { expiresAt: now() + resultLifetimeMs } : {}),
    })
    const { project, id: jobId, location, configuration } = job
    const finish = async (connection: DuckDBConnection, done: Done) => {
      const finished = end(done)
      await finishJob(connection, finished)
      recorded = finished
    }
    let last: StoredJob
    try {
      const done = await work({ project, jobId, location, configuration, signal, finish })
      if (recorded) return kept.keep(recorded)
      last = end(done)
    } catch (error) {
      last = failed(job, signal.aborted && signal.reason instanceof BigQueryError ? signal.reason : error)
    }
    await database
      .use(({ connection }) => finishJob(connection, last))
      .then(() => kept.keep(last))
      // The job then reads as running until the server starts again; the other jobs go on.
      .catch(error => process.stderr.write(`The end of job ${job.id} couldn't be kept: ${asBigQueryError(error).message}\n`))
  }
}

/** BigQuery: Writing query results, 'Temporary tables': kept for about 24 hours. */
const resultLifetimeMs = 24 * 3600_000

const interrupted = new BigQueryError(
  'backendError',
  'The local server was stopped while this job ran. What the job had committed stays, the rest is undone. Look at the tables, then run it again with another job id.',
)

const timedOut = (ms: number) => new BigQueryError('stopped', `Job timed out after ${ms} ms (jobTimeoutMs).`)

function failed(job: StoredJob, thrown: unknown): StoredJob {
  const error = asBigQueryError(thrown)
  const details = error instanceof JobError ? error.details : []
  return {
    ...job,
    statistics: { ...job.statistics, endTime: String(now()) },
    status: { state: 'DONE', errorResult: errorProto(error), errors: [errorProto(error), ...details] },
  }
}

/** BigQuery REST, JobReference.jobId: letters, numbers, underscores and dashes, at most 1,024. */
function checkedId(id: string): string {
  if (/^[A-Za-z0-9_-]{1,1024}$/.test(id)) return id
  throw new BigQueryError('invalid', `Invalid job ID "${id}": letters, numbers, underscores and dashes only, at most 1024.`)
}

/** The job as the REST API answers it. */
export function jobResource(job: StoredJob, origin: string): object {
  const { project, id, location } = job
  return {
    kind: 'bigquery#job',
    etag: `${id}-${job.status.state}`,
    id: `${project}:${location}.${id}`,
    selfLink: `${origin}/bigquery/v2/projects/${project}/jobs/${id}?location=${location}`,
    user_email: 'anonymous@localhost',
    jobReference: { projectId: project, jobId: id, location },
    configuration: job.configuration,
    statistics: job.statistics,
    status: job.status,
  }
}

/** Reads `jobReference` and `configuration` of a job that a client sends. */
export function readJobRequest(project: string, body: JsonObject): Omit<NewJob, 'work'> {
  const reference = optional(body.jobReference, object, 'jobReference') ?? {}
  const id = optional(reference.jobId, text, 'jobReference.jobId')
  const location = optional(reference.location, text, 'jobReference.location')
  const other = optional(reference.projectId, text)
  if (other !== undefined && other !== project) {
    throw new BigQueryError(
      'invalid',
      `Project specified in the request URL (${project}) and in the job reference (${other}) are not the same.`,
    )
  }
  return {
    project,
    configuration: object(body.configuration, 'configuration'),
    ...(id === undefined ? {} : { id }),
    ...(location === undefined ? {} : { location }),
  }
}

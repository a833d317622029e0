import type { Answer, Routes } from '../call.ts'
import { BigQueryError, type Reason, reasons } from '../contract.ts'
import type { Jobs } from '../jobs.ts'
import type { StoredJob } from '../jobstore.ts'
import { integer, type JsonObject, object, optional, text } from '../json.ts'
import { keyedLock } from '../lock.ts'
import { readPage, withRows } from '../pages.ts'
import { dryRun, type Engine, queryWork } from '../query.ts'
import { pageStart, pageToken, wholeNumber } from '../resource.ts'
import { fieldsToRest } from '../schema.ts'
import type { Database } from '../store.ts'
import { jobOf } from './jobs.ts'
import { wantsInt64Timestamps } from './tabledata.ts'

/** jobs.query and jobs.getQueryResults. */
export function queryRoutes(
  database: Database,
  jobs: Jobs,
  engine: Engine,
  beforeCommit: (jobId: string) => Promise<void>,
): Routes {
  const oneAtATime = keyedLock()
  return {
    'POST /projects/:project/queries': async call => {
      const project = call.at.project ?? ''
      const body = await call.json()
      const configuration = configurationOf(body)
      const paging = {
        start: 0,
        maxResults: optional(body.maxResults, integer, 'maxResults'),
        int64Timestamps: bodyWantsInt64(body),
      }
      if (body.dryRun === true) return dryRunAnswer(project, configuration, text(body.location ?? 'europe-north1'))
      const request = optional(body.requestId, text)
      const location = optional(body.location, text)
      const start = () =>
        jobs.start({
          project,
          configuration,
          ...(request === undefined ? {} : { request }),
          ...(location === undefined ? {} : { location }),
          work: queryWork(database, engine, beforeCommit),
        })
      const job =
        request === undefined
          ? await start()
          : await oneAtATime(`${project}:${request}`, async () => (await jobs.ofRequest(project, request)) ?? start())
      const state = await jobs.wait(project, job.id, optional(body.timeoutMs, integer) ?? defaultTimeoutMs)
      return resultAnswer(state, 'bigquery#queryResponse', paging)
    },
    'GET /projects/:project/queries/:job': async call => {
      const job = await jobOf(jobs, call, wholeNumber(call.query, 'timeoutMs') ?? defaultTimeoutMs)
      return resultAnswer(job, 'bigquery#getQueryResultsResponse', {
        start: pageStart(call.query),
        maxResults: wholeNumber(call.query, 'maxResults'),
        int64Timestamps: wantsInt64Timestamps(call.query),
      })
    },
  }

  async function dryRunAnswer(project: string, configuration: JsonObject, location: string): Promise<Answer> {
    const { statistics, outcome } = await dryRun(engine, project, location, configuration)
    return {
      body: {
        kind: 'bigquery#queryResponse',
        jobReference: { projectId: project, location },
        jobComplete: true,
        schema: { fields: fieldsToRest(outcome?.schema ?? []) },
        totalBytesProcessed: statistics.totalBytesProcessed,
        totalRows: '0',
        cacheHit: false,
      },
    }
  }

  async function resultAnswer(job: StoredJob, kind: string, paging: Paging): Promise<Answer> {
    const jobReference = { projectId: job.project, jobId: job.id, location: job.location }
    if (job.status.state !== 'DONE') return { body: { kind, jobReference, jobComplete: false } }
    throwFailure(job)
    const statistics = object(job.statistics.query ?? {})
    const { outcome } = job
    const head = {
      kind,
      etag: job.id,
      jobReference,
      jobComplete: true,
      location: job.location,
      cacheHit: false,
      totalBytesProcessed: statistics.totalBytesProcessed ?? '0',
      numDmlAffectedRows: statistics.numDmlAffectedRows,
      dmlStats: statistics.dmlStats,
    }
    if (!outcome || outcome.schema.length === 0) return { body: head }
    if (!outcome.rows)
      throw new BigQueryError(
        'notFound',
        `Not found: the rows of job ${job.id} have expired (after 24 hours). Run the query again.`,
      )
    const { rows, schema, totalRows } = outcome
    const left = Math.max(0, totalRows - paging.start)
    const maxRows = Math.min(paging.maxResults ?? left, left)
    const { start, int64Timestamps } = paging
    const page = await database.use(({ connection }) =>
      readPage(connection, { rows, schema, start, maxRows, int64Timestamps, contiguous: true }),
    )
    const next = start + page.count
    const more = next < totalRows ? { pageToken: pageToken(next) } : {}
    return {
      pieces: withRows({ ...head, schema: { fields: fieldsToRest(schema) }, totalRows: String(totalRows), ...more }, page),
    }
  }
}

type Paging = { readonly start: number; readonly maxResults: number | undefined; readonly int64Timestamps: boolean }

/** BigQuery REST, QueryRequest.timeoutMs: 10 seconds by default. */
const defaultTimeoutMs = 10_000

function configurationOf(body: JsonObject): JsonObject {
  const names = [
    'query',
    'useLegacySql',
    'queryParameters',
    'parameterMode',
    'defaultDataset',
    'maximumBytesBilled',
    'createSession',
    'connectionProperties',
  ]
  const query = Object.fromEntries(names.filter(name => body[name] !== undefined).map(name => [name, body[name]]))
  const { labels, jobTimeoutMs } = body
  return {
    jobType: 'QUERY',
    query,
    ...(labels === undefined ? {} : { labels }),
    ...(jobTimeoutMs === undefined ? {} : { jobTimeoutMs }),
  }
}

function bodyWantsInt64(body: JsonObject): boolean {
  const options = optional(body.formatOptions, object, 'formatOptions') ?? {}
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(options)) query.set(`formatOptions.${name}`, String(value))
  return wantsInt64Timestamps(query)
}

/** Asking for the rows of a job that failed is answered with the job's error. */
function throwFailure(job: StoredJob): void {
  const error = job.status.errorResult as { reason?: string; message?: string; location?: string } | undefined
  if (!error) return
  const reason = Object.keys(reasons).find((each): each is Reason => each === error.reason) ?? 'internalError'
  throw new BigQueryError(reason, error.message ?? 'The job failed.', error.location)
}

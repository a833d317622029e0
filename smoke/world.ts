import { randomBytes } from 'node:crypto'
import type { BigQuery } from '@google-cloud/bigquery'
import { type Api, openApi } from '../src/adapters/bigquery/api.ts'
import { Failure, failureOf } from '../src/adapters/bigquery/errors.ts'
import { createJobs, type Job, type Jobs, labels } from '../src/adapters/bigquery/jobs.ts'
import type { Parameter } from '../src/adapters/bigquery/publish.ts'
import { answerOf, queryConfiguration } from '../src/adapters/bigquery/query.ts'
import { createWarehouse } from '../src/adapters/bigquery/warehouse.ts'
import { clock } from '../src/adapters/clock.ts'
import { createSpool } from '../src/adapters/duckdb/spool.ts'
import { openBulk } from '../src/adapters/parquet/bulk.ts'
import type { Config } from '../src/config.ts'
import type { AnyRow } from '../src/domain/column.ts'
import type { Spool } from '../src/ports/spool.ts'
import type { Warehouse } from '../src/ports/warehouse.ts'
import { clientOf } from './google.ts'
import { type Names, prefix } from './names.ts'

/** What only a person can give. */
export type Given = { readonly connection?: string; readonly policyTag?: string; readonly reader?: string }

/** Production's own adapter and Google's client on one project. */
export type World = {
  readonly names: Names
  readonly given: Given
  readonly api: Api
  readonly jobs: Jobs
  readonly warehouse: Warehouse
  readonly spool: Spool
  /** Only our local server has them: a commit is held by them instead of by work. */
  readonly faults: boolean
  /** What came so far where two transactions were in each other's way. */
  readonly conflicts: Failure[]
  /** Another client of Google's, which shares nothing with the others. */
  client(): BigQuery
  /** The id of a job of this run. */
  id(name: string): string
  /** Submits by Google's client under an id of ours; does not wait. Throws Failure. */
  submit(name: string, sql: string, parameters?: readonly Parameter[]): Promise<string>
  /** Waits for a job. Throws its failure. */
  ended(id: string): Promise<Ended>
  /** Both. */
  script(name: string, sql: string, parameters?: readonly Parameter[]): Promise<Ended>
}

/** A job that ended well. */
type Ended = { readonly id: string; readonly rows: readonly AnyRow[] }

export async function openWorld(config: Config, names: Names, given: Given): Promise<World> {
  const { location, endpoint, policy } = config
  const api = await openApi({ project: names.project, location, endpoint, policy, clock })
  const jobs = createJobs(api, randomBytes(16).toString('hex'))
  const client = () => clientOf({ project: names.project, location, endpoint })
  const own = client()
  const id = (name: string) => `${prefix(names)}${name}`
  const submit: World['submit'] = async (name, sql, parameters) => {
    const configuration = { labels, ...queryConfiguration(sql, parameters) }
    await own.createJob({ jobId: id(name), location, configuration }).catch(error => {
      throw failureFrom(error)
    })
    return id(name)
  }
  const ended: World['ended'] = async jobId => {
    const job = await jobs.find(jobId)
    if (job === undefined) throw new Failure(404, 'notFound', `Not found: Job ${jobId}`)
    return { id: jobId, rows: (await answerOf(api, jobs, jobId, 'an answer')).rows }
  }
  return {
    names,
    given,
    api,
    jobs,
    warehouse: createWarehouse(api, jobs, { project: names.project, location: config.location, environment: config.environment }),
    spool: {
      ...createSpool({ directory: config.temporary }),
      openBulk: columns => openBulk(columns, { directory: config.temporary }),
    },
    faults: await hasFaults(endpoint),
    conflicts: [],
    client,
    id,
    submit,
    ended,
    script: async (name, sql, parameters) => ended(await submit(name, sql, parameters)),
  }
}

/** Google's client makes an ApiError of an answer; the production adapter a Failure. One form for both. */
export function failureFrom(error: unknown): Failure {
  const { code, errors } = error as { code?: unknown; errors?: readonly { reason?: string; message?: string }[] }
  const first = errors?.[0]
  if (typeof code === 'number' && first !== undefined)
    return new Failure(code, first.reason ?? `http ${code}`, first.message ?? '')
  const cause = (error as { cause?: unknown }).cause
  return cause instanceof Failure ? cause : failureOf(error)
}

/** What a job's work threw, if it threw. Errors that are no answer of the service are thrown on. */
export async function failureIn(work: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return failureFrom(error)
  }
}

/** `reason: text` in one line, without the addresses of accounts. */
export function said({ status, reason, text }: Failure): string {
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/[\w.+-]+@[\w-]+\.[\w.-]+/g, '…')
    .trim()
  return `${status === 200 || status === undefined ? '' : `${status} `}${reason}${line === '' ? '' : `: ${line.length > 400 ? `${line.slice(0, 400)}…` : line}`}`
}

/** jobs.get, whole. */
export async function jobOf<T = Job>(world: World, id: string): Promise<T> {
  const { api } = world
  return api.repeat<T>({ path: `${api.project}/jobs/${id}`, query: { location: api.location } })
}

async function hasFaults(endpoint: string | undefined): Promise<boolean> {
  if (endpoint === undefined) return false
  const answer = await fetch(`${endpoint}/_local/faults`).catch(() => undefined)
  return answer?.ok === true
}

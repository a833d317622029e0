import { isDeepStrictEqual } from 'node:util'
import { EtlError } from '../../domain/error.ts'
import { type Api, failed, pause } from './api.ts'
import { Failure, failureOf, type JobError, jobFailure } from './errors.ts'
import type { Parameter } from './publish.ts'

/** A job as the API tells it. */
export type Job = {
  readonly jobReference: { readonly jobId: string }
  readonly configuration?: { readonly query?: unknown; readonly load?: unknown }
  readonly status: { readonly state: 'PENDING' | 'RUNNING' | 'DONE'; readonly errorResult?: JobError }
  readonly statistics?: {
    readonly load?: { readonly outputRows?: string }
    readonly query?: { readonly numDmlAffectedRows?: string }
  }
}

/** `configuration` of jobs.insert. */
export type Configuration = Readonly<Record<string, unknown>>

/** Submits one job under one id of ours. A lost answer is settled by looking the id up; `onDoubt` tells of one that was settled inside. */
type Submit = (id: string, onDoubt: () => void) => Promise<Job>

/** What `settled` and `succeeded` are told of one id. */
type Work = {
  readonly id: string
  readonly submit: Submit
  readonly configuration: Configuration
  readonly doubt: boolean
  readonly signal: AbortSignal | undefined
}

/** jobs.getQueryResults, without rows. */
type Held = { readonly jobComplete?: boolean; readonly numDmlAffectedRows?: string }

/** BigQuery jobs with ids of ours: after any doubt the id is looked up, and a failed id is never used again. */
export type Jobs = {
  /**
   * Runs until done. A passing failure burns the id and the next number is tried, and so is an id that is somebody else's: one that was taken
   * before we had any doubt about our own request. `what` is for sentences. Throws at once when `signal` aborts; the job itself goes on.
   */
  run(name: string, configuration: Configuration, what: string, signal?: AbortSignal): Promise<Job>
  /** The same with another way to submit the configuration: an upload. */
  runBy(name: string, submit: Submit, configuration: Configuration, what: string, signal?: AbortSignal): Promise<Job>
  /** Exactly this id, submitted once: adopted if it exists and is the same work. Not waited for. */
  accepted(id: string, configuration: Configuration): Promise<Job>
  /** undefined if no job has this id. */
  find(id: string): Promise<Job | undefined>
  /** Waits until it is DONE, failed or not. */
  finished(job: Job): Promise<Job>
}

/** Labels of every job: what a bill or an audit log is grouped by. */
export const labels = { tool: 'nais-etl' }

/** `token` is this process's own: without it a later process would find an earlier one's finished job under its id, and adopt its stale answer. */
export function createJobs(api: Api, token: string): Jobs {
  let number = 0
  const path = `${api.project}/jobs`
  const location = api.location
  const insert =
    (configuration: Configuration, signal?: AbortSignal): Submit =>
    id =>
      api.once<Job>({
        method: 'POST',
        path,
        body: { jobReference: { projectId: api.project, jobId: id, location }, configuration: { labels, ...configuration } },
        ...stopping(signal),
      })

  const find = async (id: string, signal?: AbortSignal): Promise<Job | undefined> => {
    try {
      return await api.repeat<Job>({ path: `${path}/${id}`, query: { location }, ...stopping(signal) })
    } catch (error) {
      if (failureOf(error).status === 404) return undefined
      throw error
    }
  }

  const finished = async (job: Job, signal?: AbortSignal): Promise<Job> => {
    let current = job
    const isQuery = job.configuration?.query !== undefined
    // A load job can't be asked to answer when it is done, and takes seconds: fewer questions, further apart.
    const [growth, longest] = isQuery ? [2, api.policy.poll.pause] : [8, 4 * api.policy.poll.pause]
    let wait = api.policy.poll.pause / 8
    while (current.status.state !== 'DONE') {
      const { jobId } = current.jobReference
      const answer = isQuery ? await held(jobId, signal) : undefined
      if (answer?.jobComplete === true) return { ...current, status: { state: 'DONE' }, statistics: { query: answer } }
      if (answer === undefined) await api.clock.sleep(wait, signal)
      wait = Math.min(wait * growth, longest)
      current = await api.repeat<Job>({ path: `${path}/${jobId}`, query: { location }, ...stopping(signal) })
    }
    return current
  }

  /** The service holds this answer until the query has ended well or the time is over; how it failed, jobs.get says. */
  const held = async (id: string, signal?: AbortSignal): Promise<Held | undefined> => {
    const query = { location, maxResults: 0, timeoutMs: Math.round(api.policy.poll.hang) }
    try {
      return await api.once<Held>({ path: `${api.project}/queries/${id}`, query, ...stopping(signal) })
    } catch (error) {
      failureOf(error)
      return undefined
    }
  }

  /** One id, submitted until it is known to exist. `doubt`: a job that has the id already may be ours. */
  const settled = async ({ id, submit, configuration, doubt, signal }: Work): Promise<Job> => {
    let isDoubtful = doubt
    const onDoubt = () => {
      isDoubtful = true
    }
    for (let tried = 1; ; tried++) {
      try {
        return await submit(id, onDoubt)
      } catch (error) {
        const failure = failureOf(error)
        if (!failure.passing && failure.status !== 409) throw failure
        if (failure.passing) onDoubt()
        if (!isDoubtful) throw failure
        const found = await find(id, signal)
        if (found !== undefined) return sameWork(found, configuration)
        if (tried >= api.policy.request.tries) throw failure
        await pause(api.policy, api.clock, tried, signal)
      }
    }
  }

  const succeeded = async (work: Work): Promise<Job> => {
    const job = await finished(await settled(work), work.signal)
    if (job.status.errorResult !== undefined) throw jobFailure(job.status.errorResult)
    return job
  }

  const runBy: Jobs['runBy'] = async (name, submit, configuration, what, signal) => {
    for (let tried = 1; ; tried++) {
      number += 1
      // A table's name may be as long as an id: what makes the id our own stands behind it and must not be cut off.
      const id = jobId(`${name.slice(0, 900)}-${token}-${number}`)
      try {
        return await succeeded({ id, submit, configuration, doubt: false, signal })
      } catch (error) {
        const failure = failureOf(error)
        // Only a job that ended, or somebody else's, is worth a new number: where nobody answers, the tries are used up already.
        const isOver = failure.passing && failure.status === 200
        if (!(isOver || failure.status === 409) || tried >= api.policy.request.tries) throw failed(api, failure, what, id)
        await pause(api.policy, api.clock, tried, signal)
      }
    }
  }

  return {
    run: (name, configuration, what, signal) => runBy(name, insert(configuration, signal), configuration, what, signal),
    runBy,
    // The id is known before the process: whoever submitted it first did this very work, or it is a mistake.
    accepted: (id, configuration) =>
      settled({ id, submit: insert(configuration), configuration, doubt: true, signal: undefined }),
    find,
    finished,
  }
}

function stopping(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

/** A job is only adopted if it is what we would have submitted. */
function sameWork(found: Job, configuration: Configuration): Job {
  if (isDeepStrictEqual(workOf(found.configuration), workOf(configuration))) return found
  throw new EtlError(
    'bug',
    `the job ${found.jobReference.jobId} is another one than that which was to be submitted under its id.`,
  )
}

/** A query is its text and the values of its parameters. A load is where it goes and how: the service may tell the schema in other words. */
function workOf({ query, load }: NonNullable<Job['configuration']> = {}): unknown {
  const { query: text, queryParameters = [] } = (query ?? {}) as { query?: string; queryParameters?: readonly Parameter[] }
  const { destinationTable, sourceFormat, writeDisposition } = (load ?? {}) as Readonly<Record<string, unknown>>
  const values = queryParameters.map(({ name, parameterType, parameterValue }): [string, unknown] => [
    name,
    [parameterType.type, parameterValue?.value ?? null],
  ])
  return { text, values: Object.fromEntries(values), load: { destinationTable, sourceFormat, writeDisposition } }
}

/** BigQuery: jobReference.jobId, letters a-z, A-Z, digits, _ and -, at most 1 024. */
export function jobId(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 1024)
}

/** A failure with the reason of a job that another one stands in the way of. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Failure && (error.reason === 'duplicate' || error.status === 409)
}

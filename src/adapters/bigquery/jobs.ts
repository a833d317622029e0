import { EtlError } from '../../domain/error.ts'
import { type Api, failed, pause } from './api.ts'
import { Failure, failureOf, type JobError, jobFailure } from './errors.ts'
import type { Parameter } from './publish.ts'

/** A job as the API tells it. */
export type Job = {
  readonly jobReference: { readonly jobId: string }
  readonly configuration?: { readonly query?: unknown; readonly load?: unknown }
  readonly status: { readonly state: 'PENDING' | 'RUNNING' | 'DONE'; readonly errorResult?: JobError }
  readonly statistics?: { readonly load?: { readonly outputRows?: string } }
}

/** `configuration` of jobs.insert. */
export type Configuration = Readonly<Record<string, unknown>>

/** Submits one job under one id of ours. A lost answer is settled by looking the id up. */
type Submit = (id: string) => Promise<Job>

/** BigQuery jobs with ids of ours: after any doubt the id is looked up, and a failed id is never used again. */
export type Jobs = {
  /** Runs until done. A passing failure burns the id and the next number is tried. `what` is for sentences. */
  run(name: string, configuration: Configuration, what: string): Promise<Job>
  /** The same with another way to submit: an upload. */
  runBy(name: string, submit: Submit, what: string): Promise<Job>
  /** Exactly this id, one job: adopted if it exists. Throws the job's failure. */
  one(id: string, configuration: Configuration): Promise<Job>
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
    (configuration: Configuration): Submit =>
    id =>
      api.once<Job>({
        method: 'POST',
        path,
        body: { jobReference: { projectId: api.project, jobId: id, location }, configuration: { labels, ...configuration } },
      })

  const find = async (id: string): Promise<Job | undefined> => {
    try {
      return await api.repeat<Job>({ path: `${path}/${id}`, query: { location } })
    } catch (error) {
      if (failureOf(error).status === 404) return undefined
      throw error
    }
  }

  const finished = async (job: Job): Promise<Job> => {
    let current = job
    let wait = api.policy.poll.pause / 8
    while (current.status.state !== 'DONE') {
      const { jobId } = current.jobReference
      const held = current.configuration?.query !== undefined && (await holds(jobId))
      if (!held) await api.clock.sleep(wait)
      wait = Math.min(wait * 2, api.policy.poll.pause)
      current = await api.repeat<Job>({ path: `${path}/${jobId}`, query: { location } })
    }
    return current
  }

  /** The service holds this answer until the query is done or the time is over; how it ended, jobs.get says. */
  const holds = async (id: string): Promise<boolean> => {
    const query = { location, maxResults: 0, timeoutMs: Math.round(api.policy.poll.hang) }
    try {
      await api.once({ path: `${api.project}/queries/${id}`, query })
      return true
    } catch (error) {
      failureOf(error)
      return false
    }
  }

  /** One id, submitted until it is known to exist. */
  const settled = async (id: string, submit: Submit, configuration?: Configuration): Promise<Job> => {
    for (let tried = 1; ; tried++) {
      try {
        return await submit(id)
      } catch (error) {
        const failure = failureOf(error)
        if (!failure.passing && failure.status !== 409) throw failure
        const found = await find(id)
        if (found !== undefined) return sameWork(found, configuration)
        if (tried >= api.policy.request.tries) throw failure
        await pause(api.policy, api.clock, tried)
      }
    }
  }

  const succeeded = async (id: string, submit: Submit, configuration?: Configuration): Promise<Job> => {
    const job = await finished(await settled(id, submit, configuration))
    if (job.status.errorResult !== undefined) throw jobFailure(job.status.errorResult)
    return job
  }

  const runBy = async (name: string, submit: Submit, what: string): Promise<Job> => {
    for (let tried = 1; ; tried++) {
      number += 1
      const id = jobId(`${name}-${token}-${number}`)
      try {
        return await succeeded(id, submit)
      } catch (error) {
        const failure = failureOf(error)
        // Only a job that ended is worth a new number: where nobody answers, the tries are used up already.
        if (!failure.passing || failure.status !== 200 || tried >= api.policy.request.tries) throw failed(api, failure, what, id)
        await pause(api.policy, api.clock, tried)
      }
    }
  }

  return {
    run: (name, configuration, what) => runBy(name, insert(configuration), what),
    runBy,
    one: (id, configuration) => succeeded(id, insert(configuration), configuration),
    find,
    finished,
  }
}

/** A job is only adopted if it is what we would have submitted: the same text, for the same run. */
function sameWork(found: Job, configuration: Configuration | undefined): Job {
  const of = (query: unknown) => {
    const { query: text, queryParameters } = (query ?? {}) as { query?: string; queryParameters?: readonly Parameter[] }
    return [text, queryParameters?.find(parameter => parameter.name === 'run')?.parameterValue.value].join('\n')
  }
  if (configuration === undefined || of(found.configuration?.query) === of(configuration.query)) return found
  throw new EtlError(
    'bug',
    `the job ${found.jobReference.jobId} is another one than that which was to be submitted under its id.`,
  )
}

/** BigQuery: jobReference.jobId, letters a-z, A-Z, digits, _ and -, at most 1 024. */
export function jobId(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 1024)
}

/** A failure with the reason of a job that another one stands in the way of. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Failure && (error.reason === 'duplicate' || error.status === 409)
}

import { EtlError } from '../domain/error.ts'
import type { TableRef } from '../domain/source.ts'

/** A path behind `projects/` of a local BigQuery's API, asked as any client would; a `body` makes it a POST. */
export function call(url: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${url}/bigquery/v2/projects/${path}`, body === undefined ? {} : posted(body))
}

function posted(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Makes a dataset that may be there already. Throws EtlError. */
export async function makeDataset(url: string, project: string, dataset: string, location: string): Promise<void> {
  const answer = await call(url, `${project}/datasets`, {
    datasetReference: { projectId: project, datasetId: dataset },
    location,
  })
  if (!answer.ok && answer.status !== 409) throw await refused(answer, `dataset ${project}.${dataset}`)
}

/** Waits for the job that `answer` tells of. @returns what it failed with, if it did. */
export async function finished(url: string, project: string, answer: Response): Promise<string | undefined> {
  let job = (await answer.json()) as Job
  while (job.status.state !== 'DONE') {
    const { jobId } = job.jobReference
    await (await call(url, `${project}/queries/${jobId}?timeoutMs=10000&maxResults=0`)).arrayBuffer()
    job = (await (await call(url, `${project}/jobs/${jobId}`)).json()) as Job
  }
  return job.status.errorResult?.message
}

type Job = {
  readonly jobReference: { readonly jobId: string }
  readonly status: { readonly state: string; readonly errorResult?: { readonly message: string } }
}

/** The tables that a query names, by Google's analyser; those without a project lie in `project`. Throws EtlError. */
export async function namedTables(url: string, sql: string, project: string): Promise<readonly TableRef[]> {
  const answer = await fetch(`${url}/_local/tables`, posted({ sql, project }))
  const body = (await answer.json()) as { tables?: readonly TableRef[]; error?: { message?: string } }
  if (answer.ok) return body.tables ?? []
  const isAbsent = answer.status === 501
  throw new EtlError(
    isAbsent ? 'unavailable' : 'query',
    `${body.error?.message ?? `the local BigQuery answers ${answer.status}`}.`,
  )
}

export async function refused(answer: Response, what: string): Promise<EtlError> {
  return new EtlError(
    'unavailable',
    `the local BigQuery did not make ${what}: ${answer.status} ${(await answer.text()).slice(0, 300)}`,
  )
}

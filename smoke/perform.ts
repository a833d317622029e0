import { datasetExists } from '../src/adapters/bigquery/tables.ts'
import { clock } from '../src/adapters/clock.ts'
import type { Config } from '../src/config.ts'
import { EtlError } from '../src/domain/error.ts'
import { type Check, fails, notLocal, skipped, type Verdict } from './check.ts'
import { isOurs, type Names } from './names.ts'
import type { Line } from './report.ts'
import { failureFrom, type Given, openWorld, said, type World } from './world.ts'

/**
 * Runs the checks one after the other; a failure ends one check only. Deletes what they made, whatever happened. After SIGINT or SIGTERM the
 * remaining ones are skipped. Throws EtlError where the datasets are not those that were named.
 */
export async function perform(
  config: Config,
  names: Names,
  given: Given,
  checks: readonly Check[],
  tell: (line: Line) => void,
): Promise<readonly Line[]> {
  const world = await openWorld(config, names, given)
  await prepare(world)
  const stop = new AbortController()
  const stopped = () => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopped)
  const lines: Line[] = []
  try {
    for (const check of checks) {
      const started = clock.now().getTime()
      const verdict = stop.signal.aborted ? skipped('stopped') : await verdictOf(check, world)
      const line = { check, verdict, seconds: (clock.now().getTime() - started) / 1000 }
      lines.push(line)
      tell(line)
    }
  } finally {
    await cleanUp(world)
  }
  return lines
}

async function verdictOf(check: Check, world: World): Promise<Verdict> {
  try {
    return await check.run(world)
  } catch (error) {
    if (error instanceof EtlError && error.cause === undefined) return fails(error.problem)
    const failure = failureFrom(error)
    if (world.api.local && (failure.reason === 'notImplemented' || failure.status === 501)) return notLocal(`: ${said(failure)}`)
    return fails(said(failure))
  }
}

/** The service's datasets are made by nais; a local server's by us. What answers must be what was named, and lie where the jobs run. */
async function prepare({ api, names }: World): Promise<void> {
  for (const dataset of [names.dataset, `${names.dataset}_etl`]) {
    const there = await datasetExists(api, api.project, dataset)
    if (!there && !api.local)
      throw new EtlError('notFound', `dataset ${dataset} not found in project ${api.project}.`, {
        hint: 'naisjob.yaml makes both: spec.gcp.bigQueryDatasets',
      })
    if (!there) {
      const datasetReference = { projectId: api.project, datasetId: dataset }
      await api.once({ method: 'POST', path: `${api.project}/datasets`, body: { datasetReference, location: api.location } })
    }
    type Dataset = { datasetReference: { projectId: string; datasetId: string }; location?: string }
    const { datasetReference, location } = await api.repeat<Dataset>({ path: `${api.project}/datasets/${dataset}` })
    if (datasetReference.datasetId !== dataset || datasetReference.projectId !== api.project)
      throw new EtlError(
        'notFound',
        `dataset ${dataset} answers as ${datasetReference.projectId}.${datasetReference.datasetId}: nothing was made.`,
      )
    if (location?.toLowerCase() !== api.location.toLowerCase())
      throw new EtlError('config', `dataset ${dataset} lies in ${location}, the jobs would run in ${api.location}.`, {
        hint: 'add --location',
      })
  }
}

/** Deletes the tables whose names carry this run's token; what can't be deleted expires within a day (stages: two). */
async function cleanUp({ api, names }: World): Promise<void> {
  for (const dataset of [names.dataset, `${names.dataset}_etl`]) {
    const path = `${api.project}/datasets/${dataset}/tables`
    type Page = { tables?: readonly { tableReference: { tableId: string } }[]; nextPageToken?: string }
    const found: string[] = []
    for (let token: string | undefined = ''; token !== undefined; ) {
      const answer: Page = await api.repeat<Page>({
        path,
        query: { maxResults: 1000, ...(token === '' ? {} : { pageToken: token }) },
      })
      found.push(...(answer.tables ?? []).map(({ tableReference }) => tableReference.tableId))
      token = answer.nextPageToken
    }
    // Views and snapshots first would not matter: nothing of ours hinders a delete.
    for (const table of found.filter(name => isOurs(names, name)))
      await api.repeat({ method: 'DELETE', path: `${path}/${encodeURIComponent(table)}` }).catch(() => undefined)
  }
}

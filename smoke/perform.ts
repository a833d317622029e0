import type { Failure } from '../src/adapters/bigquery/errors.ts'
import { datasetExists } from '../src/adapters/bigquery/tables.ts'
import { clock } from '../src/adapters/clock.ts'
import type { Config } from '../src/config.ts'
import { EtlError } from '../src/domain/error.ts'
import { type Check, fails, notLocal, skipped, type Verdict } from './check.ts'
import { isOurs, type Names } from './names.ts'
import type { Line } from './report.ts'
import { failureFrom, failureIn, type Given, openWorld, said, type World } from './world.ts'

/** Not begun: somebody stopped the command. */
export const stopped = skipped('stopped')

/**
 * Runs the checks one after the other; a failure ends one check only. Deletes what they made, whatever happened. After SIGINT or SIGTERM the
 * remaining ones are skipped. `left`: what could not be deleted, which expires. Throws EtlError where the datasets are not those that were named.
 */
export async function perform(
  config: Config,
  names: Names,
  given: Given,
  checks: readonly Check[],
  tell: (line: Line) => void,
): Promise<{ readonly lines: readonly Line[]; readonly left: readonly string[] }> {
  const world = await openWorld(config, names, given)
  await prepare(world)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const lines: Line[] = []
  for (const check of checks) {
    const started = clock.now().getTime()
    const verdict = stop.signal.aborted ? stopped : await verdictOf(check, world)
    const line = { check, verdict, seconds: (clock.now().getTime() - started) / 1000 }
    lines.push(line)
    tell(line)
  }
  return { lines, left: await cleanUp(world) }
}

async function verdictOf(check: Check, world: World): Promise<Verdict> {
  try {
    return await check.run(world)
  } catch (error) {
    const failure = failureOrNone(error)
    if (failure === undefined) return fails(error instanceof EtlError ? error.problem : `${(error as Error).name} (a defect)`)
    if (world.api.local && (failure.reason === 'notImplemented' || failure.status === 501)) return notLocal(`: ${said(failure)}`)
    return fails(said(failure))
  }
}

/** What the service said, if it was the service. */
function failureOrNone(error: unknown): Failure | undefined {
  try {
    return failureFrom(error)
  } catch {
    return undefined
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

/** Deletes the tables whose names carry this run's token. @returns those that are still there, or why nobody knows; they expire (a day, stages two). */
async function cleanUp({ api, names }: World): Promise<readonly string[]> {
  const left: string[] = []
  for (const dataset of [names.dataset, `${names.dataset}_etl`]) {
    const path = `${api.project}/datasets/${dataset}/tables`
    try {
      for (const table of (await tablesIn(api, path)).filter(name => isOurs(names, name))) {
        const failure = await failureIn(api.repeat({ method: 'DELETE', path: `${path}/${encodeURIComponent(table)}` }))
        if (failure !== undefined && failure.status !== 404) left.push(`${dataset}.${table} (${said(failure)})`)
      }
    } catch (error) {
      left.push(`${dataset}: ${said(failureFrom(error))}`)
    }
  }
  return left
}

async function tablesIn(api: World['api'], path: string): Promise<readonly string[]> {
  type Page = { tables?: readonly { tableReference: { tableId: string } }[]; nextPageToken?: string }
  const found: string[] = []
  for (let pageToken: string | undefined, first = true; first || pageToken !== undefined; first = false) {
    const page: Page = await api.repeat<Page>({ path, query: { maxResults: 1000, pageToken } })
    found.push(...(page.tables ?? []).map(({ tableReference }) => tableReference.tableId))
    pageToken = page.nextPageToken
  }
  return found
}

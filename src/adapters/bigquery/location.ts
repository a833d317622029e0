import { EtlError } from '../../domain/error.ts'
import type { Api } from './api.ts'

/**
 * Refuses what does not lie where the jobs run: a query reads and writes datasets of its own location only (BigQuery: Dataset locations). Names of
 * locations have no case.
 * @throws EtlError `config`.
 */
export function checkLocation(api: Pick<Api, 'location'>, what: string, location: string | undefined): void {
  if (location === undefined || location.toLowerCase() === api.location.toLowerCase()) return
  throw new EtlError('config', `${what} lies in ${location}, and the jobs run in ${api.location}: one job can't reach both.`, {
    hint: `a dataset never moves: have a copy made in ${api.location}, or, if all datasets of the pipeline lie in ${location}, set ETL_LOCATION=${location}`,
  })
}

/** The same for a dataset that is there; one that isn't has no location. */
export async function checkDatasetLocation(api: Api, project: string, dataset: string): Promise<void> {
  const { location } = await api
    .repeat<{ readonly location?: string }>({ path: `${project}/datasets/${dataset}` })
    .catch(() => ({ location: undefined }))
  checkLocation(api, `dataset ${project}.${dataset}`, location)
}

import type { DuckDBConnection } from '@duckdb/node-api'
import { newEtag } from './catalogue.ts'
import { now } from './clock.ts'
import { BigQueryError, type Catalogue, type DatasetRef } from './contract.ts'
import { inTransaction, type Row, rowsOf } from './duck.ts'
import type { JsonObject } from './json.ts'
import { checkDatasetName, datasetExists, noSuchDataset } from './names.ts'

/** A dataset: what a client may write about it is kept as it came. */
export type Dataset = {
  readonly ref: DatasetRef
  readonly etag: string
  readonly createdAt: number
  readonly modifiedAt: number
  readonly body: JsonObject
}

export async function findDataset({ connection, kept }: Catalogue, ref: DatasetRef): Promise<Dataset> {
  const row = await kept.datasets.find(connection, key(ref), async () => {
    const rows = await rowsOf(connection, `SELECT * FROM _catalogue.datasets WHERE ${isDataset}`, [ref.project, ref.dataset])
    return rows[0]
  })
  if (!row) throw noSuchDataset(ref)
  return read(row)
}

export async function listDatasets(connection: DuckDBConnection, project: string): Promise<Dataset[]> {
  return (await rowsOf(connection, 'SELECT * FROM _catalogue.datasets WHERE project = $1 ORDER BY dataset', [project])).map(read)
}

/** Throws `duplicate` where it exists. */
export async function createDataset(catalogue: Catalogue, ref: DatasetRef, body: JsonObject): Promise<Dataset> {
  checkDatasetName(ref.dataset)
  const values = [ref.project, ref.dataset, newEtag(), now(), now(), JSON.stringify(body)]
  await rowsOf(catalogue.connection, 'INSERT INTO _catalogue.datasets VALUES ($1, $2, $3, $4, $5, $6)', values).catch(error => {
    throw /constraint/i.test(String(error)) ? datasetExists(ref) : error
  })
  return findDataset(catalogue, ref)
}

/** Writes a new body if the etag still fits (no etag: in any case). Throws `conditionNotMet`. */
export async function changeDataset(
  catalogue: Catalogue,
  ref: DatasetRef,
  etag: string | undefined,
  change: (body: JsonObject) => JsonObject,
): Promise<Dataset> {
  const { connection, kept } = catalogue
  return inTransaction(connection, async () => {
    kept.datasets.changing(connection, key(ref))
    const before = await findDataset(catalogue, ref)
    checkEtag(etag, before.etag)
    await rowsOf(connection, `UPDATE _catalogue.datasets SET etag = $3, modified = $4, body = $5 WHERE ${isDataset}`, [
      ref.project,
      ref.dataset,
      newEtag(),
      now(),
      JSON.stringify(change(before.body)),
    ])
    return findDataset(catalogue, ref)
  })
}

/** Throws `invalid` (resourceInUse on the service) where it still has tables and `deleteContents` is false. */
export async function deleteDataset(catalogue: Catalogue, ref: DatasetRef, deleteContents: boolean): Promise<void> {
  await inTransaction(catalogue.connection, async () => {
    catalogue.kept.datasets.changing(catalogue.connection, key(ref))
    await findDataset(catalogue, ref)
    const tables = await catalogue.list(ref)
    if (tables.length > 0 && !deleteContents) {
      throw new BigQueryError('resourceInUse', `Dataset ${ref.project}:${ref.dataset} is still in use`)
    }
    for (const table of tables) await catalogue.drop(table.ref)
    await rowsOf(catalogue.connection, `DELETE FROM _catalogue.datasets WHERE ${isDataset}`, [ref.project, ref.dataset])
  })
}

/** BigQuery REST: If-Match with an etag that isn't the present one is answered 412. */
export function checkEtag(expected: string | undefined, present: string): void {
  if (expected === undefined || expected === '*' || expected === present) return
  throw new BigQueryError('conditionNotMet', 'Precondition Failed', 'If-Match')
}

/** The dataset as the REST API answers it. */
export function datasetResource(dataset: Dataset, origin: string): object {
  const { project, dataset: id } = dataset.ref
  return {
    kind: 'bigquery#dataset',
    etag: dataset.etag,
    id: `${project}:${id}`,
    selfLink: `${origin}/bigquery/v2/projects/${project}/datasets/${id}`,
    ...dataset.body,
    datasetReference: { datasetId: id, projectId: project },
    creationTime: String(dataset.createdAt),
    lastModifiedTime: String(dataset.modifiedAt),
    type: 'DEFAULT',
  }
}

const key = ({ project, dataset }: DatasetRef) => `${project}.${dataset}`
const isDataset = 'project = $1 AND dataset = $2'

function read(row: Row): Dataset {
  return {
    ref: { project: String(row.project), dataset: String(row.dataset) },
    etag: String(row.etag),
    createdAt: Number(row.created),
    modifiedAt: Number(row.modified),
    body: JSON.parse(String(row.body)),
  }
}

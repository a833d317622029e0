import type { Call, Routes } from '../call.ts'
import { BigQueryError, type DatasetRef } from '../contract.ts'
import { changeDataset, createDataset, datasetResource, deleteDataset, findDataset, listDatasets } from '../datasets.ts'
import { rowsOf } from '../duck.ts'
import { type JsonObject, object, text } from '../json.ts'
import { listing, merged } from '../resource.ts'
import type { Database } from '../store.ts'

/** projects.list and the methods of datasets. */
export function datasetRoutes(database: Database): Routes {
  const ref = ({ at }: Call): DatasetRef => ({ project: at.project ?? '', dataset: at.dataset ?? '' })
  return {
    'GET /projects': () =>
      database.use(async ({ connection }) => {
        const rows = await rowsOf(connection, 'SELECT DISTINCT project FROM _catalogue.datasets ORDER BY project')
        const projects = rows.map(({ project: id }) => ({ kind: 'bigquery#project', id, projectReference: { projectId: id } }))
        return { body: { kind: 'bigquery#projectList', projects, totalItems: projects.length } }
      }),
    'GET /projects/:project/datasets': call =>
      database.use(async ({ connection }) => {
        const datasets = await listDatasets(connection, ref(call).project)
        const items = datasets.map(each => {
          const { friendlyName, labels, location } = each.body
          const { project, dataset } = each.ref
          const reference = { datasetId: dataset, projectId: project }
          return {
            kind: 'bigquery#dataset',
            id: `${project}:${dataset}`,
            datasetReference: reference,
            friendlyName,
            labels,
            location,
          }
        })
        return { body: { kind: 'bigquery#datasetList', ...listing(items, 'datasets', call.query) } }
      }),
    'POST /projects/:project/datasets': call =>
      database.use(async catalogue => {
        const body = await call.json()
        const project = ref(call).project
        const dataset = text(object(body.datasetReference, 'datasetReference').datasetId, 'datasetReference.datasetId')
        const made = await createDataset(catalogue, { project, dataset }, { ...defaults, ...writable(body) })
        return { body: datasetResource(made, call.origin) }
      }),
    'GET /projects/:project/datasets/:dataset': call =>
      database.use(async catalogue => ({ body: datasetResource(await findDataset(catalogue, ref(call)), call.origin) })),
    'PATCH /projects/:project/datasets/:dataset': call => change(call, (before, sent) => merged(before, sent)),
    'PUT /projects/:project/datasets/:dataset': call =>
      change(call, (before, sent) => ({ access: before.access, location: before.location, ...sent })),
    'DELETE /projects/:project/datasets/:dataset': call =>
      database.use(async catalogue => {
        await deleteDataset(catalogue, ref(call), call.query.get('deleteContents') === 'true')
        return {}
      }),
  }

  function change(call: Call, next: (before: JsonObject, sent: JsonObject) => JsonObject) {
    return database.use(async catalogue => {
      const sent = writable(await call.json())
      const changed = await changeDataset(catalogue, ref(call), call.headers['if-match'], before => {
        if (sent.location && sent.location !== before.location) {
          throw new BigQueryError('invalid', 'The location of a dataset cannot be changed after it is created.')
        }
        return next(before, sent)
      })
      return { body: datasetResource(changed, call.origin) }
    })
  }
}

/** What the server itself says about a dataset can't be written. */
function writable(body: JsonObject): JsonObject {
  const { kind, etag, id, selfLink, datasetReference, creationTime, lastModifiedTime, type, ...rest } = body
  return rest
}

/** BigQuery REST, Dataset.access: what a new dataset has when nothing else is said. */
const defaults: JsonObject = {
  location: 'europe-north1',
  access: [
    { role: 'WRITER', specialGroup: 'projectWriters' },
    { role: 'OWNER', specialGroup: 'projectOwners' },
    { role: 'READER', specialGroup: 'projectReaders' },
  ],
}

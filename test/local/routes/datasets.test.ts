import { expect, test } from 'vitest'
import { call, client, load, parquet, refusal } from '../support/client.ts'
import { useServer } from '../support/server.ts'

const server = useServer()

test('a dataset is made, read, listed and removed', async () => {
  const bigquery = client(server.url)
  await bigquery.createDataset('made', { location: 'europe-north1', labels: { team: 'nais-analyse' } })
  const [metadata] = await bigquery.dataset('made').getMetadata()
  expect(metadata).toMatchObject({
    id: 'p:made',
    location: 'europe-north1',
    labels: { team: 'nais-analyse' },
    datasetReference: { projectId: 'p', datasetId: 'made' },
  })
  const [datasets] = await bigquery.getDatasets()
  expect(datasets.map(dataset => dataset.id)).toContain('made')
  await bigquery.dataset('made').delete()
  expect(await bigquery.dataset('made').exists()).toEqual([false])
})

test('what another project has is not seen', async () => {
  await client(server.url, 'project-a').createDataset('mine')
  expect((await client(server.url, 'project-b').getDatasets())[0]).toEqual([])
  const { status, body } = await call(server.url, 'GET', '/projects')
  expect([status, body.projects.map((project: { id: string }) => project.id)]).toEqual([
    200,
    expect.arrayContaining(['project-a']),
  ])
})

test('a second one of the same name is a duplicate, a missing one not found, a bad name invalid', async () => {
  const bigquery = client(server.url)
  await bigquery.createDataset('twice')
  expect(await refusal(bigquery.createDataset('twice'))).toEqual({
    code: 409,
    reason: 'duplicate',
    message: 'Already Exists: Dataset p:twice',
  })
  expect(await refusal(bigquery.dataset('nowhere').getMetadata())).toEqual({
    code: 404,
    reason: 'notFound',
    message: 'Not found: Dataset p:nowhere',
  })
  expect((await refusal(bigquery.createDataset('with-dash'))).reason).toBe('invalid')
})

test('an error has the shape of Google’s APIs', async () => {
  const { status, body } = await call(server.url, 'GET', '/bigquery/v2/projects/p/datasets/nowhere')
  expect(status).toBe(404)
  expect(body).toEqual({
    error: {
      code: 404,
      message: 'Not found: Dataset p:nowhere',
      errors: [{ message: 'Not found: Dataset p:nowhere', domain: 'global', reason: 'notFound' }],
      status: 'NOT_FOUND',
    },
  })
})

test('access entries change by the etag that was read; a stale etag is refused with 412 and changes nothing', async () => {
  const dataset = client(server.url).dataset('granted')
  await dataset.create()
  const [before] = await dataset.getMetadata()
  const view = { view: { projectId: 'p', datasetId: 'other', tableId: 'v' } }
  await dataset.setMetadata({ access: [...before.access, view], etag: before.etag })
  const [after] = await dataset.getMetadata()
  expect(after.access).toEqual([...before.access, view])
  expect(after.etag).not.toBe(before.etag)
  expect(await refusal(dataset.setMetadata({ access: [], etag: before.etag }))).toMatchObject({
    code: 412,
    reason: 'conditionNotMet',
  })
  expect((await dataset.getMetadata())[0].access).toEqual(after.access)
})

test('PATCH merges labels and takes away what is null; PUT replaces what can be written', async () => {
  const path = '/projects/p/datasets/patched'
  await call(server.url, 'POST', '/projects/p/datasets', {
    datasetReference: { projectId: 'p', datasetId: 'patched' },
    description: 'first',
    labels: { a: '1', b: '2' },
  })
  const patched = await call(server.url, 'PATCH', path, { labels: { b: null, c: '3' }, description: null, friendlyName: 'name' })
  expect(patched.body).toMatchObject({ labels: { a: '1', c: '3' }, friendlyName: 'name', location: 'europe-north1' })
  expect(patched.body.labels.b).toBeUndefined()
  expect(patched.body.description).toBeUndefined()
  const replaced = await call(server.url, 'PUT', path, { description: 'second' })
  expect([replaced.body.description, replaced.body.labels, replaced.body.friendlyName]).toEqual(['second', undefined, undefined])
})

test('a dataset stays where it is', async () => {
  await client(server.url).createDataset('placed', { location: 'EU' })
  const moved = refusal(client(server.url).dataset('placed').setMetadata({ location: 'US' }))
  expect(await moved).toMatchObject({ code: 400, message: 'The location of a dataset cannot be changed after it is created.' })
})

test('a dataset with tables goes only with deleteContents, and then the tables are gone too', async () => {
  const bigquery = client(server.url)
  await bigquery.createDataset('full')
  await load(bigquery, 'full', 't', await parquet(server.dir, 'SELECT 1 AS n'))
  expect(await refusal(bigquery.dataset('full').delete())).toMatchObject({ code: 400, reason: 'resourceInUse' })
  await bigquery.dataset('full').delete({ force: true })
  await bigquery.createDataset('full')
  expect(await bigquery.dataset('full').table('t').exists()).toEqual([false])
})

test('lists come in pages', async () => {
  for (const dataset of ['a', 'b', 'c']) await client(server.url, 'paged').createDataset(dataset)
  const first = (await call(server.url, 'GET', '/projects/paged/datasets?maxResults=2')).body
  const second = (await call(server.url, 'GET', `/projects/paged/datasets?maxResults=2&pageToken=${first.nextPageToken}`)).body
  const ids = [...first.datasets, ...second.datasets].map(
    (dataset: { datasetReference: { datasetId: string } }) => dataset.datasetReference.datasetId,
  )
  expect([ids, second.nextPageToken]).toEqual([['a', 'b', 'c'], undefined])
})

test('what the server does not have is refused with a sentence', async () => {
  const { status, body } = await call(server.url, 'GET', '/bigquery/v2/projects/p/datasets/d/models')
  expect(status).toBe(501)
  expect(body.error.message).toBe(
    'The local BigQuery has no GET /projects/p/datasets/d/models. It answers datasets, tables, tabledata.list, jobs, queries and uploads; nothing else of the API.',
  )
})

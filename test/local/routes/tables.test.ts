import { beforeAll, expect, test } from 'vitest'
import { type Answered, call, client, load, parquet, refusal } from '../support/client.ts'
import { useServer } from '../support/server.ts'

const server = useServer()
beforeAll(() => client(server.url).createDataset('d'))
const dataset = () => client(server.url).dataset('d')
const fields = (metadata: { schema: { fields: { name: string; type: string; mode: string }[] } }) =>
  metadata.schema.fields.map(({ name, type, mode }) => `${name} ${type} ${mode}`)

test('a table keeps what it was made with, and legacy type names are the same types', async () => {
  await dataset().createTable('full', {
    schema: [
      { name: 'dato', type: 'DATE', mode: 'REQUIRED', description: 'the day' },
      { name: 'n', type: 'INT' },
      { name: 'm', type: 'INT64' },
      { name: 'f', type: 'FLOAT64' },
      { name: 'b', type: 'BOOL' },
      { name: 'r', type: 'STRUCT', mode: 'REPEATED', fields: [{ name: 'x', type: 'BIGNUMERIC' }] },
    ],
    timePartitioning: { type: 'DAY', field: 'dato', expirationMs: '86400000' },
    clustering: { fields: ['n'] },
    requirePartitionFilter: true,
    description: 'apps',
    friendlyName: 'Apps',
    labels: { team: 'nais' },
    expirationTime: '4102444800000',
  })
  const [metadata] = await dataset().table('full').getMetadata()
  expect(fields(metadata)).toEqual([
    'dato DATE REQUIRED',
    'n INTEGER NULLABLE',
    'm INTEGER NULLABLE',
    'f FLOAT NULLABLE',
    'b BOOLEAN NULLABLE',
    'r RECORD REPEATED',
  ])
  expect(metadata).toMatchObject({
    timePartitioning: { type: 'DAY', field: 'dato', expirationMs: '86400000' },
    clustering: { fields: ['n'] },
    requirePartitionFilter: true,
    description: 'apps',
    friendlyName: 'Apps',
    labels: { team: 'nais' },
    expirationTime: '4102444800000',
    numRows: '0',
    numBytes: '0',
    type: 'TABLE',
    location: 'europe-north1',
  })
  expect(metadata.schema.fields[0].description).toBe('the day')
  expect(metadata.schema.fields[5].fields).toEqual([{ name: 'x', type: 'BIGNUMERIC', mode: 'NULLABLE' }])
})

test('numRows and numBytes follow the rows, by BigQuery’s sizes', async () => {
  await load(client(server.url), 'd', 'sized', await parquet(server.dir, "SELECT * FROM (VALUES (1, 'æ'), (2, NULL)) AS t(n, s)"))
  const [metadata] = await dataset().table('sized').getMetadata()
  // Two INT64 of 8 bytes, one STRING of 2 + 2 bytes, one NULL of none.
  expect([metadata.numRows, metadata.numBytes]).toEqual(['2', '20'])
})

test('names are unique, tables need their dataset, and a missing one is not found', async () => {
  await dataset().createTable('once', { schema: 'n:INT64' })
  expect(await refusal(dataset().createTable('once', { schema: 'n:INT64' }))).toEqual({
    code: 409,
    reason: 'duplicate',
    message: 'Already Exists: Table p:d.once',
  })
  expect(await refusal(dataset().table('nope').getMetadata())).toEqual({
    code: 404,
    reason: 'notFound',
    message: 'Not found: Table p:d.nope',
  })
  const elsewhere = client(server.url).dataset('nowhere')
  expect((await refusal(elsewhere.createTable('t', { schema: 'n:INT64' }))).message).toBe('Not found: Dataset p:nowhere')
})

test('columns can be added and relaxed; the rows that were there get null, or an empty array', async () => {
  const path = await parquet(server.dir, "SELECT 1 AS n, {'a': 1} AS r, [{'b': 1}] AS l")
  await load(client(server.url), 'd', 'grown', path)
  const table = dataset().table('grown')
  const [before] = await table.getMetadata()
  const [n, r, l] = before.schema.fields
  const deeper = (field: Answered, name: string) => ({ ...field, fields: [...field.fields, { name, type: 'STRING' }] })
  await table.setMetadata({
    schema: {
      fields: [
        n,
        deeper(r, 'c'),
        deeper(l, 'c'),
        { name: 'added', type: 'STRING' },
        { name: 'list', type: 'DATE', mode: 'REPEATED' },
      ],
    },
  })
  expect((await table.getRows())[0]).toEqual([{ n: 1, r: { a: 1, c: null }, l: [{ b: 1, c: null }], added: null, list: [] }])
})

test.each([
  ['gone', [{ name: 'other', type: 'STRING' }], 'Field n is missing in new schema'],
  ['of another type', [{ name: 'n', type: 'STRING' }], 'Field n has changed type from INTEGER to STRING'],
  ['stricter', [{ name: 'n', type: 'INT64', mode: 'REQUIRED' }], 'Field n has changed mode from NULLABLE to REQUIRED'],
  [
    'joined by a REQUIRED one',
    [
      { name: 'n', type: 'INT64' },
      { name: 'm', type: 'INT64', mode: 'REQUIRED' },
    ],
    'Cannot add required fields to an existing schema. (field: m)',
  ],
])('a schema where a column is %s is refused', async (what, schema, message) => {
  const name = `kept_${what.replaceAll(' ', '_')}`
  await dataset().createTable(name, { schema: 'n:INT64' })
  const refused = await refusal(
    dataset()
      .table(name)
      .setMetadata({ schema: { fields: schema } }),
  )
  expect(refused).toEqual({
    code: 400,
    reason: 'invalid',
    message: `Provided Schema does not match Table p:d.${name}. ${message}`,
  })
  expect(fields((await dataset().table(name).getMetadata())[0])).toEqual(['n INTEGER NULLABLE'])
})

test('metadata changes by the etag that was read', async () => {
  const table = dataset().table('etag')
  await table.create({ schema: 'n:INT64' })
  const [before] = await table.getMetadata()
  await table.setMetadata({ description: 'first', labels: { a: '1' }, etag: before.etag })
  expect(await refusal(table.setMetadata({ description: 'second', etag: before.etag }))).toMatchObject({
    code: 412,
    reason: 'conditionNotMet',
  })
  expect((await table.getMetadata())[0].description).toBe('first')
  const patched = await call(server.url, 'PATCH', '/projects/p/datasets/d/tables/etag', {
    labels: { a: null, b: '2' },
    description: null,
  })
  expect([patched.body.labels, patched.body.description]).toEqual([{ b: '2' }, undefined])
  const replaced = await call(server.url, 'PUT', '/projects/p/datasets/d/tables/etag', { friendlyName: 'x' })
  expect([replaced.body.labels, replaced.body.friendlyName, fields(replaced.body)]).toEqual([
    undefined,
    'x',
    ['n INTEGER NULLABLE'],
  ])
})

test('an expired table is no table, and its name is free', async () => {
  await dataset().createTable('brief', { schema: 'n:INT64', expirationTime: '1000' })
  expect(await dataset().table('brief').exists()).toEqual([false])
  await dataset().createTable('brief', { schema: 's:STRING' })
  expect(fields((await dataset().table('brief').getMetadata())[0])).toEqual(['s STRING NULLABLE'])
})

test('a new table takes the default expiration of its dataset', async () => {
  await client(server.url).createDataset('short', { defaultTableExpirationMs: '3600000' })
  await client(server.url).dataset('short').createTable('t', { schema: 'n:INT64' })
  const [metadata] = await client(server.url).dataset('short').table('t').getMetadata()
  expect(Number(metadata.expirationTime) - Number(metadata.creationTime)).toBeGreaterThan(3_500_000)
})

test('a table is removed, and listed only while it is there', async () => {
  await client(server.url).createDataset('listed')
  const listed = client(server.url).dataset('listed')
  await listed.createTable('a', { schema: 'n:INT64' })
  await listed.createTable('b', { schema: 'n:INT64' })
  await listed.table('a').delete()
  expect((await listed.getTables())[0].map(table => table.id)).toEqual(['b'])
})

test('a view has the schema of its query', async () => {
  await load(client(server.url), 'd', 'seen', await parquet(server.dir, "SELECT 1 AS n, 'x' AS s"))
  await dataset().createTable('view', { view: { query: 'SELECT s, n AS number FROM `p.d.seen`', useLegacySql: false } })
  const [metadata] = await dataset().table('view').getMetadata()
  expect(metadata).toMatchObject({ type: 'VIEW', view: { query: 'SELECT s, n AS number FROM `p.d.seen`', useLegacySql: false } })
  expect(fields(metadata)).toEqual(['s STRING NULLABLE', 'number INTEGER NULLABLE'])
})

test.each([
  [{ rangePartitioning: {} }, "The local BigQuery has no tables with 'rangePartitioning'."],
  [
    { timePartitioning: { type: 'DAY' } },
    'The local BigQuery partitions by a column only (timePartitioning.field), not by ingestion time.',
  ],
  [
    { schema: { fields: [{ name: 's', type: 'STRING', maxLength: '10' }] } },
    "The local BigQuery doesn't keep 'maxLength' of a column (s). Leave it out here.",
  ],
])('what would be lost is refused: %o', async (wish, message) => {
  const body = { tableReference: { projectId: 'p', datasetId: 'd', tableId: 'refused' }, ...wish }
  const { status, body: answer } = await call(server.url, 'POST', '/projects/p/datasets/d/tables', body)
  expect([status, answer.error.message]).toEqual([501, message])
})

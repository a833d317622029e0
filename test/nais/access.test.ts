import { expect, test } from 'vitest'
import { env } from '../../src/domain/env.ts'
import { accessOf } from '../../src/nais/access.ts'
import { copying } from './support.ts'

test('a target asks for READWRITE on its dataset and the one beside it, once, however many pipelines share it', () => {
  expect(accessOf([copying('a'), copying('b')], 'prod').datasets).toEqual([
    { name: 'things', permission: 'READWRITE' },
    { name: 'things_etl', permission: 'READWRITE' },
  ])
})

test('every result of a pipeline asks for its dataset', () => {
  const [a, b] = [copying('a'), copying('b', { to: 'more' })]
  const { to, write, transform } = b
  const both = { ...a, also: [{ to, write, transform, audits: [], empty: 'refused' }] } as unknown as typeof a
  expect(accessOf([both], 'prod').datasets.map(({ name }) => name)).toEqual(['more', 'more_etl', 'things', 'things_etl'])
})

test('a source of the own project asks for READ, unless its dataset is written anyway', () => {
  const pipelines = [copying('a', { from: 'raw.rows' }), copying('b', { from: 'things.a' })]
  expect(accessOf(pipelines, 'prod').datasets.at(-1)).toEqual({ name: 'raw', permission: 'READ' })
  expect(accessOf(pipelines, 'prod').datasets).toHaveLength(3)
})

test('a source of another project asks for nothing: its owner gives access', () => {
  const access = accessOf([copying('a', { from: env({ dev: 'their-dev.raw.rows', prod: 'their-prod.raw.rows' }) })], 'dev')
  expect(access.datasets.map(entry => entry.permission)).toEqual(['READWRITE', 'READWRITE'])
  expect(access.elsewhere).toEqual(['their-dev.raw.rows'])
})

test('a source dataset that nais has no word for is refused', () => {
  expect(() => accessOf([copying('a', { from: 'RawData.rows' })], 'prod')).toThrow(
    /can't give access to the source dataset RawData: .* Hint: name it with its project/,
  )
})

test('a federated source asks for the right to use connections of the own project, once, and for nothing of another', () => {
  const federated = (name: string, connection: string) => {
    const made = copying(name)
    return { ...made, from: { a: { ...Object.values(made.from)[0], kind: 'external', connection } } } as unknown as typeof made
  }
  const own = accessOf([federated('a', 'nada'), federated('b', 'europe-north1.nada')], 'prod')
  expect(own.permissions).toEqual([
    {
      role: 'roles/bigquery.connectionUser',
      resource: { apiVersion: 'resourcemanager.cnrm.cloud.google.com/v1beta1', kind: 'Project' },
    },
  ])
  const theirs = accessOf([federated('a', 'theirs.europe-north1.nada')], 'prod')
  expect(theirs).toMatchObject({ permissions: [], elsewhere: ['connection theirs.europe-north1.nada'] })
  expect(accessOf([copying('a')], 'prod').permissions).toEqual([])
})

test('a large source asks for the role of the Storage Read API, unless no row of it leaves BigQuery', () => {
  const large = copying('a', { large: true })
  expect(accessOf([copying('a')], 'prod').permissions).toEqual([])
  expect(accessOf([copying('a'), large], 'prod').permissions.map(({ role }) => role)).toEqual(['roles/bigquery.readSessionUser'])
  const sql = { kind: 'sql', strings: ['SELECT 1'], names: [] } as const
  expect(accessOf([{ ...large, transform: sql }], 'prod').permissions).toEqual([])
})

test('what a query reads is a source like any: READ in the own project, in others their owners give it', () => {
  const reads = {
    one: [
      { project: '', dataset: 'raw', table: 'events_*' },
      { project: '', dataset: 'things', table: 'old' },
    ],
    other: [{ project: 'their-prod', dataset: 'raw', table: 'rows' }],
    strange: null,
  }
  const access = accessOf([{ ...copying('a', { from: 'raw.rows' }), reads }], 'prod')
  expect(access.datasets.map(({ name, permission }) => [name, permission])).toEqual([
    ['things', 'READWRITE'],
    ['things_etl', 'READWRITE'],
    ['raw', 'READ'],
  ])
  expect(access.elsewhere).toEqual([
    'their-prod.raw.rows',
    "what the query strange of a reads (Google's analyser doesn't understand it)",
  ])
})

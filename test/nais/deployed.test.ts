import { describe, expect, test } from 'vitest'
import { cronOf } from '../../src/engine/tick.ts'
import { datasetDifferences, naisjobDifferences } from '../../src/nais/deployed.ts'
import { naisjobsOf } from '../../src/nais/files.ts'
import { copying, deployment } from './support.ts'

type Json = { [key: string]: Json } & Json[]
const [job] = naisjobsOf([copying('a', { from: 'raw.rows' })], deployment, cronOf, 'dev')
if (job === undefined) throw new Error('no job')
/** What the cluster has: the same, with what the platform adds. */
const cluster = (change: (job: Json) => unknown = () => undefined): Json => {
  const copy = JSON.parse(JSON.stringify(job)) as Json
  Object.assign(copy.spec ?? {}, { image: 'europe-north1-docker.pkg.dev/x/y:1', parallelism: 1 })
  Object.assign(copy, { status: { synchronizationState: 'RolloutComplete' } })
  change(copy)
  return copy
}
const spec = (copy: Json) => copy.spec as unknown as Record<string, unknown>
const datasets = (copy: Json) => copy.spec?.gcp?.bigQueryDatasets as unknown as { name: string; permission: string }[]

describe('the Naisjob in the cluster', () => {
  test('is the generated one, whatever the platform added', () => {
    expect(naisjobDifferences(job, cluster())).toEqual([])
  })

  test('has another schedule, command or variable: a deployment changes that', () => {
    const found = cluster(copy => {
      spec(copy).schedule = '0 7 * * *'
      spec(copy).command = ['node', 'bin/etl.js', 'run', 'b']
      spec(copy).env = [{ name: 'ETL_DEADLINE_SECONDS', value: '60' }]
    })
    expect(naisjobDifferences(job, found).map(({ path, found: has, ignored }) => [path, has, ignored])).toEqual([
      ['spec.command', '["node","bin/etl.js","run","b"]', false],
      ['spec.schedule', '0 7 * * *', false],
      ['spec.env[ETL_DEADLINE_SECONDS].value', '60', false],
    ])
  })

  test('lacks a dataset: a deployment makes it', () => {
    const found = cluster(copy => datasets(copy).splice(2))
    expect(naisjobDifferences(job, found)).toEqual([
      { path: 'spec.gcp.bigQueryDatasets[raw].name', wanted: 'raw', found: 'nothing', ignored: false },
      { path: 'spec.gcp.bigQueryDatasets[raw].permission', wanted: 'READ', found: 'nothing', ignored: false },
    ])
  })

  test('has another permission of a dataset: the platform ignores the change', () => {
    const found = cluster(copy => {
      for (const entry of datasets(copy)) if (entry.name === 'things') entry.permission = 'READ'
    })
    expect(naisjobDifferences(job, found)).toEqual([
      { path: 'spec.gcp.bigQueryDatasets[things].permission', wanted: 'READWRITE', found: 'READ', ignored: true },
    ])
  })

  test('is nothing: everything differs', () => {
    expect(naisjobDifferences(job, {}).map(({ path }) => path)).toContain('spec.schedule')
  })
})

describe('the datasets as nais made them', () => {
  // google.nais.io/v1 BigQueryDataset, as naiserator writes it (testdata/naisjob/gcp_bigquery_cascading_delete.yaml).
  const made = (name: string, role: string, owner = 'naisapps-agg-dataproduct', description?: string) => ({
    kind: 'BigQueryDataset',
    metadata: { name: `${owner}-${name}`.replaceAll('_', '-'), ownerReferences: [{ kind: 'Naisjob', name: owner }] },
    spec: { name, location: 'europe-north1', description, access: [{ role, userByEmail: 'job@p.iam.gserviceaccount.com' }] },
  })

  test('give the access that the manifest says', () => {
    expect(datasetDifferences(job, [made('things', 'WRITER'), made('things_etl', 'WRITER'), made('raw', 'READER')])).toEqual([])
  })

  test('were made with another access, which no deployment changes', () => {
    expect(datasetDifferences(job, [made('things', 'READER')])).toEqual([
      { path: 'spec.gcp.bigQueryDatasets[things].permission', wanted: 'READWRITE', found: 'READER', ignored: true },
    ])
  })

  test('of another workload don’t count', () => {
    expect(datasetDifferences(job, [made('things', 'READER', 'another-job')])).toEqual([])
  })
})

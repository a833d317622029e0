import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { env } from '../../src/domain/env.ts'
import { cronOf } from '../../src/engine/tick.ts'
import { bq, dataset, pg, pipeline, postgres, replace, row } from '../../src/index.ts'
import { manifestFiles } from '../../src/nais/files.ts'
import { nodeFlags, resources } from '../../src/nais/memory.ts'
import appsPerEnv from '../../src/pipelines/apps-per-env.ts'
import { copying, deployment, text } from './support.ts'

type Json = { [key: string]: Json } & Json[]

/** The platform's schema of a Naisjob, with every key that it doesn't name refused. */
const valid = new Ajv({ strict: true, unicodeRegExp: false, formats: { int32: true, int64: true, 'date-time': true } })
  .addVocabulary(['x-kubernetes-validations'])
  .compile(
    closed((parse(text('test/nais/crds/nais.io_naisjobs.yaml')) as Json).spec?.versions?.[0]?.schema?.openAPIV3Schema as Json),
  )

function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed) as unknown as Json
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(
    Object.entries<Json>(schema).map(([key, value]) => [key, key === 'enum' ? value : closed(value)]),
  )
  // `metadata` is a bare object in every CRD: Kubernetes knows its keys.
  const open = inner.properties === undefined || 'additionalProperties' in inner
  return (open ? inner : { ...inner, additionalProperties: false }) as unknown as Json
}

function naisjobs(pipelines: Parameters<typeof manifestFiles>[0], path = 'naisjob.yaml'): Json[] {
  const file = manifestFiles(pipelines, deployment, cronOf).find(made => made.path === path)
  return parseAllDocuments(file?.text ?? '').map(document => document.toJS() as Json)
}

const flagship = { ...appsPerEnv, name: 'apps-per-env' }

const Sak = row({ id: bq.int64() })
const sak = postgres(Sak, 'SAK_DB', pg`SELECT id FROM sak`)
const fromPostgres = {
  ...pipeline({ schedule: '30 6 * * *', from: { sak }, to: dataset('ut').table('sak', Sak), write: replace() }),
  name: 'sak',
}

test('a secret of its own gives the address of a Postgres', () => {
  expect(naisjobs([fromPostgres])[0]?.spec?.envFrom).toEqual([{ secret: 'sak-db' }])
  expect(naisjobs([flagship])[0]?.spec?.envFrom).toBeUndefined()
})

describe('the platform', () => {
  test.each([
    ['the flagship', [flagship]],
    ['a large source', [copying('large', { large: true })]],
    ['a Postgres of its own', [fromPostgres]],
    ['two schedules', [flagship, copying('hourly', { schedule: '5 * * * *' })]],
  ])('takes the Naisjobs of %s', (_, pipelines) => {
    for (const job of naisjobs(pipelines)) {
      expect(valid(job), JSON.stringify(valid.errors)).toBe(true)
    }
  })

  test.each([
    ['prometheus', { spec: { prometheus: { enabled: true } } }],
    ['args', { spec: { args: ['run'] } }],
    ['a misspelt timezone', { spec: { timezone: 'Europe/Oslo' } }],
    [
      'a dataset that is written to but not by this word',
      { spec: { gcp: { bigQueryDatasets: [{ name: 'a_b', permission: 'WRITE' }] } } },
    ],
  ])('refuses %s (the test itself can fail)', (_, extra) => {
    const [job] = naisjobs([flagship])
    expect(valid({ ...job, ...extra })).toBe(false)
  })
})

test('the flagship runs at 06:30 in Norway, one at a time, with just the rights to its two datasets', () => {
  const [job, ...others] = naisjobs([flagship])
  expect(others).toEqual([])
  expect(job).toEqual({
    apiVersion: 'nais.io/v1',
    kind: 'Naisjob',
    metadata: { name: 'naisapps-agg-dataproduct', namespace: 'nais-analyse', labels: { team: 'nais-analyse' } },
    spec: {
      command: ['node', ...nodeFlags, 'bin/etl.js', 'run', 'apps-per-env'],
      schedule: '30 6 * * *',
      timeZone: 'Europe/Oslo',
      concurrencyPolicy: 'Forbid',
      activeDeadlineSeconds: 3600,
      env: [{ name: 'ETL_DEADLINE_SECONDS', value: '3600' }],
      backoffLimit: 2,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 60,
      resources,
      gcp: {
        bigQueryDatasets: [
          { name: 'apps_aggregated', permission: 'READWRITE' },
          { name: 'apps_aggregated_etl', permission: 'READWRITE' },
        ],
      },
    },
  })
  expect(resources).not.toHaveProperty('limits.cpu')
})

test('a large source has the right to sessions of the Storage Read API on the own project', () => {
  const resource = { apiVersion: 'resourcemanager.cnrm.cloud.google.com/v1beta1', kind: 'Project' }
  expect(naisjobs([copying('a', { large: true })])[0]?.spec?.gcp?.permissions).toEqual([
    { role: 'roles/bigquery.readSessionUser', resource },
  ])
})

test('pipelines of one schedule share a Naisjob, however the fields are spaced; another schedule or zone gets its own', () => {
  const jobs = naisjobs([
    copying('c', { schedule: '0 7 * * 1' }),
    copying('b', { schedule: '30  6 * * *' }),
    copying('d', { timeZone: 'UTC' }),
    copying('a'),
  ])
  expect(
    jobs.map(job => [job.metadata?.name, job.spec?.command?.slice(3 + nodeFlags.length), job.spec?.schedule, job.spec?.timeZone]),
  ).toEqual([
    ['naisapps-agg-dataproduct', ['a', 'b'], '30 6 * * *', 'Europe/Oslo'],
    ['naisapps-agg-dataproduct-2', ['c'], '0 7 * * 1', 'Europe/Oslo'],
    ['naisapps-agg-dataproduct-3', ['d'], '30 6 * * *', 'UTC'],
  ])
})

test('one Naisjob gets its image from the deploy action, several name it, since then the action makes no Image', () => {
  expect(naisjobs([flagship])[0]?.spec).not.toHaveProperty('image')
  const two = naisjobs([flagship, copying('hourly', { schedule: '5 * * * *' })])
  expect(two.map(job => job.spec?.image)).toEqual(['{{image}}', '{{image}}'])
})

test('each Naisjob may touch the datasets of its own pipelines only', () => {
  const jobs = naisjobs([
    copying('a', { from: 'raw.rows' }),
    copying('b', { schedule: '0 7 * * *', from: 'x-y-z.raw.rows', to: 'more' }),
  ])
  expect(jobs.map(job => job.spec?.gcp?.bigQueryDatasets?.map((entry: Json) => `${entry.name} ${entry.permission}`))).toEqual([
    ['things READWRITE', 'things_etl READWRITE', 'raw READ'],
    ['more READWRITE', 'more_etl READWRITE'],
  ])
})

test('names that differ between dev and prod make a file for each; otherwise one file serves both', () => {
  const differing = [copying('a', { to: env({ dev: 'things_dev', prod: 'things' }) })]
  expect(manifestFiles(differing, deployment, cronOf).map(file => [file.path, file.environments])).toEqual([
    ['naisjob.dev.yaml', ['dev']],
    ['naisjob.prod.yaml', ['prod']],
    ['alerts.yaml', ['dev', 'prod']],
  ])
  const written = (path: string) => naisjobs(differing, path)[0]?.spec?.gcp?.bigQueryDatasets?.map((entry: Json) => entry.name)
  expect(written('naisjob.dev.yaml')).toEqual(['things_dev', 'things_dev_etl'])
  expect(written('naisjob.prod.yaml')).toEqual(['things', 'things_etl'])
  expect(manifestFiles([flagship], deployment, cronOf).map(file => file.path)).toEqual(['naisjob.yaml', 'alerts.yaml'])
})

test('the file says whose access no manifest can give', () => {
  const [file] = manifestFiles([flagship], deployment, cronOf)
  expect(file?.text).toContain('its owners do (docs/deploy.md): nais-prod-b6f2.dataproduct_apps.unique')
})

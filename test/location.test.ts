import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seed } from '../src/cli/seed.ts'
import { readConfig } from '../src/config.ts'
import { makePlan } from '../src/engine/plan.ts'
import { run } from '../src/engine/run.ts'
import { wire } from '../src/wire.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, flagship, root } from './support/project.ts'
import { startProxy } from './support/proxy.ts'

const world = (url: string, location?: string) => {
  const env = {
    BIGQUERY_EMULATOR_HOST: url,
    GOOGLE_CLOUD_PROJECT: 'team-dev',
    ETL_WAIT_FACTOR: '0.01',
    ...(location === undefined ? {} : { ETL_LOCATION: location }),
  }
  return wire(readConfig({}, { env, stdout: process.stdout, cwd: root }), { report: 'quiet' })
}

describe('every job of a run', () => {
  let local: Local
  beforeAll(async () => {
    local = await startLocal()
    await seed(local.url, await flagship(), await world(local.url, 'EU'), root, 'two-dates')
  })
  afterAll(() => local.stop())

  test('says where it runs, and whoever asks for it says so too', async () => {
    const proxy = await startProxy(local.url)
    try {
      const { ports, settings, request } = await world(proxy.url, 'EU')
      const outcome = await run(await flagship(), request, ports, settings, new AbortController().signal)
      expect(outcome.outcome).toBe('published')
      const submitted = proxy.seen.flatMap(({ method, path, json }) => {
        // An upload in one request is no JSON: the list of jobs below has it.
        if (method !== 'POST' || !/\/(jobs|queries)$/.test(path) || json === undefined) return []
        const { jobReference, location } = json as { jobReference?: { location?: string }; location?: string }
        return [path.endsWith('/queries') ? location : jobReference?.location]
      })
      expect(submitted.length).toBeGreaterThan(3)
      expect(new Set(submitted)).toEqual(new Set(['EU']))
      const asked = proxy.seen.filter(({ method, path }) => method === 'GET' && /\/(jobs|queries)\//.test(path))
      expect(new Set(asked.map(({ query }) => query.get('location')))).toEqual(new Set(['EU']))
    } finally {
      await proxy.close()
    }
  })

  test('has its location in the server’s list of jobs', async () => {
    const { body } = await local.call('GET', '/team-dev/jobs?maxResults=1000')
    const jobs = body.jobs as { jobReference: { location: string } }[]
    expect(jobs.length).toBeGreaterThan(5)
    expect(new Set(jobs.map(job => job.jobReference.location))).toEqual(new Set(['EU']))
  })

  test('of another location is refused by the plan', async () => {
    const { ports, settings, request } = await world(local.url)
    await expect(makePlan(await flagship(), request, ports, settings)).rejects.toThrow(
      /the target team-dev\.apps_aggregated\.apps_per_env lies in EU, and the jobs run in europe-north1/,
    )
  })
})

describe('a plan whose datasets lie somewhere else than its jobs', () => {
  let local: Local
  const planned = async (location?: string) => {
    const { ports, settings, request } = await world(local.url, location)
    return makePlan(await flagship(), request, ports, settings)
  }
  const make = (project: string, datasetId: string, location: string) =>
    local.call('POST', `/${project}/datasets`, { datasetReference: { projectId: project, datasetId }, location })

  beforeAll(async () => {
    local = await startLocal()
    await make('nais-prod-b6f2', 'dataproduct_apps', 'EU')
    await make('team-dev', 'apps_aggregated', 'europe-north1')
    await make('team-dev', 'apps_aggregated_etl', 'EU')
    await ask(local.url, 'CREATE TABLE `nais-prod-b6f2.dataproduct_apps.unique` (dato DATE, cluster STRING)')
  })
  afterAll(() => local.stop())

  test('of a target that is not made yet: the dataset', async () => {
    await expect(planned()).rejects.toThrow(
      "dataset team-dev.apps_aggregated_etl lies in EU, and the jobs run in europe-north1: one job can't reach both. Hint: a dataset never moves: have a copy made in europe-north1, or, if all datasets of the pipeline lie in EU, set ETL_LOCATION=EU",
    )
  })

  test('of a source', async () => {
    await local.call('DELETE', '/team-dev/datasets/apps_aggregated_etl')
    await make('team-dev', 'apps_aggregated_etl', 'EUROPE-NORTH1')
    await expect(planned()).rejects.toThrow(
      /plan apps: the source nais-prod-b6f2\.dataproduct_apps\.unique lies in EU, and the jobs run in europe-north1/,
    )
  })
})

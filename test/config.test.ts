import { describe, expect, test } from 'vitest'
import { readConfig, type WorldFlags } from '../src/config.ts'

const config = (env: NodeJS.ProcessEnv, flags: WorldFlags = {}) =>
  readConfig(flags, { env, stdout: process.stdout, cwd: '/somewhere' })

describe('the environment, which chooses in env({ dev, prod })', () => {
  test.each<[NodeJS.ProcessEnv, WorldFlags, string, string]>([
    [{ NAIS_CLUSTER_NAME: 'dev-gcp' }, {}, 'dev', 'NAIS_CLUSTER_NAME=dev-gcp'],
    [{ NAIS_CLUSTER_NAME: 'prod-gcp' }, {}, 'prod', 'NAIS_CLUSTER_NAME=prod-gcp'],
    [{ NAIS_CLUSTER_NAME: '' }, {}, 'dev', 'nobody said, so dev'],
    [{}, {}, 'dev', 'nobody said, so dev'],
    [{}, { env: 'prod' }, 'prod', '--env'],
    [{ NAIS_CLUSTER_NAME: 'dev-gcp' }, { env: 'prod' }, 'prod', '--env'],
    [{ NAIS_CLUSTER_NAME: 'prod-fss' }, { env: 'dev' }, 'dev', '--env'],
  ])('%j with the flags %j is %s, said by %s', (env, flags, environment, said) => {
    expect(config(env, flags)).toMatchObject({ environment, said: { environment: said } })
  })

  test.each(['prod-fss', 'dev-fss', 'ci-gcp', 'prod', 'prod-gcp-2', 'PROD-GCP', 'production', 'toString'])(
    'the cluster %s is refused, not taken by its first word',
    cluster => {
      expect(() => config({ NAIS_CLUSTER_NAME: cluster })).toThrow(
        `NAIS_CLUSTER_NAME=${cluster}: the names of env({ dev, prod }) are known for dev-gcp and prod-gcp only. Hint: `,
      )
    },
  )

  test('--env knows dev and prod', () => {
    expect(() => config({}, { env: 'test' })).toThrow('--env test: there are dev and prod.')
  })
})

describe('the project', () => {
  test.each<[NodeJS.ProcessEnv, WorldFlags, string | undefined, string]>([
    [{ GOOGLE_CLOUD_PROJECT: 'team-dev' }, {}, 'team-dev', 'GOOGLE_CLOUD_PROJECT'],
    [{ GOOGLE_CLOUD_PROJECT: 'team-dev', GCP_TEAM_PROJECT_ID: 'old' }, {}, 'team-dev', 'GOOGLE_CLOUD_PROJECT'],
    [{ GCP_TEAM_PROJECT_ID: 'old' }, {}, 'old', 'GCP_TEAM_PROJECT_ID'],
    [{ GOOGLE_CLOUD_PROJECT: 'team-dev' }, { project: 'mine' }, 'mine', '--project'],
    [{ BIGQUERY_EMULATOR_HOST: '127.0.0.1:9050' }, {}, 'local', 'BIGQUERY_EMULATOR_HOST'],
    [{ GOOGLE_CLOUD_PROJECT: '' }, {}, undefined, 'nobody'],
  ])('of %j with the flags %j is %s, said by %s', (env, flags, project, said) => {
    expect(config(env, flags)).toMatchObject({ project, said: { project: said } })
  })
})

test('the location is that of nais’ datasets, unless said', () => {
  expect(config({}).location).toBe('europe-north1')
  expect(config({ ETL_LOCATION: 'EU' })).toMatchObject({ location: 'EU', said: { location: 'ETL_LOCATION' } })
})

import { caseOf, runOn, sourceRows, testPipeline } from 'nais-etl/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import appsPerEnv from '../../src/pipelines/apps-per-env.ts'

testPipeline(appsPerEnv, 'apps-per-env', {
  bias: {
    apps: {
      dato: ['2022-01-20', '2022-01-21'],
      cluster: ['prod-gcp', 'dev-gcp', 'prod-fss', 'dev-sbs', 'gcpprod', 'prod', 'PROD', ''],
    },
  },
})

// The guide's four tests, on its own six rows of 20 January 2022.
describe('apps on 20 January 2022', () => {
  let rows: readonly Record<string, unknown>[] = []

  beforeAll(async () => {
    const result = await runOn(appsPerEnv, await sourceRows(appsPerEnv, caseOf('apps-per-env', 'guide')))
    rows = result.filter(row => row.dato === '2022-01-20')
  })

  const apps = (column: string, value: string) =>
    rows.filter(row => row[column] === value).reduce((sum, row) => sum + Number(row.antall_apper), 0)

  test('prodcount', () => expect(apps('env', 'prod')).toBe(3))
  test('devcount', () => expect(apps('env', 'dev')).toBe(3))
  test('cloud_count', () => expect(apps('datacenter', 'gcp')).toBe(2))
  test('onprem_count', () => expect(apps('datacenter', 'on_prem')).toBe(4))
})

import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { client, load } from '../../local/support/client.ts'
import { useServer } from '../../local/support/server.ts'
import { findPython, runPython } from './support.ts'

const python = findPython()
const rows = fileURLToPath(new URL('../../../fixtures/apps-per-env/guide/apps.csv', import.meta.url))

describe.skipIf(!python)('the guide’s own Python job', () => {
  const server = useServer()
  const source = () => client(server.url, 'nais-prod-b6f2')
  const target = () => client(server.url, 'nais-analyse-prod-2dcc')
  beforeAll(async () => {
    await source().createDataset('dataproduct_apps')
    await target().createDataset('apps_aggregated')
    const text = ['name', 'cluster', 'namespace', 'team', 'image', 'ingresses']
    const columns = ['name', 'cluster', 'dato', 'namespace', 'collection_time', 'team', 'image', 'ingresses']
    const type = (name: string) => (text.includes(name) ? 'STRING' : name === 'dato' ? 'DATE' : 'DATETIME')
    const fields = columns.map(name => ({ name, type: type(name) }))
    const options = { sourceFormat: 'CSV', skipLeadingRows: 1, schema: { fields } }
    const { status } = await load(source(), 'dataproduct_apps', 'unique', rows, options)
    expect(status).toEqual({ state: 'DONE' })
  })

  test('gives the flagship’s numbers, also when it replaces its own table', async () => {
    for (const _run of ['first', 'replacing']) {
      await runPython(python ?? '', 'guide_job.py', server.url)
      const table = target().dataset('apps_aggregated').table('apps_per_env')
      const [rows] = await table.getRows()
      const counted = rows.map(row => `${row.dato.value} ${row.env} ${row.datacenter} ${row.antall_apper}`).sort()
      expect(counted).toEqual([
        '2022-01-20 dev gcp 1',
        '2022-01-20 dev on_prem 2',
        '2022-01-20 prod gcp 1',
        '2022-01-20 prod on_prem 2',
      ])
      const sum = (column: string, value: string) =>
        rows.filter(row => row[column] === value).reduce((total, row) => total + row.antall_apper, 0)
      expect([sum('env', 'prod'), sum('env', 'dev'), sum('datacenter', 'gcp'), sum('datacenter', 'on_prem')]).toEqual([
        3, 3, 2, 4,
      ])
      const fields = (await table.getMetadata())[0].schema.fields.map(
        (field: { name: string; type: string }) => `${field.name} ${field.type}`,
      )
      expect(fields).toEqual(['dato DATE', 'env STRING', 'datacenter STRING', 'antall_apper INTEGER'])
    }
  }, 120_000)
})

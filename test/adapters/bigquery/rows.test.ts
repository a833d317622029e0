import { expect, test } from 'vitest'
import { rawPages } from '../../../src/adapters/bigquery/rows.ts'
import { service } from './service.ts'

const page = { status: 200, body: { jobComplete: true, rows: [{ f: [{ v: '1' }] }], pageToken: 'next' } }

test('the page that is fetched ahead is given up with the read', async () => {
  let left: (path: string) => void = () => {}
  const gone = new Promise<string>(resolve => {
    left = resolve
  })
  const { api } = await service([page, 'hang'], seen => left(seen.path))
  for await (const rows of rawPages(api, 'job-1', 'reading')) {
    expect(rows).toHaveLength(1)
    // By then the next page is asked for.
    await new Promise(resolve => setTimeout(resolve, 50))
    break
  }
  expect(await gone).toBe('/bigquery/v2/projects/p/queries/job-1')
})

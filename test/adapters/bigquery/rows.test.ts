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

test('a page is asked for in as many rows as make about 8 MB, whatever their length', async () => {
  const rows = (count: number, length: number) => Array.from({ length: count }, () => ({ f: [{ v: 'x'.repeat(length) }] }))
  const answer = (count: number, length: number, pageToken?: string) => ({
    status: 200,
    body: { jobComplete: true, rows: rows(count, length), ...(pageToken === undefined ? {} : { pageToken }) },
  })
  const { api, seen } = await service([answer(1000, 984, 'a'), answer(2, 9_000_000, 'b'), answer(1, 0, 'c'), answer(1, 0)])
  for await (const _ of rawPages(api, 'job-1', 'reading'));
  expect(seen.map(({ query }) => query.get('maxResults'))).toEqual(['1000', '8000', '1', '100000'])
})

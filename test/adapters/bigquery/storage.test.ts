import { bq, row } from 'nais-etl'
import { expect, test } from 'vitest'
import { streamed } from '../../../src/adapters/bigquery/stream.ts'
import { done, refused, service } from './service.ts'
import { batch, storageService } from './storage/service.ts'

const { columns } = row({ big: bq.int64().nullable() })
const reading = {
  sql: 'SELECT big FROM p.d.t',
  name: 'etl-read-t',
  what: 'reading p.d.t',
  columns,
  ordered: false,
  large: true,
  maxBytes: null,
}

/** A query whose answer is said to have so many rows and has one, `1`, page by page. */
function rest(totalRows: string, storage?: string) {
  const job = done()
  const found = (seen: Parameters<typeof job>[0]) => {
    const { status, body } = job(seen)
    const destinationTable = { projectId: 'p', datasetId: '_anonymous', tableId: 'answer' }
    return { status, body: { ...body, configuration: { query: { query: 'SELECT 1', destinationTable } } } }
  }
  const page = { status: 200, body: { jobComplete: true, totalRows, rows: [{ f: [{ v: '1' }] }] } }
  const counted = { status: 200, body: { jobComplete: true, totalRows } }
  return service([job, counted, ...(Number(totalRows) < 100_000 ? [] : [found]), page], undefined, storage)
}

async function read({ api, jobs }: Awaited<ReturnType<typeof rest>>, large = true) {
  const [ways, values]: [string[], unknown[]] = [[], []]
  const signal = new AbortController().signal
  for await (const page of streamed(api, jobs, { ...reading, large }, signal, way => ways.push(way)))
    values.push(...page.map(({ big }) => big))
  return { ways, values }
}

test('a large answer is read from its anonymous table', async () => {
  const { address, sessions } = await storageService(['s'], () => ({ messages: [batch] }))
  const { ways, values } = await read(await rest('200000', address))
  expect(ways).toEqual(['the Storage Read API, 1 stream'])
  expect(values).toHaveLength(5)
  expect(sessions[0]).toMatchObject({ read_session: { table: 'projects/p/datasets/_anonymous/tables/answer' } })
})

test('a small answer is read by pages, and nobody is asked', async () => {
  const { address, sessions } = await storageService(['s'], () => ({ messages: [batch] }))
  expect(await read(await rest('99999', address))).toEqual({ ways: [], values: [1n] })
  expect(sessions).toEqual([])
})

test.each([
  ['PERMISSION_DENIED', 'may not be used by this service account: it lacks roles/bigquery.readSessionUser'],
  ['UNIMPLEMENTED', 'is not served there'],
  ['UNAVAILABLE', 'made no session (UNAVAILABLE)'],
] as const)('where a session is answered %s, the rows come by pages, and it is said once', async (code, sentence) => {
  const { address } = await storageService(code, () => ({ messages: [] }))
  const { ways, values } = await read(await rest('200000', address))
  expect(values).toEqual([1n])
  expect(ways).toEqual([expect.stringContaining(`pages of the REST API: the Storage Read API ${sentence}`)])
})

test('an emulator without one is read by pages; so is a source that nobody declared large', async () => {
  expect(await read(await rest('200000'))).toMatchObject({
    ways: ['pages of the REST API: this emulator has no Storage Read API'],
  })
  const { api, jobs } = await service([done(), { status: 200, body: { jobComplete: true, rows: [{ f: [{ v: '1' }] }] } }])
  expect(await read({ api, jobs } as never, false)).toEqual({ ways: [], values: [1n] })
})

test('an answer that can not be counted is an error', async () => {
  const { api, jobs } = await service([done(), refused(403, 'accessDenied', 'Access Denied: Job p:x')])
  await expect(read({ api, jobs } as never)).rejects.toMatchObject({ kind: 'denied' })
})

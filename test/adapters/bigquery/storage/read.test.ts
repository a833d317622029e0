import { bq, row } from 'nais-etl'
import { expect, test } from 'vitest'
import { openApi } from '../../../../src/adapters/bigquery/api.ts'
import { openStorage } from '../../../../src/adapters/bigquery/storage/client.ts'
import { openSession, sessionRows } from '../../../../src/adapters/bigquery/storage/read.ts'
import { clock } from '../../../../src/adapters/clock.ts'
import { production, scaled } from '../../../../src/domain/policy.ts'
import { batch, half, storageService } from './service.ts'

const { columns } = row({ big: bq.int64().nullable() })
const policy = scaled(production, 0.002)
const never = new AbortController().signal

async function opened(address: string, ordered = false, signal = never) {
  const api = await openApi({
    project: 'p',
    location: 'europe-north1',
    clock,
    policy,
    endpoint: 'http://127.0.0.1:1',
    storage: address,
  })
  const client = openStorage(api, address)
  const session = await openSession(client, { table: 'projects/p/datasets/d/tables/t', columns, ordered }, signal)
  return sessionRows(api, client, session, 'reading p.d.t', signal)
}

async function all(pages: AsyncIterable<readonly { readonly big?: unknown }[]>): Promise<unknown[]> {
  const values: unknown[] = []
  for await (const page of pages) values.push(...page.map(({ big }) => big))
  return values
}

const whole = [9223372036854775807n, -9223372036854775808n, null, 9007199254740993n, -1n]

test('a stream that breaks is taken up behind the rows that came, as often as it takes', async () => {
  const { address, asked } = await storageService(['s'], ({ offset }) =>
    offset === 0
      ? { messages: [batch], end: 'UNAVAILABLE' }
      : offset === 5
        ? { messages: [half], end: 'INTERNAL' }
        : { messages: [half] },
  )
  expect(await all(await opened(address))).toEqual([...whole, ...whole.slice(3), ...whole.slice(3)])
  expect(asked.map(({ offset }) => offset)).toEqual([0, 5, 7])
})

test('pages say that their values are of their columns’ types', async () => {
  const { address } = await storageService(['s'], () => ({ messages: [batch, half] }))
  const typed: unknown[] = []
  for await (const { isTyped } of await opened(address)) typed.push(isTyped)
  expect(typed).toEqual([true, true])
})

test('a stream that never goes on is an error with what was read, after all tries', async () => {
  const { address, asked } = await storageService(['s'], () => ({ messages: [], end: 'UNAVAILABLE' }))
  await expect(all(await opened(address))).rejects.toMatchObject({ kind: 'unavailable' })
  expect(asked).toHaveLength(policy.request.tries)
})

test('a failure that no repetition mends is one at once', async () => {
  const { address, asked } = await storageService(['s'], () => ({ messages: [batch], end: 'INVALID_ARGUMENT' }))
  await expect(all(await opened(address))).rejects.toMatchObject({
    kind: 'query',
    problem: expect.stringContaining('reading p.d.t'),
  })
  expect(asked).toHaveLength(1)
})

test('streams are read side by side; where the order matters there is one', async () => {
  const { address, sessions } = await storageService(['a', 'b'], ({ stream }) => ({
    messages: stream === 'a' ? [batch] : [half],
  }))
  expect((await all(await opened(address))).sort()).toEqual([...whole, ...whole.slice(3)].sort())
  await opened(address, true)
  expect(sessions.map(({ max_stream_count }) => max_stream_count)).toEqual([2, 1])
  expect(sessions[0]).toMatchObject({
    parent: 'projects/p',
    read_session: { data_format: 'ARROW', read_options: { selected_fields: ['big'] } },
  })
})

test('one stream that says nothing holds up nobody, and ends with the read', async () => {
  const { address } = await storageService(['a', 'b'], ({ stream }) =>
    stream === 'a' ? { messages: [batch] } : { messages: [half], end: 'hang' },
  )
  let read = 0
  for await (const page of await opened(address)) {
    read += page.length
    if (read === 7) break
  }
  expect(read).toBe(7)
  const stop = new AbortController()
  for await (const _ of await opened(address, false, stop.signal)) stop.abort()
})

test('a batch that is none is a defect, told with what was read', async () => {
  const torn = { arrow_record_batch: { serialized_record_batch: Buffer.alloc(64, 7) }, row_count: 1 }
  const { address } = await storageService(['s'], () => ({ messages: [torn] }))
  await expect(all(await opened(address))).rejects.toMatchObject({ kind: 'bug' })
})

test('a table without rows has no streams', async () => {
  const { address } = await storageService([], () => ({ messages: [] }))
  expect(await all(await opened(address))).toEqual([])
})

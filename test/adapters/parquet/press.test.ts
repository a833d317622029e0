import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPress } from '../../../src/adapters/parquet/press.ts'
import type { Column } from '../../../src/domain/column.ts'

const columns: readonly Column[] = [{ name: 'n', type: 'INT64', mode: 'REQUIRED', rules: [] }]
const rows = 1.5 * 2 ** 20
const page = { rows, columns: [{ values: new Uint8Array(8 * rows), present: null, lengths: null }] }

let workers: Worker[]
const seen = (worker: Worker) => void workers.push(worker)
beforeEach(() => {
  workers = []
  process.on('worker', seen)
})
afterEach(() => {
  process.off('worker', seen)
})

test('a thread that ended between two pages is told of with the next one, and nothing waits for it', async () => {
  const press = createPress(columns, { isHashed: true })
  await press.page(page)
  expect(workers).toHaveLength(1)
  await workers[0]?.terminate()
  for (const ask of [() => press.page(page), () => press.hash()])
    await expect(ask()).rejects.toThrow('the thread that writes what is staged ended')
  await press.close()
})

test('one that ends at its work is, too', async () => {
  const press = createPress(columns, { isHashed: true })
  await press.page(page)
  const asked = press.page(page)
  await workers[0]?.terminate()
  await expect(asked).rejects.toThrow('the thread that writes what is staged ended')
  await press.close()
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TableRef } from '../../src/local/contract.ts'
import { createDataset } from '../../src/local/datasets.ts'
import { rowsOf } from '../../src/local/duck.ts'
import { type Database, openDatabase } from '../../src/local/store.ts'

const ref: TableRef = { project: 'p', dataset: 'd', table: 't' }
let dir: string
let database: Database
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'partitions-'))
  database = await openDatabase(dir)
  await database.use(async catalogue => {
    await createDataset(catalogue, ref, {})
    const partition = { column: 'dato', type: 'DAY' } as const
    await catalogue.create({ ref, kind: 'TABLE', schema: [{ name: 'dato', type: 'DATE', mode: 'NULLABLE' }], partition })
  })
})
afterEach(async () => {
  await database.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Writes one day; gives the moments between which that happened. */
async function write(day: string, since = Date.now()): Promise<[number, number]> {
  const before = Date.now()
  await database.use(async catalogue => {
    const table = await found(catalogue)
    await catalogue.connection.run(`INSERT INTO ${table.physical} VALUES ('${day}')`)
    await catalogue.partitionTimes.wrote(catalogue, table, since)
  })
  const moments: [number, number] = [before, Date.now()]
  await new Promise(resolve => setTimeout(resolve, 3))
  return moments
}

const found = async (catalogue: Parameters<Parameters<Database['use']>[0]>[0]) => {
  const table = await catalogue.find(ref)
  if (!table) throw new Error('the table is gone')
  return table
}

/** When each partition was modified, for whoever asks now. */
const asked = (): Promise<Record<string, number>> =>
  database.use(async catalogue => {
    await catalogue.partitionTimes.ask(catalogue, await found(catalogue))
    const rows = await rowsOf(catalogue.connection, 'SELECT id, modified FROM _catalogue.partitions WHERE id IS NOT NULL')
    return Object.fromEntries(rows.map(({ id, modified }) => [String(id), Number(modified)]))
  })

const reopen = async () => {
  await database.close()
  database = await openDatabase(dir)
}

const isWithin = (time: number | undefined, [from, to]: [number, number]) =>
  expect(time !== undefined && time >= from && time <= to).toBe(true)

test('until somebody asks all partitions are of the last write; from then on each has its own, also after a stop', async () => {
  await write('2026-01-01')
  const second = await write('2026-01-02')
  const first = await asked()
  isWithin(first['20260101'], second)
  isWithin(first['20260102'], second)
  const third = await write('2026-01-02')
  await reopen()
  const fourth = await write('2026-01-03')
  const last = await asked()
  expect(last['20260101']).toBe(first['20260101'])
  isWithin(last['20260102'], third)
  isWithin(last['20260103'], fourth)
})

test('a stop keeps the last write of a table that nobody has asked of', async () => {
  const written = await write('2026-01-01')
  await reopen()
  await reopen()
  isWithin((await asked())['20260101'], written)
})

test('a table that was empty when it was asked of is looked at all the same', async () => {
  expect(await asked()).toEqual({})
  const first = await write('2026-01-01')
  await write('2026-01-02')
  isWithin((await asked())['20260101'], first)
})

test('a write that was under way at the first question modifies everything: the question may have seen its rows', async () => {
  const since = Date.now()
  await write('2026-01-01')
  await asked()
  const late = await write('2026-01-02', since)
  isWithin((await asked())['20260101'], late)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Catalogue } from '../../src/local/contract.ts'
import { changeDataset, createDataset, deleteDataset, findDataset } from '../../src/local/datasets.ts'
import { begin, commit, rollback } from '../../src/local/duck.ts'
import { insertJob } from '../../src/local/jobstore.ts'
import { createKeptJobs } from '../../src/local/keptjobs.ts'
import { type Database, openDatabase } from '../../src/local/store.ts'

const ref = { project: 'p', dataset: 'd', table: 't' }
let dir: string
let database: Database
let one: Catalogue
let other: Catalogue
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'committed-'))
  database = await openDatabase(dir)
  ;[one, other] = [await database.connect(), await database.connect()]
  await createDataset(one, ref, { location: 'EU' })
  await one.create({ ref, kind: 'TABLE', schema: [{ name: 'n', type: 'INT64', mode: 'NULLABLE' }], description: 'old' })
})
afterEach(async () => {
  for (const { connection } of [one, other]) connection.closeSync()
  await database.close()
  rmSync(dir, { recursive: true, force: true })
})

const said = async (catalogue: Catalogue) => (await catalogue.find(ref))?.description

test('a change is seen by its own transaction at once, by others once it is committed', async () => {
  await begin(one.connection)
  await one.change(ref, { description: 'new' })
  expect([await said(one), await said(other)]).toEqual(['new', 'old'])
  await commit(one.connection)
  expect([await said(one), await said(other)]).toEqual(['new', 'new'])
})

test('a change that is rolled back was never there', async () => {
  await begin(one.connection)
  await one.change(ref, { description: 'new' })
  await one.drop(ref)
  expect([await said(one), await said(other)]).toEqual([undefined, 'old'])
  await rollback(one.connection)
  expect([await said(one), await said(other)]).toEqual(['old', 'old'])
})

test('a transaction goes on seeing its snapshot, and keeps none of it for others', async () => {
  await begin(one.connection)
  expect(await said(one)).toBe('old')
  await other.change(ref, { description: 'new' })
  expect([await said(one), await said(other), await said(one)]).toEqual(['old', 'new', 'old'])
  await commit(one.connection)
  expect([await said(one), await said(other)]).toEqual(['new', 'new'])
})

test('a transaction that has not looked yet gets its snapshot with the first look', async () => {
  await said(one)
  await begin(one.connection)
  expect(await said(one)).toBe('old')
  await other.drop(ref)
  const { physical } = (await one.find(ref)) ?? {}
  expect((await one.connection.runAndReadAll(`SELECT * FROM ${physical}`)).getRows()).toEqual([])
  await rollback(one.connection)
  expect(await said(one)).toBe(undefined)
})

test('a dataset is what was committed last, and gone when it is deleted', async () => {
  const place = async () => (await findDataset(other, ref)).body.location
  expect(await place()).toBe('EU')
  await changeDataset(one, ref, undefined, body => ({ ...body, location: 'US' }))
  expect(await place()).toBe('US')
  await deleteDataset(one, ref, true)
  await expect(place()).rejects.toThrow('Not found: Dataset p:d')
  await createDataset(one, ref, { location: 'EU' })
  expect(await place()).toBe('EU')
})

test('what an earlier process has carried out for a request is found for 15 minutes', async () => {
  const job = { project: 'p', location: 'EU', configuration: {}, statistics: {}, status: { state: 'DONE' } } as const
  await insertJob(one.connection, { ...job, id: 'late', createdAt: Date.now() - 14 * 60_000 }, 'a')
  await insertJob(one.connection, { ...job, id: 'too-late', createdAt: Date.now() - 16 * 60_000 }, 'b')
  const jobs = createKeptJobs(database)
  await jobs.open(one.connection)
  expect((await jobs.ofRequest('p', 'a'))?.id).toBe('late')
  expect(await jobs.ofRequest('p', 'b')).toBe(undefined)
  expect(await jobs.ofRequest('q', 'a')).toBe(undefined)
  jobs.sweep()
  expect((await jobs.ofRequest('p', 'a'))?.id).toBe('late')
})

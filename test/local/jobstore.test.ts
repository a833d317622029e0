import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowsOf } from '../../src/local/duck.ts'
import { dropExpiredResults, findJob, finishJob, insertJob, type StoredJob } from '../../src/local/jobstore.ts'
import { type Database, openDatabase } from '../../src/local/store.ts'
import { temporaryFolder } from './support/server.ts'

const folder = temporaryFolder()
let database: Database
beforeAll(async () => {
  database = await openDatabase(folder.dir)
})
afterAll(async () => {
  await database.close()
  folder.remove()
})

const job: StoredJob = {
  project: 'p',
  id: 'asked',
  location: 'EU',
  createdAt: 1000,
  configuration: {},
  statistics: {},
  status: { state: 'RUNNING' },
}
const results = async () =>
  database.use(async ({ connection }) => {
    const tables = await rowsOf(
      connection,
      "SELECT table_name AS name FROM duckdb_tables() WHERE schema_name = '_results' ORDER BY 1",
    )
    return tables.map(table => table.name)
  })

test('rows of a result go when they expire, the job stays; rows that belong to no job go when the server starts', async () => {
  await database.use(async ({ connection }) => {
    await insertJob(connection, job, null)
    await connection.run('CREATE TABLE _results."asked" AS SELECT 1 AS n')
    await connection.run('CREATE TABLE _results."left.by a kill" AS SELECT 1 AS n')
    const outcome = {
      schema: [{ name: 'n', type: 'INT64', mode: 'NULLABLE' }] as const,
      rows: '"_results"."asked"',
      totalRows: 1,
    }
    await finishJob(connection, { ...job, status: { state: 'DONE' }, outcome, expiresAt: 5000 })
    await dropExpiredResults(connection, 4999, false)
  })
  expect(await results()).toEqual(['asked', 'left.by a kill'])
  await database.use(({ connection }) => dropExpiredResults(connection, 4999, true))
  expect(await results()).toEqual(['asked'])
  await database.use(({ connection }) => dropExpiredResults(connection, 5001, false))
  expect(await results()).toEqual([])
  const kept = await database.use(({ connection }) => findJob(connection, 'p', 'asked'))
  expect([kept?.status.state, kept?.outcome?.rows, kept?.expiresAt]).toEqual(['DONE', undefined, undefined])
})

import type { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Mark } from '../../../src/domain/changes.ts'
import { pgRead } from '../../../src/domain/pg-read.ts'
import { type PgTimes, windowOf, windowSql } from '../../../src/domain/pg-window.ts'
import { bq, pg, postgres, row } from '../../../src/index.ts'
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts'

// Transactions that commit late, out of order, and as another user: whatever the interleaving, what a read lacks a later one has.
const Sak = row({ id: bq.int64(), oppdatert: bq.timestamp() }, { key: ['id'] })
const source = postgres(Sak, 'SAK_DB', pg`SELECT id, oppdatert FROM sak -- alle`).changedBy('oppdatert', {
  overlap: '0 s',
  deletes: 'none',
})

let server: TestPostgres
let reader: Client
beforeAll(async () => {
  server = await startTestPostgres({ max_prepared_transactions: '5' })
  await server.run(`CREATE TABLE sak (id bigint PRIMARY KEY, oppdatert timestamptz DEFAULT now());
    CREATE ROLE app LOGIN PASSWORD 'passord'; GRANT ALL ON sak TO app;
    CREATE ROLE etl_seer LOGIN PASSWORD 'passord'; GRANT pg_monitor TO etl_seer; GRANT SELECT ON sak TO etl_seer;
    CREATE ROLE etl_blind LOGIN PASSWORD 'passord'; GRANT SELECT ON sak TO etl_blind`)
  reader = await server.session('postgres', 'etl_seer')
})
afterAll(async () => {
  await reader?.end()
  await server?.stop()
})
beforeEach(() => server.run('TRUNCATE sak'))

async function window(mark: Mark | null, client = reader) {
  const { rows } = await client.query(windowSql(source))
  const { now, open, sees, newest, nulls } = rows[0]
  const micros = (text: string | null) => (text === null ? null : BigInt(text))
  const times: PgTimes = { now: BigInt(now), open: micros(open), sees, newest: micros(newest), nulls }
  return windowOf(source, mark, times)
}

async function read(mark: Mark | null) {
  const part = await window(mark)
  const { rows } = await reader.query(pgRead(source.query, { columns: Sak.columns, slices: null, window: part }))
  return { ids: rows.map(({ id }) => Number(id)), mark: { to: part.to, newest: part.newest }, window: part }
}

/** Rows that were written so long ago that nothing but an open transaction keeps a read from them. */
const ago = "now() - interval '1 minute'"

test('a row of a transaction that is still open is not passed, and is read once it is committed', async () => {
  const slow = await server.session('postgres', 'app')
  await slow.query('BEGIN')
  const { rows } = await slow.query('INSERT INTO sak VALUES (1) RETURNING oppdatert::text')
  await server.run(`INSERT INTO sak VALUES (2, ${ago})`)
  // It began after the slow one and commits before it.
  await server.run("INSERT INTO sak VALUES (3, now() + interval '1 second')")
  const first = await read(null)
  expect(first.ids).toEqual([2])
  expect(new Date(first.mark.to) <= new Date(rows[0].oppdatert)).toBe(true)
  await slow.query('COMMIT')
  await slow.end()
  await server.run(`UPDATE sak SET oppdatert = oppdatert - interval '10 seconds' WHERE id IN (1, 3)`)
  const second = await read(null)
  expect(second.ids.sort()).toEqual([1, 2, 3])
})

test('whatever the order of commits, each row is read by one of the reads, with the mark of the one before', async () => {
  const seen = new Set<number>()
  let mark: Mark | null = null
  const open: Client[] = []
  for (let id = 1; id <= 12; id++) {
    const writer = await server.session('postgres', 'app')
    await writer.query('BEGIN')
    await writer.query('INSERT INTO sak VALUES ($1, now())', [id])
    open.push(writer)
    // Every third transaction commits at once, the others late and in another order.
    const next = id % 3 === 0 ? open.splice(Math.floor(open.length / 2), 1)[0] : undefined
    await next?.query('COMMIT')
    await next?.end()
    const found = await read(mark)
    for (const each of found.ids) seen.add(each)
    if (mark !== null) expect(found.mark.to >= mark.to).toBe(true)
    mark = found.mark
  }
  for (const writer of open) {
    await writer.query('COMMIT')
    await writer.end()
  }
  // As if the margin had passed: all of them are older than now.
  const { rows } = await reader.query(`SELECT id FROM sak WHERE oppdatert > '${mark?.to}'`)
  for (const { id } of rows) seen.add(Number(id))
  expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1))
})

test('a prepared transaction holds the bound as well', async () => {
  await server.run(`INSERT INTO sak VALUES (1, ${ago})`)
  const writer = await server.session()
  await writer.query('BEGIN; INSERT INTO sak VALUES (2)')
  const { rows } = await writer.query('SELECT now()::text AS began')
  await writer.query("PREPARE TRANSACTION 'senere'")
  await writer.end()
  const { to } = await window(null)
  expect(new Date(to) <= new Date(new Date(rows[0].began).getTime() + 1000)).toBe(true)
  await server.run("COMMIT PREPARED 'senere'")
})

test('a role that can not see the others says what it assumes', async () => {
  const blind = await server.session('postgres', 'etl_blind')
  expect((await window(null, blind)).remark).toMatch(/no member of pg_monitor/)
  await blind.end()
  expect((await window(null)).remark).toBeNull()
})

test('NULL, a clock that went back and a source that went back are refused', async () => {
  await server.run(`INSERT INTO sak VALUES (1, ${ago}), (2, NULL)`)
  await expect(window(null)).rejects.toThrow(/oppdatert is NULL in some rows: they would never be read/)
  await server.run('DELETE FROM sak WHERE oppdatert IS NULL')
  const { to, newest } = await window(null)
  await expect(window({ to: '2990-01-01T00:00:00Z', newest })).rejects.toThrow(
    /the database's clock says .* read until 2990-01-01T00:00:00Z/,
  )
  await server.run(`UPDATE sak SET oppdatert = oppdatert - interval '1 day'`)
  await expect(window({ to, newest })).rejects.toThrow(/the source went backwards/)
  await server.run('DELETE FROM sak')
  await expect(window({ to, newest })).rejects.toThrow(/newest oppdatert is gone/)
})

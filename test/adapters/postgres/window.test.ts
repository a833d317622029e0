import type { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Mark } from '../../../src/domain/changes.ts'
import { pgRead } from '../../../src/domain/pg-read.ts'
import { type PgTimes, pgTimes, windowOf, windowSql } from '../../../src/domain/pg-window.ts'
import { bq, pg, postgres, row } from '../../../src/index.ts'
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts'

// Transactions that commit late, out of order, and as another user: whatever the interleaving, what a read lacks a later one has.
const Sak = row({ id: bq.int64(), oppdatert: bq.timestamp() }, { key: ['id'] })
const base = postgres(Sak, 'SAK_DB', pg`SELECT id, oppdatert FROM sak -- alle`)
const source = base.changedBy('oppdatert', {
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

/** `later`: as if so many seconds had passed, so that nothing but an open transaction keeps a read from a row. */
async function window(
  mark: Mark | null,
  { client = reader, later = 0, of = source }: { client?: Client; later?: number; of?: typeof source } = {},
) {
  const { rows } = await client.query(windowSql(of))
  const times = pgTimes(rows[0])
  return windowOf(of, mark, { ...times, now: times.now + BigInt(later) * 1_000_000n })
}

async function read(mark: Mark | null, later = 0, of = source) {
  const part = await window(mark, { later, of })
  const { rows } = await reader.query(pgRead(source.query, { columns: Sak.columns, slices: null, window: part }))
  return { ids: rows.map(({ id }) => Number(id)), mark: { to: part.to, newest: part.newest }, window: part }
}

/** Rows that were written so long ago that nothing but an open transaction keeps a read from them. */
const ago = "now() - interval '1 minute'"

test('a row of a transaction that is still open is not passed, and is read once it is committed, without any overlap', async () => {
  const slow = await server.session('postgres', 'app')
  await slow.query('BEGIN')
  await slow.query('INSERT INTO sak VALUES (1)')
  await server.run(`INSERT INTO sak VALUES (2, ${ago})`)
  // It began after the slow one and commits before it.
  await server.run('INSERT INTO sak VALUES (3)')
  const first = await read(null, 60)
  expect(first.ids).toEqual([2])
  expect(first.window.remark).toMatch(/6\d s behind: a transaction has been open since then/)
  await slow.query('COMMIT')
  await slow.end()
  expect((await read(first.mark, 60)).ids.sort()).toEqual([1, 3])
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
    const found = await read(mark, 60)
    for (const each of found.ids) seen.add(each)
    if (mark !== null) expect(found.mark.to >= mark.to).toBe(true)
    mark = found.mark
  }
  for (const writer of open) {
    await writer.query('COMMIT')
    await writer.end()
  }
  for (const id of (await read(mark, 60)).ids) seen.add(id)
  expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1))
})

test('a prepared transaction holds the bound as well, and an overlap before it: when it began nobody tells', async () => {
  const twoSeconds = base.changedBy('oppdatert', { overlap: '2 s', deletes: 'none' })
  const writer = await server.session()
  await writer.query('BEGIN; INSERT INTO sak VALUES (2)')
  const { rows } = await writer.query('SELECT extract(epoch FROM now()) * 1000 AS began')
  await writer.query("PREPARE TRANSACTION 'senere'")
  await writer.end()
  const first = await read(null, 60, twoSeconds)
  expect(Date.parse(first.window.to)).toBeLessThan(Number(rows[0].began) - 1000)
  expect(first.window.remark).toMatch(/a prepared transaction/)
  await server.run("COMMIT PREPARED 'senere'")
  expect((await read(first.mark, 60, twoSeconds)).ids).toEqual([2])
})

test('a role that can not see the others, or others that are not tracked: it says what it assumes', async () => {
  expect((await window(null)).remark).toBeNull()
  const blind = await server.session('postgres', 'etl_blind')
  expect((await window(null, { client: blind })).remark).toMatch(/no member of pg_monitor/)
  await blind.end()
  await server.run('ALTER ROLE app SET track_activities = off')
  const hidden = await server.session('postgres', 'app')
  await hidden.query('BEGIN; INSERT INTO sak VALUES (1)')
  expect((await window(null)).remark).toMatch(/others are not tracked/)
  await hidden.end()
  await server.run('ALTER ROLE app RESET track_activities')
})

test('a replica is read no further than it has replayed, and says what it can not see', () => {
  const times: PgTimes = {
    now: 1_000_000_000n,
    open: null,
    prepared: null,
    sees: true,
    replica: true,
    replayed: 700_000_000n,
    newest: null,
    nulls: false,
  }
  expect(windowOf(source, null, times)).toMatchObject({
    to: '1970-01-01T00:11:40Z',
    remark: expect.stringMatching(/no transaction of the primary is open for longer.*300 s behind: the replica is/),
  })
  expect(() => windowOf(source, null, { ...times, replayed: null })).toThrow(/a replica that has replayed nothing yet/)
})

test('another query reads everything once', async () => {
  await server.run(`INSERT INTO sak VALUES (1, now() - interval '3 hours')`)
  const { to, newest, of } = await window(null)
  expect((await window({ to, newest, of })).from).not.toBeNull()
  expect(await window({ to, newest, of: 'en annen' })).toMatchObject({
    from: null,
    remark: expect.stringMatching(/everything is read/),
  })
  // A cursor of before there was a hash.
  expect((await window({ to, newest })).from).not.toBeNull()
})

test('NULL, infinity, a clock that went back and a source that went back are refused', async () => {
  await server.run(`INSERT INTO sak VALUES (1, ${ago}), (2, NULL)`)
  await expect(window(null)).rejects.toThrow(/oppdatert is NULL or infinite in some rows: they would never be read/)
  await server.run("UPDATE sak SET oppdatert = 'infinity' WHERE id = 2")
  await expect(window(null)).rejects.toThrow(/oppdatert is NULL or infinite/)
  await server.run('DELETE FROM sak WHERE id = 2')
  const { to, newest } = await window(null)
  await expect(window({ to: '2990-01-01T00:00:00Z', newest })).rejects.toThrow(
    /the database's clock says .* read until 2990-01-01T00:00:00Z/,
  )
  await server.run(`UPDATE sak SET oppdatert = oppdatert - interval '1 day'`)
  await expect(window({ to, newest })).rejects.toThrow(/the source went backwards/)
  await server.run('DELETE FROM sak')
  await expect(window({ to, newest })).rejects.toThrow(/newest oppdatert is gone/)
  const compared = base.changedBy('oppdatert', { deletes: 'compare-keys' })
  expect(await window({ to, newest }, { of: compared as never })).toMatchObject({
    from: null,
    remark: expect.stringMatching(/is there no more: everything is read/),
  })
  await server.run("INSERT INTO sak VALUES (1, now() + interval '1 day')")
  expect((await window(null)).remark).toMatch(/which wait until that time/)
})

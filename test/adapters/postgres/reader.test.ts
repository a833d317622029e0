import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { toEtlError } from '../../../src/adapters/postgres/errors.ts'
import { createPostgresReader } from '../../../src/adapters/postgres/reader.ts'
import type { AnyRow } from '../../../src/domain/column.ts'
import { EtlError } from '../../../src/domain/error.ts'
import type { PostgresSource } from '../../../src/domain/source.ts'
import { bq, pg, postgres, row } from '../../../src/index.ts'
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts'
import { reachOf } from './reach.ts'

const Sak = row({ id: bq.int64(), status: z.string(), dato: z.iso.date() })
const saker = postgres(Sak, 'SAK_DB', pg`SELECT id, status, dato FROM sak -- alle`)
const never = new AbortController().signal

let server: TestPostgres
beforeAll(async () => {
  server = await startTestPostgres()
  await server.run(`CREATE TABLE sak (id bigint PRIMARY KEY, status text NOT NULL, dato date NOT NULL, belop money, tid timestamp);
    INSERT INTO sak SELECT i, 'status ' || i, date '2024-01-01' + (i % 10)::int FROM generate_series(1, 5000) AS i;
    CREATE TABLE hemmelig (id bigint, fnr text); INSERT INTO hemmelig VALUES (1, '99017012345');
    CREATE ROLE leser LOGIN PASSWORD 'passord'; GRANT SELECT ON sak TO leser; CREATE SEQUENCE teller`)
})
afterAll(() => server?.stop())

const all = (source: PostgresSource) => ({ columns: source.row.columns, slices: null })

async function read(
  source: PostgresSource,
  request: Parameters<ReturnType<typeof createPostgresReader>['read']>[1] = all(source),
  role?: string,
) {
  const reader = createPostgresReader({ ...reachOf(server, role), statementTimeout: 2000 })
  const rows: AnyRow[] = []
  try {
    for await (const page of reader.read(source, request, never)) rows.push(...page)
    return rows
  } finally {
    await reader.end?.()
  }
}

const said = (work: Promise<unknown>): Promise<EtlError> =>
  work.then(
    () => {
      throw new Error('it did not fail')
    },
    error => {
      expect(error).toBeInstanceOf(EtlError)
      return error
    },
  )

describe('what a query gives is asked before anything is read', () => {
  const facts = (source: PostgresSource, role?: string) => createPostgresReader(reachOf(server, role)).facts(source)
  test('its columns and their types', async () => {
    expect(await facts(saker)).toEqual({
      name: 'Postgres SAK_DB',
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'status', type: 'TEXT' },
        { name: 'dato', type: 'DATE' },
      ],
      rows: null,
    })
  })
  test.each([
    [
      'schema',
      pg`SELECT id, Dato, statsu AS statsu FROM (SELECT id, dato, status AS statsu FROM sak) AS s`,
      'there is no column status (did you mean statsu?)',
    ],
    ['schema', pg`SELECT id, id AS id, status, dato FROM sak`, 'gives the column id twice'],
    [
      'schema',
      pg`SELECT id::text AS id, belop AS status, dato::text AS dato FROM sak`,
      'id is text, expected INT64: write "id"::bigint; status is money, expected STRING: write "status"::numeric; dato is text, expected DATE: write "dato"::date.',
    ],
    [
      'schema',
      pg`SELECT id, ARRAY[status] AS status, tid AS dato FROM sak`,
      'status is text[], expected STRING: write z.array(…) in the row schema, or array_to_string("status", \',\'); dato is timestamp without time zone, expected DATE: write "dato"::date',
    ],
    ['schema', pg`SELECT id, sak AS status, dato FROM sak`, 'status is sak, expected STRING: write to_jsonb("status")'],
    ['schema', pg`SELECT id, navn AS status, dato FROM sak`, 'column "navn" does not exist'],
    ['notFound', pg`SELECT id, status, dato FROM saker`, 'relation "saker" does not exist'],
    ['pipeline', pg`SELECT id, status,, dato FROM sak`, 'it refused the query: syntax error at or near ","'],
    ['pipeline', pg`DELETE FROM sak`, 'it refused the query: syntax error'],
  ] as const)('%s: %j', async (kind, query, problem) => {
    const error = await said(facts(postgres(Sak, 'SAK_DB', query)))
    expect(error.message).toContain(problem)
    expect(error.kind).toBe(kind)
  })
  test('a database whose texts are of no encoding', async () => {
    await server.run("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    const variables = () => ({ URL: server.url('ascii') })
    const Text = row({ t: z.string() })
    const reader = createPostgresReader({ ...reachOf(server), variables })
    const error = await said(reader.facts(postgres(Text, 'SAK_DB', pg`SELECT 'a' AS t`)))
    expect(error.message).toContain('SAK_DB has the encoding SQL_ASCII')
  })
  test('a table that it may not read: which, and the GRANT', async () => {
    const Hemmelig = row({ id: bq.int64(), fnr: z.string() })
    const error = await said(facts(postgres(Hemmelig, 'SAK_DB', pg`SELECT id, fnr FROM hemmelig`), 'leser'))
    expect(error).toMatchObject({ kind: 'denied' })
    expect(error.message).toContain('permission denied for table hemmelig. Hint: GRANT SELECT ON hemmelig TO')
  })
})

describe('reading', () => {
  test('all rows, some slices, some columns', async () => {
    expect((await read(saker)).length).toBe(5000)
    const slices = { column: 'dato', dates: ['2024-01-05', '2024-01-02'] }
    const rows = await read(saker, { columns: Sak.columns, slices })
    expect(rows.length).toBe(1000)
    expect(rows.map(({ dato }) => dato)).toEqual(rows.map(({ dato }) => dato).sort())
    expect(await read(saker, { columns: Sak.columns.slice(0, 1), slices: { column: 'dato', dates: [] } })).toEqual([])
  })
  test('its dates until a day', async () => {
    const reader = createPostgresReader(reachOf(server))
    expect(await reader.dates(saker, 'dato', '2024-01-03')).toEqual(['2024-01-01', '2024-01-02', '2024-01-03'])
    const bad = postgres(Sak, 'SAK_DB', pg`SELECT id, status, CASE WHEN id > 1 THEN dato END AS dato FROM sak`)
    expect((await said(reader.dates(bad, 'dato', '2024-01-03'))).message).toContain('dato holds NULL')
    const before = postgres(Sak, 'SAK_DB', pg`SELECT id, status, '-infinity'::date AS dato FROM sak`)
    expect((await said(reader.dates(before, 'dato', '2024-01-03'))).message).toContain('infinity, or a day before the year 1')
  })
  test('a value that fails in the query is not shown', async () => {
    const Id = row({ id: bq.int64() })
    const error = await said(read(postgres(Id, 'SAK_DB', pg`SELECT fnr::date::text::bigint AS id FROM hemmelig`)))
    expect(error).toMatchObject({ kind: 'row' })
    expect(error.message).toContain('a value made the query fail')
    expect(error.message).not.toContain('99017012345')
  })
  test('a statement that takes too long', async () => {
    const Id = row({ id: z.string() })
    const error = await said(read(postgres(Id, 'SAK_DB', pg`SELECT 'a' || pg_sleep(10)::text AS id`)))
    expect(error).toMatchObject({ kind: 'unavailable' })
    expect(error.message).toContain('it ended a statement that took too long')
  })
  test('a query that writes', async () => {
    const Id = row({ id: bq.int64() })
    const error = await said(read(postgres(Id, 'SAK_DB', pg`SELECT nextval('teller') AS id`)))
    expect(error.message).toContain('the query writes, and a source only reads')
  })
  test('rows longer than what comes at once', async () => {
    const Long = row({ id: z.int(), t: z.string() })
    const rows = await read(
      postgres(Long, 'SAK_DB', pg`SELECT i AS id, repeat('å', i * 300000) AS t FROM generate_series(0, 4) AS i`),
    )
    expect(rows.map(({ t }) => String(t).length)).toEqual([0, 300_000, 600_000, 900_000, 1_200_000])
  })
})

test('all reads until the end are of one moment, also at once', async () => {
  const Id = row({ id: bq.int64() })
  const source = postgres(Id, 'SAK_DB', pg`SELECT id FROM sak`)
  const reader = createPostgresReader(reachOf(server))
  const count = async () => {
    let rows = 0
    for await (const page of reader.read(source, all(source), never)) rows += page.length
    return rows
  }
  const first = reader.read(source, all(source), never)[Symbol.asyncIterator]()
  const page = await first.next()
  await server.run("INSERT INTO sak VALUES (1000001, 'ny', '2024-02-01')")
  expect(await Promise.all([count(), count()])).toEqual([5000, 5000])
  let rest = page.value?.length ?? 0
  for (let next = await first.next(); !next.done; next = await first.next()) rest += next.value.length
  expect(rest).toBe(5000)
  expect(await count()).toBe(5000)
  await reader.end?.()
  expect(await count()).toBe(5001)
  await reader.end?.()
  await server.run('DELETE FROM sak WHERE id = 1000001')
  const { rows } = await server.run("SELECT count(*)::int AS open FROM pg_stat_activity WHERE application_name LIKE 'nais-etl%'")
  expect(rows[0].open).toBe(0)
})

test('a read that is left in the middle harms no other', async () => {
  const reader = createPostgresReader(reachOf(server))
  const source = postgres(Sak, 'SAK_DB', pg`SELECT s.id, s.status, s.dato FROM sak AS s, generate_series(1, 200)`)
  for await (const page of reader.read(source, all(source), never)) {
    expect(page.length).toBeGreaterThan(0)
    break
  }
  let rows = 0
  for await (const page of reader.read(saker, all(saker), never)) rows += page.length
  expect(rows).toBe(5000)
  await reader.end?.()
})

test('when told to stop, the server stops as well', async () => {
  const reader = createPostgresReader(reachOf(server))
  const Id = row({ id: z.string() })
  const source = postgres(Id, 'SAK_DB', pg`SELECT 'a' || pg_sleep(30)::text AS id`)
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 300)
  const began = Date.now()
  for await (const page of reader.read(source, all(source), stop.signal)) expect(page).toEqual([])
  await reader.end?.()
  expect(Date.now() - began).toBeLessThan(5000)
  const { rows } = await server.run(
    "SELECT count(*)::int AS busy FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()",
  )
  expect(rows[0].busy).toBe(0)
})

test('when told to stop while it plans, the server stops as well', async () => {
  const Endret = row({ id: bq.int64(), tid: bq.timestamp() })
  const slow = postgres(Endret, 'SAK_DB', pg`SELECT 1::bigint AS id, now() AS tid FROM pg_sleep(31)`).changedBy('tid', {
    deletes: 'none',
  })
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 300)
  expect(await said(createPostgresReader(reachOf(server)).window!(slow, null, stop.signal))).toMatchObject({ kind: 'stopped' })
  const busy =
    "SELECT count(*)::int AS busy FROM pg_stat_activity WHERE query LIKE '%pg_sleep(31)%' AND pid <> pg_backend_pid() AND state = 'active'"
  expect((await server.run(busy)).rows[0].busy).toBe(0)
})

test('a read over a network that has gone silent ends when told to stop', async () => {
  let [isSilent, bytes] = [false, 0]
  const sockets: Socket[] = []
  const proxy = createServer(client => {
    const upstream = connect(server.port, '127.0.0.1')
    sockets.push(client, upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.on('data', data => isSilent || upstream.write(data))
    upstream.on('data', data => {
      bytes += data.length
      isSilent ||= bytes > 1_000_000
      if (!isSilent) client.write(data)
    })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as { port: number }
  const variables = () => ({ URL: server.url().replace(`:${server.port}/`, `:${port}/`) })
  const reader = createPostgresReader({ ...reachOf(server), variables })
  const many = postgres(
    Sak,
    'SAK_DB',
    pg`SELECT i::bigint AS id, repeat('x', 100) AS status, date '2024-01-01' AS dato FROM generate_series(1, 1000) AS i, generate_series(1, 1000) AS j`,
  )
  const stop = new AbortController()
  let rows = 0
  setTimeout(() => stop.abort(), 1000)
  for await (const page of reader.read(many, all(many), stop.signal)) rows += page.length
  expect(isSilent).toBe(true)
  expect(rows).toBeLessThan(1_000_000)
  await reader.end?.()
  for (const socket of sockets) socket.destroy()
  proxy.close()
})

test.each([
  ['40001', 'canceling statement due to conflict with recovery', /the replica stopped the query.*read the primary/],
  ['57014', 'canceling statement due to user request', /somebody cancelled the query/],
  ['57014', 'canceling statement due to statement timeout', /took too long/],
  ['XX001', 'invalid page in block 1', /a fault of its own \(SQLSTATE XX001\)/],
  ['53200', 'out of memory', /too little memory/],
  ['55P03', 'canceling statement due to lock timeout', /holds a lock/],
])('what %s means is said: %s', (code, message, sentence) => {
  expect(toEtlError({ code, message }, 'SAK_DB').message).toMatch(sentence)
})

describe('a server that is not there', () => {
  test('nobody answers: tried again, then a sentence', async () => {
    const variables = () => ({ URL: 'postgres://etl:hemmelig@127.0.0.1:1/postgres' })
    const error = await said(createPostgresReader({ ...reachOf(server), variables }).facts(saker))
    expect(error).toMatchObject({ kind: 'unavailable' })
    expect(error.message).toBe(
      'Postgres SAK_DB: nobody answers at its address. Hint: is it up, and may the job reach it (SAK_DB_HOST, outbound rules)?',
    )
  })
  test('a wrong password and a wrong database are not tried again', async () => {
    const at = (change: (url: string) => string) => ({ ...reachOf(server), variables: () => ({ URL: change(server.url()) }) })
    const password = await said(createPostgresReader(at(url => url.replace(/:[^:@]+@/, ':feil@'))).facts(saker))
    expect(password.message).toBe(
      'Postgres SAK_DB: the user or the password was refused. Hint: look at SAK_DB_USERNAME and SAK_DB_PASSWORD, or SAK_DB_URL',
    )
    const database = await said(createPostgresReader(at(url => url.replace(/postgres$/, 'sakr'))).facts(saker))
    expect(database).toMatchObject({ kind: 'notFound' })
    expect(database.message).toContain('there is no such database: database "sakr" does not exist')
  })
  test('gone in the middle', async () => {
    const other = await startTestPostgres()
    const reader = createPostgresReader(reachOf(other))
    const source = postgres(
      Sak,
      'SAK_DB',
      pg`SELECT i::bigint AS id, repeat('x', 100) AS status, date '2024-01-01' AS dato FROM generate_series(1, 10000) AS i, generate_series(1, 10000) AS j`,
    )
    const error = await said(
      (async () => {
        let pages = 0
        for await (const _ of reader.read(source, all(source), never)) if (++pages === 3) await other.stop()
      })(),
    )
    expect(error).toMatchObject({ kind: 'unavailable' })
    expect(error.message).toContain('Postgres SAK_DB: the connection is gone')
    await reader.end?.()
  })
})

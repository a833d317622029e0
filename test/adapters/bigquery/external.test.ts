import { bq, dataset, env, external, partition, pg, pipeline, replace, row, sql } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createExternalReader } from '../../../src/adapters/bigquery/external.ts'
import type { AnyRow } from '../../../src/domain/column.ts'
import { literal } from '../../../src/domain/literal.ts'
import type { ExternalSource } from '../../../src/domain/source.ts'
import { seedConnection } from '../../support/connection.ts'
import { type Local, startLocal } from '../../support/local.ts'
import { refused, service } from './service.ts'
import { connected, named, project, sql as run } from './world.ts'

let local: Local
let adapter: Awaited<ReturnType<typeof connected>>
const seed = (connection: string, more: Parameters<typeof seedConnection>[2] = {}) =>
  seedConnection(local, `${project}.europe-north1.${connection}`, more)
beforeAll(async () => {
  local = await startLocal()
  adapter = await connected(local)
  await seed('sak-dev', {
    sql: `CREATE TYPE slag AS ENUM ('A', 'B');
      CREATE TABLE sak (id uuid, slag slag, dato date, belop numeric(10, 2), data jsonb, tall int[], "Navn" text, oppdatert timestamptz, lengde interval);
      INSERT INTO sak VALUES ('00000000-0000-4000-8000-000000000001', 'A', '2024-01-01', 10.50, '{"a": 1}', '{1}', 'Åse', '2024-01-01 10:00+00', '1 day'),
        ('00000000-0000-4000-8000-000000000002', 'B', '2024-01-02', NULL, NULL, NULL, NULL, '2024-01-02 10:00:00.000001+00', NULL),
        ('00000000-0000-4000-8000-000000000003', 'B', '2024-01-02', 0, NULL, NULL, NULL, '2024-01-03 10:00+00', NULL);
      CREATE TABLE hemmelig (id int); CREATE ROLE leser LOGIN PASSWORD 'passord'; GRANT SELECT ON sak TO leser`,
  })
})
afterAll(() => local?.stop())

const connection = env({ dev: 'sak-dev', prod: 'europe-north1.sak' })
const Sak = row(
  { id: z.uuid(), slag: z.enum(['A', 'B']), dato: z.iso.date(), belop: bq.numeric().nullable(), oppdatert: bq.timestamp() },
  { key: ['id'] },
)
const query = pg`SELECT id::text AS id, slag::text AS slag, dato, belop, oppdatert, "Navn", data FROM sak WHERE slag::text <> ${"'\\"} -- alle`
const saker = external(Sak, connection, query)
const all = async (source: ExternalSource, more: object = {}) => {
  const request = { columns: source.row.columns, slices: null, ...more }
  const rows: AnyRow[] = []
  for await (const page of adapter.external.read(source, request, new AbortController().signal)) rows.push(...page)
  return rows
}
const refusal = (source: ExternalSource) =>
  adapter.external.facts(source).then(
    () => expect.fail('was taken'),
    (error: Error) => error.message,
  )

describe('a federated source', () => {
  test('says its columns, reads them exactly, in slices and in a window', async () => {
    expect(await adapter.external.facts(saker)).toEqual({
      name: 'connection test-project.europe-north1.sak-dev',
      columns: [
        { name: 'id', type: 'STRING' },
        { name: 'slag', type: 'STRING' },
        { name: 'dato', type: 'DATE' },
        { name: 'belop', type: 'NUMERIC' },
        { name: 'oppdatert', type: 'TIMESTAMP' },
      ],
      rows: null,
    })
    const rows = await all(saker)
    expect(rows).toHaveLength(3)
    expect(rows.find(({ slag }) => slag === 'A')).toEqual({
      id: '00000000-0000-4000-8000-000000000001',
      slag: 'A',
      dato: '2024-01-01',
      belop: '10.5',
      oppdatert: '2024-01-01T10:00:00Z',
    })
    expect(await adapter.external.dates(saker, 'dato', '2024-01-01')).toEqual(['2024-01-01'])
    expect(await all(saker, { slices: { column: 'dato', dates: ['2024-01-02'] } })).toHaveLength(2)
    const bounds = { column: 'oppdatert', type: 'TIMESTAMP', newest: null, remark: null }
    const window = { ...bounds, from: '2024-01-01T10:00:00Z', to: '2024-01-02T10:00:00.000001Z' }
    expect((await all(saker, { window })).map(({ oppdatert }) => oppdatert)).toEqual(['2024-01-02T10:00:00.000001Z'])
    const changing = saker.changedBy('oppdatert', { deletes: 'none' })
    expect(await adapter.external.window?.(changing, null)).toMatchObject({ from: null, newest: '2024-01-03T10:00:00Z' })
  })

  test('the text for people is what runs, word for word, and the bounds stand in it', async () => {
    const text = adapter.external.text(saker, { columns: Sak.columns, slices: { column: 'dato', dates: ['2024-01-01'] } })
    expect(text).toContain(`FROM EXTERNAL_QUERY('test-project.europe-north1.sak-dev', '''SELECT "id"`)
    expect(text).toContain(`WHERE "dato" IN (DATE \\'2024-01-01\\')`)
    expect(await run(local, text)).toEqual([
      ['00000000-0000-4000-8000-000000000001', 'A', '2024-01-01', '10.5', expect.any(String)],
    ])
  })

  test.each(["'''", "\\'''", '"""', "a\r\nb\\\nc'", '\u0000\u2028æ🙂`', "''' || (SELECT 1) || '''"])(
    'a block says %j',
    async text => {
      const [[value] = []] = await run(local, `SELECT ${literal.block(text)}`)
      expect(value).toBe(text)
    },
  )

  test('types that EXTERNAL_QUERY refuses are found before anything runs, with the cast', async () => {
    const Odd = row({ id: z.uuid(), data: bq.json().nullable(), lengde: z.string().nullable(), tall: z.string().nullable() })
    const said = await refusal(external(Odd, connection, pg`SELECT id, data, lengde, tall, 1 / 0 AS aldri FROM sak`))
    expect(said).toBe(
      'connection test-project.europe-north1.sak-dev: EXTERNAL_QUERY does not take these types: id is uuid, data is jsonb, lengde is interval, tall is integer[]. Hint: cast them in the query: id::text AS id, data::text AS data, lengde::text AS lengde, tall::text AS tall',
    )
    const Slag = row({ slag: z.string() })
    expect(await refusal(external(Slag, connection, pg`SELECT slag FROM sak`))).toContain('slag::text AS slag')
  })

  test('a type that the row schema has not, with what makes them one', async () => {
    const Other = row({ belop: z.number().nullable(), dato: z.string() })
    const said = await refusal(external(Other, connection, pg`SELECT belop, dato FROM sak`))
    expect(said).toContain('belop is numeric in Postgres, which becomes NUMERIC, and the row schema says FLOAT64')
    expect(said).toContain('dato is date in Postgres, which becomes DATE, and the row schema says STRING')
    expect(said).toContain("external(…, { decimals: 'float64' })")
    const Float = row({ belop: z.number().nullable() })
    expect(await all(external(Float, connection, pg`SELECT belop FROM sak WHERE belop > 0`, { decimals: 'float64' }))).toEqual([
      { belop: 10.5 },
    ])
  })

  const Navn = row({ navn: z.string() })
  test.each([
    ['an alias is missing', pg`SELECT upper('a')`, /the query gives no column navn\. Hint: name it: … AS navn/],
    ['a name is folded', pg`SELECT 'a' AS "Navn"`, /the query gives no column navn/],
    ['a column comes twice', pg`SELECT 'a' AS navn, 'b' AS navn`, /the query gives the column navn more than once/],
    ['a table is missing', pg`SELECT navn FROM ukjent`, /Postgres says: relation "ukjent" does not exist/],
    ['the SQL is wrong', pg`SELEC navn`, /Postgres says: syntax error at or near/],
    ['a function is missing', pg`SELECT finnes_ikke() AS navn`, /Postgres says: function finnes_ikke\(\) does not exist/],
  ])('says it where %s', async (_, query, message) => {
    expect(await refusal(external(Navn, connection, query))).toMatch(message)
  })

  test('says it where the connection is missing, elsewhere, or its Postgres is down, and where its user may not read', async () => {
    const simple = pg`SELECT 'a' AS navn`
    expect(await refusal(external(Navn, 'borte', simple))).toMatch(
      /the connection test-project\.europe-north1\.borte does not exist, or this service account may not use it\. Hint: a local BigQuery knows a connection while it runs/,
    )
    expect(await refusal(external(Navn, 'EU.sak-dev'.toLowerCase(), simple))).toMatch(
      /the connection test-project\.eu\.sak-dev lies in eu, and the jobs run in europe-north1/,
    )
    await seed('nede', { url: 'postgres://etl:x@127.0.0.1:1/nede' })
    expect(await refusal(external(Navn, 'nede', simple))).toMatch(
      /the Postgres behind the connection test-project\.europe-north1\.nede does not answer \(connect ECONNREFUSED 127\.0\.0\.1:1\)/,
    )
    const address = new URL(await seed('sak-dev'))
    const user = Object.assign(new URL(address), { username: 'leser', password: 'passord' }).href
    await seed('leser', { url: user })
    expect(await refusal(external(Navn, 'leser', pg`SELECT id::text AS navn FROM hemmelig`))).toBe(
      "connection test-project.europe-north1.leser: the connection's Postgres user may not read hemmelig. Hint: let the database's owner run: GRANT SELECT ON hemmelig TO the user of the connection (and USAGE on its schema)",
    )
  })

  test('a value without a place, and an error while it reads, quote no row', async () => {
    const Tid = row({ tid: bq.timestamp() })
    await expect(all(external(Tid, connection, pg`SELECT 'infinity'::timestamptz AS tid`))).rejects.toThrow(
      /a value of the column tid has no place in TIMESTAMP/,
    )
    const secret = pg`SELECT ('99017012345' || navn)::int::text AS navn FROM (VALUES ('x')) AS v(navn)`
    const failure = await all(external(Navn, connection, secret)).then(
      () => expect.fail('was read'),
      (error: Error) => error.message,
    )
    expect(failure).not.toContain('99017012345')
  })
})

test('a service that takes no parameter there gets a literal, from then on', async () => {
  const said = 'Table-valued function EXTERNAL_QUERY argument 2 must be a literal string'
  const types = {
    jobReference: { jobId: 'j' },
    jobComplete: true,
    schema: { fields: [{ name: 't0', type: 'STRING' }] },
    rows: [{ f: [{ v: 'text' }] }],
  }
  const answers = [refused(400, 'invalidQuery', said), { status: 200, body: types }, { status: 200, body: types }]
  const { api, jobs, seen } = await service(answers)
  const reader = createExternalReader(api, jobs, { project: 'p', location: 'europe-north1', environment: 'dev' })
  const simple = external(row({ navn: z.string() }), 'sak', pg`SELECT navn FROM sak`)
  for (const _ of [1, 2]) expect((await reader.facts(simple)).columns).toEqual([{ name: 'navn', type: 'STRING' }])
  const bodies = seen.map(({ body }) => JSON.parse(body) as { query: string; queryParameters?: unknown[] })
  expect(bodies.map(({ queryParameters = [] }) => queryParameters.length)).toEqual([1, 0, 0])
  expect(bodies[1]?.query).toContain("EXTERNAL_QUERY('p.europe-north1.sak', '''SELECT pg_typeof(")
})

describe('a sql transform over a federated source', () => {
  const target = dataset('anything').table('t', Sak)
  const select = sql`SELECT id, slag, dato, belop, oppdatert FROM ${'saker'} WHERE slag = 'B'`

  test('has it behind WITH, its slices in the inner SQL', async () => {
    const made = named(
      pipeline({ schedule: '0 5 * * *', from: { saker }, transform: select, to: target, write: partition('dato') }),
    )
    const text = adapter.warehouse.queryText(made, ['2024-01-02'])
    expect(text).toContain(
      "WITH `saker` AS (\n  SELECT `id`, `slag`, `dato`, `belop`, `oppdatert` FROM EXTERNAL_QUERY('test-project.europe-north1.sak-dev', '''",
    )
    expect(text).toContain(`WHERE "dato" IN (DATE \\'2024-01-02\\')`)
    expect(await run(local, text)).toHaveLength(2)
  })

  test('names it once: each use would be a statement, and a snapshot, of its own', () => {
    const twice = sql`SELECT a.* FROM ${'saker'} AS a JOIN ${'saker'} AS b USING (id)`
    const made = named(pipeline({ schedule: '0 5 * * *', from: { saker }, transform: twice, to: target, write: replace() }))
    expect(() => adapter.warehouse.queryText(made, null)).toThrow(/names the source saker more than once/)
  })
})

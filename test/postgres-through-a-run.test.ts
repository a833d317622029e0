import { bq, dataset, each, merge, partition, pg, pipeline, postgres, type Row, replace, row } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { readConfig } from '../src/config.ts'
import type { EtlError } from '../src/domain/error.ts'
import type { RunEvent } from '../src/domain/event.ts'
import type { Pg } from '../src/domain/pg.ts'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { run } from '../src/engine/run.ts'
import { wire } from '../src/wire.ts'
import { etl, type Project, project } from './support/etl.ts'
import { type Local, startLocal } from './support/local.ts'
import { startTestPostgres, type TestPostgres } from './support/postgres.ts'
import { ask, root } from './support/project.ts'

// From a real Postgres to a published version: what is copied in bulk and what passes a transform are the same rows, and whatever goes wrong publishes nothing.
let local: Local
let server: TestPostgres
beforeAll(async () => {
  ;[local, server] = await Promise.all([startLocal(), startTestPostgres()])
  for (const datasetId of ['ut', 'ut_etl'])
    await local.call('POST', '/team-dev/datasets', { datasetReference: { projectId: 'team-dev', datasetId } })
  await server.run(`CREATE TYPE slag AS ENUM ('søknad', 'vedtak');
    CREATE TABLE sak (id bigint PRIMARY KEY, dato date NOT NULL, oppdatert timestamptz NOT NULL, belop numeric NOT NULL, slag slag NOT NULL,
      merknad text, uid uuid NOT NULL, detaljer jsonb, tagger text[] NOT NULL, klokka time, lokal timestamp, data bytea, tall float8, aktiv boolean, varighet interval);
    INSERT INTO sak SELECT i, date '2024-03-29' + (i % 4)::int, timestamptz '2024-03-31 00:30:00+00' + i * interval '1.000001 s', i / 8.0, (ARRAY['søknad', 'vedtak'])[1 + i % 2]::slag,
      CASE WHEN i % 3 = 0 THEN E'merk \\'"\\\\ ' || i END, md5(i::text)::uuid, jsonb_build_object('n', i), ARRAY(SELECT 't' || k FROM generate_series(1, i % 3) AS k),
      time '00:00' + i * interval '7.1 s', CASE WHEN i % 2 = 0 THEN timestamp '1900-01-01' + i * interval '1 day' END, decode(md5(i::text), 'hex'), i / 3.0, i % 5 = 0, i * interval '1 hour'
    FROM generate_series(1, 1200) AS i;
    CREATE ROLE leser LOGIN PASSWORD 'passord'`)
})
afterAll(() => Promise.all([local?.stop(), server?.stop()]))

const Sak = row(
  {
    id: bq.int64(),
    dato: z.iso.date(),
    oppdatert: bq.timestamp(),
    belop: bq.numeric(),
    slag: z.enum(['søknad', 'vedtak']),
    merknad: z.string().nullable(),
    uid: z.guid(),
    detaljer: bq.json().nullable(),
    tagger: z.array(z.string()),
    klokka: bq.time().nullable(),
    lokal: bq.datetime().nullable(),
    data: bq.bytes().nullable(),
    tall: z.number().nullable(),
    aktiv: z.boolean().nullable(),
    varighet: z.string().nullable(),
  },
  { key: ['id'] },
)
const names = Sak.columns.map(({ name }) => name).join(', ')
const schedule = '0 6 * * *'
const everything = pg`SELECT * FROM sak`

type Attempted = { readonly outcome?: string; readonly error?: EtlError; readonly events: readonly RunEvent[] }

/** One run of a pipeline, as a process would be that finds this address. */
async function attempt(name: string, made: Omit<NamedPipeline, 'name'>, url = server.url()): Promise<Attempted> {
  const env = { BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev', ETL_WAIT_FACTOR: '0.01', SAK_DB_URL: url }
  const { ports, settings, request } = await wire(readConfig({}, { env, stdout: process.stdout, cwd: root }), { report: 'quiet' })
  const events: RunEvent[] = []
  const own = { ...ports, report: { event: (event: RunEvent) => void events.push(event) } }
  try {
    const { outcome } = await run({ name, ...made } as NamedPipeline, request, own, settings, new AbortController().signal)
    return { outcome, events }
  } catch (error) {
    return { error: error as EtlError, events }
  }
}
const rowsOf = (table: string) => ask(local.url, `SELECT ${names} FROM \`team-dev.ut.${table}\` ORDER BY id`)
const headOf = async (table: string) =>
  (await ask(local.url, `SELECT seq, cursor FROM \`team-dev.ut_etl.head__${table}\``).catch(() => []))[0]
const copied = (query: Pg = everything, table = 'saker') =>
  pipeline({ schedule, from: { sak: postgres(Sak, 'SAK_DB', query) }, to: dataset('ut').table(table, Sak), write: replace() })

describe('rows that are published', () => {
  test('are the same whether they are copied in bulk, pass a transform or come by slices', async () => {
    const from = { sak: postgres(Sak, 'SAK_DB', everything) }
    const by = pipeline({
      schedule,
      from,
      to: dataset('ut').table('hver', Sak),
      write: replace(),
      transform: { each: ({ sak }) => [sak] },
    })
    const sliced = pipeline({ schedule, from, to: dataset('ut').table('deler', Sak), write: partition('dato') })
    const ways: unknown[] = []
    for (const [name, made] of [
      ['saker', copied()],
      ['hver', by],
    ] as const) {
      const { outcome, events } = await attempt(name, made)
      expect(outcome).toBe('published')
      ways.push(...events.flatMap(event => (event.kind === 'way' ? [event.by] : [])))
    }
    expect(ways).toEqual(['COPY, in bulk: no transform asks for rows', 'COPY, row by row for the transform'])
    expect(await attempt('deler', sliced)).toMatchObject({ outcome: 'published' })
    const rows = await rowsOf('saker')
    expect(rows.length).toBe(1200)
    expect(rows[2]).toMatchObject({
      id: 3n,
      dato: '2024-04-01',
      oppdatert: '2024-03-31T00:30:03.000003Z',
      belop: '0.375',
      slag: 'vedtak',
      merknad: `merk '"\\ 3`,
      uid: 'eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3',
      tagger: [],
      klokka: '00:00:21.300000',
      lokal: null,
      tall: 1,
      aktiv: false,
      varighet: '03:00:00',
    })
    expect(await rowsOf('hver')).toEqual(rows)
    expect(await rowsOf('deler')).toEqual(rows)
  })

  test('what the row schema promises is proved in the stage, since no row was looked at', async () => {
    const before = await headOf('saker')
    const query = pg`SELECT id, dato, oppdatert, belop, (CASE WHEN id = 17 THEN 'klage' ELSE slag::text END) AS slag, merknad, uid, detaljer, tagger, klokka, lokal, data, tall, aktiv, varighet FROM sak`
    const { error } = await attempt('saker', copied(query))
    expect(error).toMatchObject({ kind: 'audit' })
    expect(error?.message).toContain('slag')
    expect(await headOf('saker')).toEqual(before)
  })

  test('a key that stands on two pages is found in the stage, and a wrong row behind many pages is told by its number', async () => {
    const before = await headOf('hver')
    const from = { sak: postgres(Sak, 'SAK_DB', everything) }
    const to = dataset('ut').table('hver', Sak)
    const twice = each(({ sak }: { sak: Row<typeof Sak> }) => [{ ...sak, id: sak.id === 1150n ? 3n : sak.id }])
    const failed = await attempt('hver', pipeline({ schedule, from, transform: twice, to, write: replace() }))
    expect(failed.error).toMatchObject({ kind: 'audit', message: expect.stringContaining('id') })
    const query = pg`SELECT *, (CASE WHEN id = 1100 THEN 'NaN' ELSE belop END) AS tall_ut FROM sak ORDER BY id`
    const Other = row({ id: bq.int64(), tall_ut: bq.numeric() })
    const wrong = { ...from, sak: postgres(Other, 'SAK_DB', query) }
    const transform = each(({ sak }: { sak: Row<typeof Other> }) => [sak])
    const made = pipeline({ schedule, from: wrong, transform, to: dataset('ut').table('nye', Other), write: replace() })
    expect((await attempt('nye', made)).error?.message).toContain('row 1100 › tall_ut: expected a NUMERIC, got NaN.')
    expect(await headOf('hver')).toEqual(before)
  })

  test('changes move the cursor with their version, and a failure moves neither', async () => {
    const changed = pipeline({
      schedule,
      from: { sak: postgres(Sak, 'SAK_DB', everything).changedBy('oppdatert', { overlap: '1 h', deletes: 'none' }) },
      to: dataset('ut').table('endret', Sak),
      write: merge(),
    })
    expect(await attempt('endret', changed)).toMatchObject({ outcome: 'published' })
    const first = await headOf('endret')
    await server.run("UPDATE sak SET merknad = 'endret', oppdatert = now() - interval '10 s' WHERE id <= 5")
    const { events, outcome } = await attempt('endret', changed)
    expect(outcome).toBe('published')
    expect(events.filter(({ kind }) => kind === 'reading').at(-1)).toMatchObject({ rows: 5 })
    const second = await headOf('endret')
    expect(second?.cursor).not.toBe(first?.cursor)
    await server.run(
      "INSERT INTO sak SELECT 1201, 'infinity', now() - interval '10 s', belop, slag, merknad, uid, detaljer, tagger FROM sak WHERE id = 1",
    )
    const { error } = await attempt('endret', changed)
    await server.run('DELETE FROM sak WHERE id = 1201')
    expect(error?.message).toContain('endret › read sak › row 6 › dato: expected a DATE, got infinity')
    expect(await headOf('endret')).toEqual(second)
  })
})

describe('what goes wrong publishes nothing', () => {
  test.each([
    [
      'denied',
      'leser',
      everything,
      'saker › plan sak: Postgres SAK_DB: permission denied for table sak. Hint: GRANT SELECT ON sak TO',
    ],
    ['schema', undefined, pg`SELECT *, 1 AS id FROM sak`, 'saker › plan sak: the query of SAK_DB gives the column id twice'],
    ['notFound', undefined, pg`SELECT * FROM saker`, 'saker › plan sak: Postgres SAK_DB: relation "saker" does not exist'],
  ] as const)('%s, as %s', async (kind, role, query, sentence) => {
    const before = await headOf('saker')
    const { error } = await attempt('saker', copied(query), server.url('postgres', role))
    expect(error?.message).toContain(sentence)
    expect(error?.kind).toBe(kind)
    expect(await headOf('saker')).toEqual(before)
  })

  test('a column that changed its type since yesterday', async () => {
    const before = await headOf('saker')
    await server.run(
      'ALTER TABLE sak ALTER COLUMN merknad TYPE text[] USING ARRAY[merknad], ALTER COLUMN belop TYPE money USING belop::money',
    )
    const { error } = await attempt('saker', copied())
    await server.run(
      'ALTER TABLE sak ALTER COLUMN merknad TYPE text USING merknad[1], ALTER COLUMN belop TYPE numeric USING belop::numeric',
    )
    expect(error).toMatchObject({ kind: 'schema' })
    expect(error?.message).toContain(
      'belop is money, expected NUMERIC: write "belop"::numeric; merknad is text[], expected STRING',
    )
    expect(await headOf('saker')).toEqual(before)
  })

  test('a server that goes while it is read', async () => {
    const other = await startTestPostgres()
    const Lang = row({ id: bq.int64(), tekst: z.string() }, { key: ['id'] })
    const query = pg`SELECT i AS id, repeat('x', 200) AS tekst FROM generate_series(1::bigint, 1000000000) AS i`
    const endless = pipeline({
      schedule,
      from: { sak: postgres(Lang, 'SAK_DB', query) },
      to: dataset('ut').table('lang', Lang),
      write: replace(),
    })
    const running = attempt('lang', endless, other.url())
    await expect
      .poll(
        async () =>
          (await other.run("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND application_name LIKE 'nais-etl%'"))
            .rowCount,
        { timeout: 20_000 },
      )
      .toBe(1)
    await other.stop()
    const { error } = await running
    expect(error).toMatchObject({ kind: 'unavailable' })
    expect(error?.message).toMatch(
      /lang › (read|plan) sak: Postgres SAK_DB: (the connection is gone|nobody answers at its address)/,
    )
    expect((await headOf('lang'))?.seq ?? 0n).toBe(0n)
  })

  test('a connection that is cut once: all is read again, and published once', async () => {
    const Tall = row({ id: bq.int64(), tekst: z.string() }, { key: ['id'] })
    const many = pg`SELECT i * 1000::bigint + j AS id, repeat('x', 100) AS tekst FROM generate_series(1, 100) AS i, generate_series(1, 1000) AS j`
    let cut: Promise<unknown> | undefined
    const made = pipeline({
      schedule,
      from: { tall: postgres(Tall, 'SAK_DB', many) },
      transform: {
        each: ({ tall }) => {
          cut ??= server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()",
          )
          return [tall]
        },
      },
      to: dataset('ut').table('kuttet', Tall),
      write: replace(),
    })
    const { outcome, error, events } = await attempt('kuttet', made)
    await cut
    expect([error, outcome]).toEqual([undefined, 'published'])
    expect(events.filter(({ kind }) => kind === 'waiting')).toMatchObject([{ why: expect.stringContaining('Reading anew') }])
    expect(await ask(local.url, 'SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM `team-dev.ut.kuttet`')).toEqual([
      { n: 100_000n, ids: 100_000n },
    ])
  })
})

describe('on the command line', () => {
  let team: Project
  beforeAll(async () => {
    team = await project({
      'src/pipelines/saker.ts': `import { bq, dataset, pg, pipeline, postgres, replace, row } from 'nais-etl'
const Sak = row({ id: bq.int64() }, { key: ['id'] })
export default pipeline({
  schedule: '30 6 * * *',
  from: { sak: postgres(Sak, 'SAK_DB', pg\`SELECT id FROM sak\`) },
  to: dataset('ut').table('cli', Sak),
  write: replace(),
})
`,
    })
    return () => team.remove()
  })
  const world = () => ({ BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev' })
  test('no address: which variables, and who gives them', async () => {
    const said = await etl(team.dir, ['run', 'saker'], world())
    expect(said.code).toBe(1)
    expect(said.all).toContain(
      'saker › plan sak: where is the database SAK_DB? Neither SAK_DB_URL is set, nor SAK_DB_HOST, SAK_DB_DATABASE, SAK_DB_USERNAME, SAK_DB_PASSWORD. Hint: in a Job the secret sak-db has SAK_DB_URL',
    )
  })
  test('nobody answers: a sentence without the password', async () => {
    const said = await etl(team.dir, ['run', 'saker'], { ...world(), SAK_DB_URL: 'postgres://etl:hemmelig@127.0.0.1:1/sak' })
    expect(said.code).toBe(1)
    expect(said.all).toContain('Postgres SAK_DB: nobody answers at its address.')
    expect(said.all).not.toContain('hemmelig')
  })
  test('the variables that nais gives', async () => {
    const { hostname, port, username, password } = new URL(server.url())
    const given = {
      SAK_DB_HOST: hostname,
      SAK_DB_PORT: port,
      SAK_DB_DATABASE: 'postgres',
      SAK_DB_USERNAME: username,
      SAK_DB_PASSWORD: password,
    }
    const said = await etl(team.dir, ['run', 'saker'], { ...world(), ...given })
    expect(said.all).toContain('Version published')
    expect(said.all).toContain('COPY, in bulk')
    expect(said.code).toBe(0)
    const examined = await etl(team.dir, ['doctor', 'saker'], { ...world(), ...given })
    expect(examined.all).toContain('the types of its 1 columns fit; it is read by a binary COPY, in bulk')
  })
})

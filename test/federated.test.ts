import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bq, dataset, external, merge, partition, pg, pipeline, replace, row, sql } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { loadPipeline } from '../src/cli/pipelines.ts'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { seedConnection } from './support/connection.ts'
import { etl } from './support/etl.ts'
import { type Local, startLocal } from './support/local.ts'
import { startTestPostgres } from './support/postgres.ts'
import { ask, attempt, root } from './support/project.ts'
import { makeDatasets } from './support/source-table.ts'

// Federated sources through whole runs, on a real Postgres behind the local BigQuery.
const connection = 'team-dev.europe-north1.nada-dev'
let local: Local
beforeAll(async () => {
  local = await startLocal()
  await makeDatasets(local, 'nada', 'ut')
})
afterAll(() => local?.stop())

const person = (...args: string[]) => etl(root, args, { BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev' })

describe('dataprodukter, the scheduled query of the guide', () => {
  /** The pod of the Job that Kubernetes makes for the tick of a day so long ago: its version is the tick. */
  const day = (ago: number) => {
    const noon = new Date(Date.now() - ago * 86_400_000)
    const date = noon.toISOString().slice(0, 10)
    return { date, pod: `apps-${Math.floor(Date.parse(`${date}T04:00:00Z`) / 60_000)}-abcde` }
  }
  const [before, after] = [day(3), day(2)]
  const read = async (date: string) => {
    const { stdout, all } = await person('read', 'dataprodukter', '--version', date, '--json')
    try {
      return (JSON.parse(stdout) as { name: string; pii: string }[]).map(({ name, pii }) => `${name}: ${pii}`).sort()
    } catch {
      throw new Error(all)
    }
  }

  test('its history answers what the table looked like on that day', async () => {
    const dataprodukter = await loadPipeline(root, 'dataprodukter')
    const sql = await readFile(join(root, 'fixtures', 'dataprodukter', 'guide', 'produkter.sql'), 'utf8')
    await seedConnection(local, connection, { sql })
    expect(await attempt(local.url, dataprodukter, before.pod)).toMatchObject({
      outcome: 'published',
      version: `${before.date}T04:00:00Z`,
    })
    await seedConnection(local, connection, {
      sql: `UPDATE dataproducts SET pii = 'none', last_modified = now() WHERE name = 'Åpne saker';
        DELETE FROM dataproducts WHERE name = 'Protester';
        INSERT INTO dataproducts SELECT gen_random_uuid(), 'Vedtak', NULL, 'sensitive', now(), now(), 'postgres'`,
    })
    await attempt(local.url, dataprodukter, after.pod)
    const then = ['Protester: none', 'Tiltak, "gamle": anonymised', 'Åpne saker: sensitive']
    const now = ['Tiltak, "gamle": anonymised', 'Vedtak: sensitive', 'Åpne saker: none']
    expect(await read(before.date)).toEqual(then)
    expect(await read(after.date)).toEqual(now)
  })

  test('doctor asks the connection, and says so', async () => {
    const { stdout } = await person('doctor', 'dataprodukter')
    expect(stdout).toMatch(
      /✔ source produkter +connection team-dev\.europe-north1\.nada-dev answers, and EXTERNAL_QUERY takes the types of its 7 columns/,
    )
  })
})

describe('what is read of it', () => {
  const Sak = row({ id: z.string(), dato: z.iso.date(), oppdatert: bq.timestamp() }, { key: ['dato', 'id'] })
  const saker = external(Sak, 'deler', pg`SELECT id::text AS id, dato, oppdatert FROM sak`)
  const select = sql`SELECT id, dato, oppdatert FROM ${'saker'}`
  const rows = async (table: string) =>
    (await ask(local.url, `SELECT id FROM \`team-dev.ut.${table}\` ORDER BY id`)).map(({ id }) => id)
  beforeAll(async () => {
    await seedConnection(local, 'team-dev.europe-north1.deler', {
      sql: `CREATE TABLE sak (id int, dato date, oppdatert timestamptz);
        INSERT INTO sak VALUES (1, '2024-01-01', now() - interval '3 hours'), (2, '2024-01-02', now() - interval '2 hours')`,
    })
  })

  test('its dates, slice by slice, with a function', async () => {
    const made = pipeline({
      schedule: '0 5 * * *',
      from: { saker },
      to: dataset('ut').table('slices', Sak),
      write: partition('dato'),
    })
    expect(await attempt(local.url, { ...made, name: 'slices' })).toMatchObject({ outcome: 'published', rows: 2 })
    expect(await rows('slices')).toEqual(['1', '2'])
  })

  test('only what has changed, in a sql transform that never leaves BigQuery', async () => {
    const made = pipeline({
      schedule: '0 5 * * *',
      from: { saker: saker.changedBy('oppdatert', { overlap: '1 min', deletes: 'none' }) },
      transform: select,
      to: dataset('ut').table('changes', Sak),
      write: merge(),
    })
    const changing = { ...made, name: 'changes' }
    await attempt(local.url, changing)
    // The first one is older than all that was read: only a read of everything would find it.
    await seedConnection(local, 'team-dev.europe-north1.deler', {
      sql: `INSERT INTO sak VALUES (3, '2024-01-03', now() - interval '4 hours'), (4, '2024-01-04', now() - interval '10 seconds')`,
    })
    await attempt(local.url, changing)
    expect(await rows('changes')).toEqual(['1', '2', '4'])
  })
})

describe('bad input gets a sentence, and nothing is half-published', () => {
  const Sak = row({ id: z.string(), status: z.string() }, { key: ['id'] })
  const good = pg`SELECT id::text AS id, status FROM sak`
  const made = (query = good, at = 'sak'): NamedPipeline => ({
    ...pipeline({
      schedule: '0 5 * * *',
      from: { saker: external(Sak, at, query) },
      to: dataset('ut').table('saker', Sak),
      write: replace(),
    }),
    name: 'saker',
  })
  const published = () => ask(local.url, 'SELECT id, status FROM `team-dev.ut.saker` ORDER BY id')
  const head = async () => (await ask(local.url, 'SELECT seq, version, cursor FROM `team-dev.ut_etl.head__saker`'))[0]
  beforeAll(async () => {
    await seedConnection(local, 'team-dev.europe-north1.sak', {
      sql: "CREATE TABLE sak (id int, status text, fnr text); INSERT INTO sak VALUES (1, 'APEN', '99017012345'), (2, 'LUKKET', '99017012345')",
    })
    await attempt(local.url, made())
  })

  test.each<[string, () => NamedPipeline, RegExp]>([
    ['the connection is missing', () => made(good, 'borte'), /connection team-dev\.europe-north1\.borte does not exist/],
    ['it lies elsewhere', () => made(good, 'europe-west1.sak'), /lies in europe-west1, and the jobs run in europe-north1/],
    [
      'a type is refused',
      () => made(pg`SELECT gen_random_uuid() AS id, status FROM sak`),
      /id is uuid\. Hint: cast them in the query: id::text AS id/,
    ],
    ['an alias is missing', () => made(pg`SELECT id::text, upper(status) FROM sak`), /gives no column status/],
    [
      'a column comes twice',
      () => made(pg`SELECT id::text AS id, status, 'x' AS status FROM sak`),
      /gives the column status more than once/,
    ],
    ['the statement is wrong', () => made(pg`SELECT id, status FROM saker`), /Postgres says: relation "saker" does not exist/],
    [
      'the statement fails while it runs',
      () => made(pg`SELECT id::text AS id, (fnr || status)::bigint::text AS status FROM sak`),
      /./,
    ],
  ])('where %s', async (_, broken, message) => {
    const before = await head()
    const failure = await attempt(local.url, broken()).then(
      () => expect.fail('it was published'),
      (error: Error) => error.message,
    )
    expect(failure).toMatch(message)
    expect(failure).not.toContain('99017012345')
    expect(await published()).toEqual([
      { id: '1', status: 'APEN' },
      { id: '2', status: 'LUKKET' },
    ])
    expect(await head()).toEqual(before)
  })

  test('where a column has changed its type since yesterday', async () => {
    await seedConnection(local, 'team-dev.europe-north1.sak', {
      sql: 'ALTER TABLE sak ADD COLUMN nivaa int; ALTER TABLE sak RENAME status TO gammel; ALTER TABLE sak RENAME nivaa TO status',
    })
    await expect(attempt(local.url, made())).rejects.toThrow(
      /status is integer in Postgres, which becomes INT64, and the row schema says STRING/,
    )
    expect(await published()).toHaveLength(2)
  })

  test('where Postgres is down behind the connection, at the start and in the middle', async () => {
    const postgres = await startTestPostgres()
    await postgres.run("CREATE TABLE sak (id int, status text); INSERT INTO sak VALUES (3, 'NY')")
    await seedConnection(local, 'team-dev.europe-north1.egen', { url: postgres.url() })
    // The types are asked for, and then the server goes while the query sleeps.
    const slow = attempt(
      local.url,
      made(pg`SELECT id::text AS id, status FROM sak, LATERAL (SELECT pg_sleep(30)) AS s`, 'egen'),
    ).then(
      () => expect.fail('it was published'),
      (error: Error) => error.message,
    )
    const isReading = async () => {
      const { rows } = await postgres.run("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
      return rows.length > 0
    }
    while (!(await isReading())) await new Promise(resolve => setTimeout(resolve, 50))
    await postgres.stop()
    expect(await slow).toMatch(/the connection team-dev\.europe-north1\.egen/)
    await expect(attempt(local.url, made(good, 'egen'))).rejects.toThrow(
      /the Postgres behind the connection team-dev\.europe-north1\.egen does not answer/,
    )
    expect(await published()).toHaveLength(2)
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { SourceDeletes } from '../src/domain/changes.ts'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { adopt, adoption } from '../src/engine/migrate.ts'
import { release } from '../src/engine/release.ts'
import { rollback } from '../src/engine/rollback.ts'
import { run } from '../src/engine/run.ts'
import { bq, dataset, postgres as direct, external, merge, pg, pipeline, row } from '../src/index.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, databases, worldOn } from './support/project.ts'
import { makeDatasets } from './support/source-table.ts'

// What a source that is read by its changes promises: nothing is passed, nothing stands twice, deletes arrive as declared, and what fails moves no cursor.
const Sak = row(
  { sak_id: bq.int64(), status: z.enum(['APEN', 'LUKKET']), slettet: z.boolean(), oppdatert: bq.timestamp() },
  { key: ['sak_id'] },
)
const query = pg`SELECT sak_id, status, slettet, oppdatert FROM sak`

function saker(table: string, deletes: SourceDeletes, from: 'external' | 'postgres' = 'external'): NamedPipeline {
  return {
    ...pipeline({
      schedule: '0 5 * * *',
      from: {
        sak: (from === 'external' ? external(Sak, 'saker', query) : direct(Sak, 'SAKER', query)).changedBy('oppdatert', {
          deletes,
        }),
      },
      to: dataset('ut').table(table, Sak),
      write: merge(deletes === 'soft' ? { deletes: { when: 'slettet' } } : {}),
    }),
    name: table,
  }
}

let local: Local
beforeAll(async () => {
  local = await startLocal()
  await makeDatasets(local, 'ut')
})
afterAll(() => local.stop())

const postgres = async (sql: string) => {
  const body = JSON.stringify({ connection: 'team-dev.europe-north1.saker', sql })
  const answer = await fetch(`${local.url}/_local/postgres`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (!answer.ok) throw new Error(await answer.text())
  databases.SAKER_URL = ((await answer.json()) as { url: string }).url
}
/** Rows of the source, changed so many minutes ago. */
const put = (minutes: number, ...rows: string[]) =>
  postgres(
    rows
      .map(
        values => `INSERT INTO sak VALUES (${values}, now() - interval '${minutes} minutes')
        ON CONFLICT (sak_id) DO UPDATE SET status = excluded.status, slettet = excluded.slettet, oppdatert = excluded.oppdatert;`,
      )
      .join('\n'),
  )
const rows = async (table: string) =>
  (await ask(local.url, `SELECT sak_id, status FROM \`team-dev.ut.${table}\``))
    .map(({ sak_id, status }) => `${sak_id} ${status}`)
    .sort()
const cursor = async (table: string) => (await ask(local.url, `SELECT cursor FROM \`team-dev.ut_etl.head__${table}\``))[0]?.cursor

beforeEach(() =>
  postgres(
    'DROP TABLE IF EXISTS sak; CREATE TABLE sak (sak_id bigint PRIMARY KEY, status text NOT NULL, slettet boolean NOT NULL, oppdatert timestamptz)',
  ),
)

describe('a source that is read by its changes', () => {
  test('gives what has changed, the overlap again, and nothing twice', async () => {
    const pipe = saker('endret', 'none')
    await put(120, "1, 'APEN', false", "2, 'APEN', false")
    await put(10, "3, 'APEN', false")
    const first = await attempt(local.url, pipe, 'en-aaaaa')
    expect([first.outcome, first.rows]).toEqual(['published', 3])
    await put(9, "2, 'LUKKET', false", "4, 'APEN', false")
    const second = await attempt(local.url, pipe, 'to-bbbbb')
    // 3 lies in the overlap, and is as it was.
    expect([second.rows, await rows('endret')]).toEqual([3, ['1 APEN', '2 LUKKET', '3 APEN', '4 APEN']])
    await put(300, "5, 'APEN', false")
    expect((await attempt(local.url, pipe, 'tre-ccccc')).rows).toBe(3)
    expect(await rows('endret')).toHaveLength(4)
    // What a clock that was far behind has written, only a full read finds.
    const { ports, settings, request } = await worldOn(local.url, 'fire-ddddd')
    const full = await run(pipe, { ...request, full: true }, ports, settings, new AbortController().signal)
    expect([full.rows, await rows('endret')]).toEqual([5, ['1 APEN', '2 LUKKET', '3 APEN', '4 APEN', '5 APEN']])
    const versions = await ask(local.url, 'SELECT DISTINCT version FROM `team-dev.ut.endret` WHERE sak_id IN (1, 3)')
    expect(versions).toHaveLength(1)
  })

  test('without a change publishes a version without rows, and the cursor goes on', async () => {
    const pipe = saker('stille', 'none')
    await put(120, "1, 'APEN', false")
    await attempt(local.url, pipe, 'en-aaaaa')
    const before = await cursor('stille')
    const second = await attempt(local.url, pipe, 'to-bbbbb')
    expect([second.outcome, second.rows, await rows('stille')]).toEqual(['published', 0, ['1 APEN']])
    expect(JSON.parse(String(await cursor('stille'))).sak.to > JSON.parse(String(before)).sak.to).toBe(true)
  })

  test("deletes: 'compare-keys' finds the rows that are gone", async () => {
    const pipe = saker('sammenlignet', 'compare-keys')
    await put(120, "1, 'APEN', false", "2, 'APEN', false", "3, 'APEN', false")
    await attempt(local.url, pipe, 'en-aaaaa')
    await postgres('DELETE FROM sak WHERE sak_id = 2')
    await put(5, "4, 'APEN', false")
    expect((await attempt(local.url, pipe, 'to-bbbbb')).rows).toBe(2)
    expect(await rows('sammenlignet')).toEqual(['1 APEN', '3 APEN', '4 APEN'])
    const [gone] = await ask(
      local.url,
      "SELECT sak_id, status FROM `team-dev.ut.sammenlignet__history` WHERE _op = 'delete' AND version > TIMESTAMP '2020-01-01'",
    )
    expect(gone).toEqual({ sak_id: 2n, status: 'APEN' })
  })

  test('a source that lost most of its rows does not take them from the target', async () => {
    const pipe = saker('vernet', 'compare-keys')
    await put(120, ...Array.from({ length: 30 }, (_, id) => `${id}, 'APEN', false`))
    await attempt(local.url, pipe, 'en-aaaaa')
    await postgres('DELETE FROM sak WHERE sak_id < 20')
    await expect(attempt(local.url, pipe, 'to-bbbbb')).rejects.toThrow(/20 rows of 30 would be deleted/)
    expect(await rows('vernet')).toHaveLength(30)
  })

  test('does so too where the job itself reads the Postgres', async () => {
    const pipe = saker('selv', 'compare-keys', 'postgres')
    await put(120, "1, 'APEN', false", "2, 'APEN', false", "3, 'APEN', false")
    await attempt(local.url, pipe, 'en-aaaaa')
    const before = await cursor('selv')
    await put(5, "2, 'UKJENT', false")
    await expect(attempt(local.url, pipe, 'to-bbbbb')).rejects.toThrow(/status/)
    expect(await cursor('selv')).toBe(before)
    await put(5, "2, 'LUKKET', false", "4, 'APEN', false")
    await postgres('DELETE FROM sak WHERE sak_id = 3')
    expect((await attempt(local.url, pipe, 'tre-ccccc')).rows).toBe(3)
    expect(await rows('selv')).toEqual(['1 APEN', '2 LUKKET', '4 APEN'])
  })

  test('a table that was taken over is guarded like any other', async () => {
    const pipe = saker('arvet', 'compare-keys')
    await put(120, "1, 'APEN', false")
    const { ports, settings, request } = await worldOn(local.url)
    const made =
      'CREATE TABLE `team-dev.ut.arvet` (sak_id INT64 NOT NULL, status STRING NOT NULL, slettet BOOL NOT NULL, oppdatert TIMESTAMP NOT NULL)'
    const filled =
      "INSERT INTO `team-dev.ut.arvet` SELECT n, 'APEN', FALSE, CURRENT_TIMESTAMP() FROM UNNEST(GENERATE_ARRAY(1, 100)) AS n"
    await ports.warehouse.execute('test-old', `${made}; ${filled}; SELECT 1`, 'the old table')
    const at = { ports, settings, request, signal: new AbortController().signal }
    await adopt(pipe, await adoption(pipe, at), at)
    await expect(attempt(local.url, pipe, 'en-aaaaa')).rejects.toThrow(/99 rows of 100 would be deleted/)
  })

  test("deletes: 'soft' follows the column", async () => {
    const pipe = saker('myk', 'soft')
    await put(120, "1, 'APEN', false", "2, 'APEN', false")
    await attempt(local.url, pipe, 'en-aaaaa')
    await put(5, "2, 'APEN', true")
    await attempt(local.url, pipe, 'to-bbbbb')
    expect(await rows('myk')).toEqual(['1 APEN'])
  })

  test('a run that is refused moves no cursor: the next one reads the same again', async () => {
    const pipe = saker('nektet', 'none')
    await put(120, "1, 'APEN', false")
    await attempt(local.url, pipe, 'en-aaaaa')
    const before = await cursor('nektet')
    await put(5, "2, 'UKJENT', false")
    await expect(attempt(local.url, pipe, 'to-bbbbb')).rejects.toThrow(/status/)
    expect(await cursor('nektet')).toBe(before)
    await put(5, "2, 'LUKKET', false")
    await attempt(local.url, pipe, 'tre-ccccc')
    expect(await rows('nektet')).toEqual(['1 APEN', '2 LUKKET'])
  })

  test('a rollback goes back with the cursor of its version, so that nothing is left out afterwards', async () => {
    const pipe = saker('tilbake', 'none')
    await put(120, "1, 'APEN', false")
    const first = await attempt(local.url, pipe, 'en-aaaaa')
    const then = await cursor('tilbake')
    await put(5, "1, 'LUKKET', false", "2, 'APEN', false")
    await attempt(local.url, pipe, 'to-bbbbb')
    const { ports, settings, request } = await worldOn(local.url)
    await rollback(pipe, String(first.version), request, ports, settings, new AbortController().signal)
    expect([await rows('tilbake'), await cursor('tilbake')]).toEqual([['1 APEN'], then])
    await release(pipe, request, ports, settings)
    await attempt(local.url, pipe, 'tre-ccccc')
    expect(await rows('tilbake')).toEqual(['1 LUKKET', '2 APEN'])
  })

  test.each([
    ['holds NULL', "INSERT INTO sak VALUES (7, 'APEN', false, NULL)", /oppdatert is NULL or infinite in some rows/],
    ['went backwards', "UPDATE sak SET oppdatert = oppdatert - interval '1 day'", /the source went backwards/],
    ['is of another type since yesterday', 'ALTER TABLE sak ALTER oppdatert TYPE text', /oppdatert/],
    ['is gone', 'ALTER TABLE sak DROP COLUMN oppdatert', /oppdatert/],
  ])('a column that %s stops the run, with the cursor where it was', async (what, sql, sentence) => {
    const table = `stopp_${what.replaceAll(' ', '_')}`
    const pipe = saker(table, 'none')
    await put(120, "1, 'APEN', false")
    await attempt(local.url, pipe, 'en-aaaaa')
    const before = await cursor(table)
    await postgres(sql)
    await expect(attempt(local.url, pipe, 'to-bbbbb')).rejects.toThrow(sentence)
    expect(await cursor(table)).toBe(before)
    expect(await rows(table)).toEqual(['1 APEN'])
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seed } from '../src/cli/seed.ts'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, flagship, root, worldOn } from './support/project.ts'

// The main job, end to end: the production adapter against the local BigQuery, two processes with HTTP between them. The tests build on each other.
describe('the flagship', () => {
  let local: Local
  let pipeline: NamedPipeline
  const source = '`nais-prod-b6f2.dataproduct_apps.unique`'
  const published = () => ask(local.url, 'SELECT * FROM `team-dev.apps_aggregated.apps_per_env` ORDER BY dato, env, datacenter')
  const lastTick = Math.floor(tickBefore(new Date()).getTime() / 60_000)
  const slot = new Date(lastTick * 60_000).toISOString().replace('.000Z', 'Z')

  beforeAll(async () => {
    local = await startLocal()
    pipeline = await flagship()
    await seed(local.url, pipeline, await worldOn(local.url), root, 'two-dates')
  })
  afterAll(() => local.stop())

  test('publishes both slices as one version, which is the tick of the schedule', async () => {
    const outcome = await attempt(local.url, pipeline, `apps-${lastTick}-aaaaa`)
    expect(outcome).toMatchObject({ outcome: 'published', version: slot, rows: 4 })
    expect(outcome.plan.scope).toEqual(['2022-01-20', '2022-01-21'])
    expect(await published()).toEqual(await expected(slot))
  })

  test('a retried pod of the same Job publishes nothing more', async () => {
    const outcome = await attempt(local.url, pipeline, `apps-${lastTick}-bbbbb`)
    expect(outcome).toMatchObject({ outcome: 'already published', version: slot })
    expect(await versions()).toEqual([slot])
  })

  test('a run by hand for the same slot, with a corrected source, is a second and newer version', async () => {
    await ask(local.url, `INSERT INTO ${source} (dato, cluster) VALUES (DATE '2022-01-21', 'prod-gcp')`)
    const outcome = await attempt(local.url, pipeline, 'rettet-kilde-ccccc')
    expect(outcome.outcome).toBe('published')
    expect(outcome.plan.identity).toMatchObject({ run: 'rettet-kilde', trigger: 'manual', slot })
    expect(outcome.version && outcome.version > slot).toBe(true)
    const corrected = (await published()).find(row => row.dato === '2022-01-21' && row.env === 'prod' && row.datacenter === 'gcp')
    const before = (await expected(slot)).find(row => row.dato === '2022-01-21' && row.env === 'prod' && row.datacenter === 'gcp')
    expect(corrected?.antall_apper).toBe(BigInt(Number(before?.antall_apper)) + 1n)
  })

  test('the same content again is a version too, and says that nothing changed', async () => {
    const outcome = await attempt(local.url, pipeline, 'en-gang-til-ddddd')
    expect(outcome.events.find(event => event.kind === 'published')).toMatchObject({ unchanged: true })
    expect(await versions()).toHaveLength(3)
  })

  test('a day that was missed is done by the next run, beside the newest two', async () => {
    for (const date of ['2022-01-18', '2022-01-22', '2022-01-23'])
      await ask(local.url, `INSERT INTO ${source} (dato, cluster) VALUES (DATE '${date}', 'dev-gcp')`)
    const outcome = await attempt(local.url, pipeline, 'neste-eeeee')
    expect(outcome.plan.scope).toEqual(['2022-01-18', '2022-01-22', '2022-01-23'])
    const rows = await published()
    expect(rows.filter(row => row.version === outcome.version)).toHaveLength(3)
    expect(rows.filter(row => row.dato === '2022-01-20').every(row => row.version !== outcome.version)).toBe(true)
  })

  test('every earlier version is in the history, whole', async () => {
    const rows = await ask(
      local.url,
      "SELECT version, COUNT(*) AS n FROM `team-dev.apps_aggregated.apps_per_env__history` WHERE version > TIMESTAMP '2000-01-01 00:00:00+00' GROUP BY version ORDER BY version",
    )
    expect(rows.map(row => row.version)).toEqual(await versions())
    expect(rows.map(row => Number(row.n))).toEqual([4, 4, 4, 3])
  })

  test('the ledger has one publication a version, with its slices, run and slot', async () => {
    const rows = await ask(
      local.url,
      "SELECT version, run, slot, event FROM `team-dev.apps_aggregated_etl.runs` WHERE event = 'published' ORDER BY version",
    )
    expect(rows.map(row => row.run)).toEqual([`apps-${lastTick}`, 'rettet-kilde', 'en-gang-til', 'neste'])
    expect(new Set(rows.map(row => row.slot))).toEqual(new Set([slot]))
  })

  test('no stage is left behind', async () => {
    const answer = await local.call('GET', '/team-dev/datasets/apps_aggregated_etl/tables')
    const tables = (answer.body.tables as { tableReference: { tableId: string } }[]).map(table => table.tableReference.tableId)
    expect(tables.sort()).toEqual(['head__apps_per_env', 'runs'])
  })

  async function versions(): Promise<unknown[]> {
    const rows = await ask(
      local.url,
      "SELECT version FROM `team-dev.apps_aggregated_etl.runs` WHERE event = 'published' ORDER BY version",
    )
    return rows.map(row => row.version)
  }

  async function expected(version: string): Promise<Record<string, unknown>[]> {
    const { readCsv } = await import('../src/adapters/files/csv.ts')
    const rows = await readCsv(`${root}/fixtures/apps-per-env/two-dates/expected.csv`, pipeline.to.row.columns)
    const order = (row: Record<string, unknown>) => `${row.dato} ${row.env} ${row.datacenter}`
    return rows
      .map(row => ({ ...row, antall_apper: BigInt(Number(row.antall_apper)), version }))
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))
  }
})

/** 06:30 in Oslo at or before a time: computed here without the code under test, by trying both offsets. */
function tickBefore(now: Date): Date {
  const oslo = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Oslo', hour: '2-digit', minute: '2-digit' })
  const minute = new Date(Math.floor(now.getTime() / 60_000) * 60_000)
  while (oslo.format(minute) !== '06:30') minute.setTime(minute.getTime() - 60_000)
  return minute
}

import { describe, expect, test } from 'vitest'
import { createHead } from '../../src/adapters/bigquery/bootstrap.ts'
import { queryConfiguration } from '../../src/adapters/bigquery/query.ts'
import { freshTarget, makeDataset, project, sql, tablesIn } from '../adapters/bigquery/world.ts'
import {
  byDate,
  day,
  outcomeOf,
  processOn,
  publish,
  readyStages,
  readyTarget,
  type Subject,
  version,
  whole,
  wider,
} from './subject.ts'

/** Datasets, tables and the DDL of a target. */
export function tablesContract(on: Subject): void {
  describe('the tables of a target', () => {
    test('are made once, by DDL; after that nothing is missing and the head is at its beginning', async () => {
      const tables = await freshTarget(on.server)
      const first = await on.adapter.warehouse.describe(byDate, tables, 'run-1')
      expect(first).toMatchObject({ head: null, ledger: [] })
      await on.adapter.warehouse.bootstrap(first.missing, 'aaaaaa')
      await on.adapter.warehouse.bootstrap(first.missing, 'bbbbbb')
      expect(await on.adapter.warehouse.describe(byDate, tables, 'run-1')).toMatchObject({
        missing: [],
        head: {
          seq: 0n,
          version: '1970-01-01T00:00:00Z',
          run: '',
          attempt: '',
          held: false,
          schemaHash: null,
          publishedAt: null,
        },
        ledger: [],
      })
      const { body } = await on.server.call('GET', `/${project}/datasets/${tables.target.dataset}/tables/t`)
      expect(body).toMatchObject({
        description: "Apps' counts",
        timePartitioning: { type: 'DAY', field: 'dato' },
        clustering: { fields: ['env'] },
      })
      const history = await on.server.call('GET', `/${project}/datasets/${tables.history.dataset}/tables/t__history`)
      expect(history.body).toMatchObject({ requirePartitionFilter: true, timePartitioning: { field: 'version' } })
    })

    // The independent server makes the table in one step and fills it in another, once for each pod (docs/independent-server.md).
    if (on.name === 'ours')
      test('have one head row, also where several pods make it at once', async () => {
        const tables = await freshTarget(on.server)
        const { jobs } = await processOn(on.server.url)
        const made = Array.from({ length: 4 }, (_, index) =>
          jobs.run(`etl-bootstrap-${index}`, queryConfiguration(createHead(tables)), 'making the head').catch(() => undefined),
        )
        expect((await Promise.all(made)).some(job => job !== undefined)).toBe(true)
        const head = `\`${project}.${tables.head.dataset}.${tables.head.table}\``
        expect(await sql(on.server, `SELECT seq, held FROM ${head}`)).toEqual([['0', 'false']])
      })

    test('without their dataset are an error that names it', async () => {
      await expect(on.adapter.warehouse.describe(byDate, tablesIn('nowhere'), 'run-1')).rejects.toMatchObject({
        kind: 'notFound',
        problem: `dataset nowhere not found in project ${project}.`,
      })
    })

    test('are refused with other columns', async () => {
      const tables = await freshTarget(on.server)
      const columns = 'dato STRING NOT NULL, env STRING NOT NULL, n INT64 NOT NULL, version TIMESTAMP NOT NULL'
      await sql(on.server, `CREATE TABLE \`${project}.${tables.target.dataset}.t\` (${columns})`)
      await expect(on.adapter.warehouse.describe(whole, tables, 'run-1')).rejects.toMatchObject({
        kind: 'schema',
        problem: expect.stringContaining('column dato is STRING there, the row schema says DATE'),
      })
    })

    test('are evolved by ALTER TABLE: a new column, NOT NULL dropped, a type widened; rows stay, and then nothing is left to do', async () => {
      const { tables, make, stages } = await readyStages(on, byDate, [{ dato: day, env: 'dev', n: 1 }])
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) }))
      const { evolve } = await on.adapter.warehouse.describe(wider, tables, 'run-2')
      expect(evolve.length).toBeGreaterThan(3)
      await on.adapter.warehouse.bootstrap(evolve, 'cccccc')
      expect(await on.adapter.warehouse.describe(wider, tables, 'run-2')).toMatchObject({ missing: [], evolve: [] })
      const { dataset } = tables.target
      const row = `SELECT dato, env, n + 0.5, more FROM \`${project}.${dataset}.t\``
      expect(await sql(on.server, row)).toEqual([[day, 'dev', '1.5', null]])
      // The code of yesterday, which knows nothing of it, goes on to publish.
      const yesterday = make(stages[0], { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n })
      expect(await outcomeOf(publish(on, yesterday))).toBe('published')
    })

    test('can be asked for with what they hold: names, and an error with Google’s reason for one that is not there', async () => {
      const tables = await readyTarget(on)
      const { body } = await on.server.call('GET', `/${project}/datasets/${tables.runs.dataset}/tables`)
      const names = (body.tables as { tableReference: { tableId: string } }[]).map(table => table.tableReference.tableId)
      expect(names.sort()).toEqual(['head__t', 'runs'])
      const missing = await on.server.call('GET', `/${project}/datasets/${tables.runs.dataset}/tables/none`)
      expect(missing).toMatchObject({ status: 404, body: { error: { code: 404, errors: [{ reason: 'notFound' }] } } })
    })
  })

  describe('a dataset', () => {
    test('is made once: 409', async () => {
      await makeDataset(on.server, 'once')
      const again = { datasetReference: { projectId: project, datasetId: 'once' } }
      expect(await on.server.call('POST', `/${project}/datasets`, again)).toMatchObject({
        status: 409,
        body: { error: { errors: [{ reason: 'duplicate' }] } },
      })
    })

    test('and its tables are changed only by who has seen their latest state: 412', async () => {
      const tables = await readyTarget(on)
      const dataset = `/${project}/datasets/${tables.target.dataset}`
      for (const path of [dataset, `${dataset}/tables/t`]) {
        const { etag } = (await on.server.call('GET', path)).body as { etag: string }
        expect((await patch(path, etag, { description: 'first' })).status).toBe(200)
        expect(await patch(path, etag, { description: 'second' })).toMatchObject({
          status: 412,
          body: { error: { errors: [{ reason: 'conditionNotMet' }] } },
        })
        expect((await on.server.call('GET', path)).body).toMatchObject({ description: 'first' })
      }
    })
  })

  async function patch(path: string, etag: string, body: object) {
    const answer = await fetch(`${on.server.url}/bigquery/v2/projects${path}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', 'if-match': etag },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as unknown }
  }
}

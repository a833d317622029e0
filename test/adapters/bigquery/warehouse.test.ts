import { randomBytes } from 'node:crypto'
import { dataset, partition, pipeline, replace, row, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { contentSql } from '../../../src/domain/content.ts'
import type { TableRef } from '../../../src/domain/source.ts'
import { type Local, startLocal } from '../../support/local.ts'
import { connected, freshTarget, identity, makeDataset, named, project, publication, sql, staged, tablesIn } from './world.ts'

const Out = row({ dato: z.iso.date(), env: z.string(), n: z.int() }, { key: ['dato', 'env'] })
const out = dataset('anything').table('t', Out, { description: "Apps' counts" })
const source = table(row({ dato: z.iso.date(), env: z.string(), n: z.int() }), 'source.apps')
const byDate = named(pipeline({ schedule: '30 6 * * *', from: { source }, to: out, write: partition('dato') }))
const whole = named(pipeline({ schedule: '30 6 * * *', from: { source }, to: out, write: replace() }))

let local: Local
let adapter: Awaited<ReturnType<typeof connected>>
beforeAll(async () => {
  local = await startLocal()
  adapter = await connected(local)
})
afterAll(() => local?.stop())

const rowsOf = (ref: { project: string; dataset: string; table: string }, columns = 'dato, env, n') =>
  sql(local, `SELECT ${columns} FROM \`${ref.project}.${ref.dataset}.${ref.table}\` ORDER BY dato, env`)

async function ready(pipeline = byDate) {
  const tables = await freshTarget(local)
  const state = await adapter.warehouse.describe(pipeline, tables, 'run-1')
  await adapter.warehouse.bootstrap(state.missing, 'aaaaaa')
  return { tables, state }
}

describe('a target', () => {
  test('is made of four tables, once; after that nothing is missing and the head is at its beginning', async () => {
    const { tables, state } = await ready()
    expect(state).toMatchObject({ head: null, ledger: [] })
    expect(state.missing).toHaveLength(4)
    await adapter.warehouse.bootstrap(state.missing, 'bbbbbb')
    const again = await adapter.warehouse.describe(byDate, tables, 'run-1')
    expect(again).toMatchObject({
      missing: [],
      head: { seq: 0n, version: '1970-01-01T00:00:00Z', run: '', attempt: '', held: false, schemaHash: null, publishedAt: null },
      ledger: [],
    })
    expect(again.now).toMatch(/^\d{4}-\d\d-\d\dT/)
    const { body } = await local.call('GET', `/${project}/datasets/${tables.target.dataset}/tables/t`)
    expect(body).toMatchObject({
      description: "Apps' counts",
      timePartitioning: { type: 'DAY', field: 'dato' },
      clustering: { fields: ['env'] },
    })
  })

  test('without its dataset is an error that says where datasets come from', async () => {
    await expect(adapter.warehouse.describe(byDate, tablesIn('nowhere'), 'run-1')).rejects.toMatchObject({
      kind: 'notFound',
      problem: `dataset nowhere not found in project ${project}.`,
      hint: expect.stringMatching(
        /^`npm run etl -- run a-pipeline --local` makes it, .*; in this one, any BigQuery client can make it/,
      ),
    })
    await makeDataset(local, 'lonely')
    await expect(adapter.warehouse.describe(byDate, tablesIn('lonely'), 'run-1')).rejects.toMatchObject({
      kind: 'notFound',
      problem: `dataset lonely_etl not found in project ${project}.`,
    })
  })

  test('that breaks its readers is refused with both types and the way on; what only widens it is a statement', async () => {
    const tables = await freshTarget(local)
    const name = `${project}.${tables.target.dataset}.t`
    await sql(local, `CREATE TABLE \`${name}\` (dato STRING, env STRING, more INT64 NOT NULL, version TIMESTAMP) `)
    await expect(adapter.warehouse.describe(whole, tables, 'run-1')).rejects.toMatchObject({
      kind: 'schema',
      problem: `${name} has another schema than the pipeline: column dato is STRING there, the row schema says DATE.`,
      hint: expect.stringContaining('`npm run etl -- evolve a-pipeline --as t_v2`'),
    })
    await sql(local, `DROP TABLE \`${name}\``)
    await sql(local, `CREATE TABLE \`${name}\` (dato DATE, env STRING, more INT64 NOT NULL, version TIMESTAMP) `)
    const state = await adapter.warehouse.describe(whole, tables, 'run-1')
    expect(state.evolve.slice(0, 2)).toEqual([
      `ALTER TABLE \`${name}\`\n  ADD COLUMN IF NOT EXISTS \`n\` INT64;`,
      `ALTER TABLE \`${name}\` ALTER COLUMN \`more\` DROP NOT NULL;`,
    ])
    expect(state.changes.map(change => [change.class, change.kind, change.column])).toEqual([
      ['keep', 'clusters', ''],
      ['expand', 'add', 'n'],
      ['expand', 'relax', 'more'],
      ['keep', 'unwritten', 'more'],
    ])
    // The history that is made now holds what the target holds: NULL in the two columns as well.
    const history = state.missing.find(script => script.includes('t__history')) ?? ''
    expect(history).toContain('`dato` DATE,')
    expect(history).toContain('`n` INT64,')
  })

  test('that somebody else made, or dropped, is refused with the way on', async () => {
    const tables = await freshTarget(local)
    const name = `${project}.${tables.target.dataset}.t`
    await sql(local, `CREATE TABLE \`${name}\` (dato DATE, env STRING, n INT64) `)
    await expect(adapter.warehouse.describe(whole, tables, 'run-1')).rejects.toMatchObject({
      kind: 'schema',
      hint: expect.stringContaining('`npm run etl -- adopt a-pipeline`'),
    })
    const { tables: mine } = await ready()
    const stage = await staged(adapter, mine, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
    await adapter.warehouse.publish(publication(byDate, mine, stage, { scope: ['2024-01-01'] }), 1, async () => {})
    await sql(local, `DROP TABLE \`${project}.${mine.target.dataset}.t\``)
    await expect(adapter.warehouse.describe(byDate, mine, 'run-2')).rejects.toMatchObject({
      kind: 'schema',
      problem: expect.stringContaining('is gone, though version 2024-02-01T05:30:00Z was published'),
    })
    expect((await adapter.warehouse.describe(whole, mine, 'run-2')).missing).toHaveLength(1)
  })
})

describe('a publication', () => {
  test('by partition replaces its slices only, and says so in head, history and ledger', async () => {
    const { tables } = await ready()
    const first = await staged(
      adapter,
      tables,
      Out.columns,
      [
        { dato: '2024-01-01', env: 'dev', n: 1 },
        { dato: '2024-01-02', env: 'dev', n: 2 },
      ],
      'aaaaaa',
    )
    expect(first).toMatchObject({ rows: 2, table: { dataset: tables.runs.dataset, table: 'stage__t__aaaaaa' } })
    const submitted: string[] = []
    const published = await adapter.warehouse.publish(
      publication(byDate, tables, first, { scope: ['2024-01-01', '2024-01-02'] }),
      1,
      async job => void submitted.push(job),
    )
    expect(published).toMatchObject({
      outcome: 'published',
      job: `etl-publish-${tables.target.dataset}-t-aaaaaa-1`,
      head: { seq: 1n, run: 'run-1', attempt: 'aaaaaa', version: '2024-02-01T05:30:00Z', held: false, schemaHash: 'schema' },
    })
    expect(submitted).toEqual([`etl-publish-${tables.target.dataset}-t-aaaaaa-1`])

    const second = await staged(adapter, tables, Out.columns, [{ dato: '2024-01-02', env: 'prod', n: 7 }], 'bbbbbb')
    await adapter.warehouse.publish(
      publication(byDate, tables, second, {
        identity: identity('run-2', 'bbbbbb'),
        version: '2024-02-02T05:30:00.000001Z',
        baseSeq: 1n,
        scope: ['2024-01-02'],
      }),
      1,
      async () => {},
    )
    expect(await rowsOf(tables.target, 'dato, env, n, UNIX_MICROS(version)')).toEqual([
      ['2024-01-01', 'dev', '1', '1706765400000000'],
      ['2024-01-02', 'prod', '7', '1706851800000001'],
    ])
    expect(
      await sql(
        local,
        `SELECT env, _op FROM \`${project}.${tables.history.dataset}.t__history\` WHERE version > TIMESTAMP '2000-01-01 00:00:00+00' ORDER BY n`,
      ),
    ).toEqual([
      ['dev', 'row'],
      ['dev', 'row'],
      ['prod', 'row'],
    ])
    const state = await adapter.warehouse.describe(byDate, tables, 'run-2')
    expect(state.ledger).toMatchObject([
      {
        event: 'published',
        run: 'run-1',
        scope: ['2024-01-01', '2024-01-02'],
        rows: 2,
        version: '2024-02-01T05:30:00Z',
        trigger: 'manual',
        contentHash: first.contentHash,
      },
      {
        event: 'published',
        run: 'run-2',
        scope: ['2024-01-02'],
        rows: 1,
        version: '2024-02-02T05:30:00.000001Z',
        job: `etl-publish-${tables.target.dataset}-t-bbbbbb-1`,
      },
    ])
  })

  test('is lost against a newer version, another base, the same run and a held head; nothing changes', async () => {
    const { tables } = await ready()
    const stage = await staged(adapter, tables, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
    const scope = ['2024-01-01']
    await adapter.warehouse.publish(publication(byDate, tables, stage, { scope }), 1, async () => {})
    const later = { scope, version: '2024-02-03T00:00:00Z', identity: identity('run-2', 'bbbbbb'), baseSeq: 1n }
    const lost = async (change: object, number: number) =>
      (await adapter.warehouse.publish(publication(byDate, tables, stage, { ...later, ...change }), number, async () => {}))
        .outcome
    expect(await lost({ version: '2024-02-01T05:30:00Z' }, 1)).toBe('lost')
    expect(await lost({ baseSeq: 0n }, 2)).toBe('lost')
    expect(await lost({ identity: identity('run-1', 'cccccc') }, 3)).toBe('lost')
    await sql(local, `UPDATE \`${project}.${tables.head.dataset}.head__t\` SET held = TRUE WHERE TRUE`)
    expect(await lost({}, 4)).toBe('lost')
    await sql(local, `UPDATE \`${project}.${tables.head.dataset}.head__t\` SET held = FALSE WHERE TRUE`)
    expect((await adapter.warehouse.describe(byDate, tables, 'run-2')).ledger).toHaveLength(1)
    expect(await lost({}, 5)).toBe('published')
  })

  test('in replace mode takes the place of all rows, whatever the base', async () => {
    const { tables } = await ready(whole)
    const first = await staged(adapter, tables, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
    await adapter.warehouse.publish(publication(whole, tables, first, {}), 1, async () => {})
    const none = await staged(adapter, tables, Out.columns, [], 'bbbbbb')
    expect(none.rows).toBe(0)
    const outcome = await adapter.warehouse.publish(
      publication(whole, tables, none, { identity: identity('run-2', 'bbbbbb'), version: '2024-03-01T00:00:00Z', baseSeq: 0n }),
      1,
      async () => {},
    )
    expect(outcome.outcome).toBe('published')
    expect(await rowsOf(tables.target)).toEqual([])
  })

  test('that was aborted by another one is a conflict', async () => {
    const { tables } = await ready(whole)
    const stage = await staged(adapter, tables, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
    const attempts = ['bbbbbb', 'cccccc', 'dddddd'].map(attempt =>
      adapter.warehouse
        .publish(publication(whole, tables, stage, { identity: identity(`run-${attempt}`, attempt) }), 1, async () => {})
        .then(
          result => result.outcome,
          error => error.kind,
        ),
    )
    const outcomes = (await Promise.all(attempts)).sort()
    expect(outcomes.filter(outcome => outcome === 'published')).toHaveLength(1)
    expect(outcomes.every(outcome => ['published', 'lost', 'conflict'].includes(outcome))).toBe(true)
    expect(await rowsOf(tables.target)).toEqual([['2024-01-01', 'dev', '1']])
  })

  test('whose answer is lost is found by its id and published once', async () => {
    const { tables } = await ready(whole)
    const stage = await staged(adapter, tables, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
    for (const [index, kind] of ['dropAnswer', 'unavailableAfter', 'unavailable', 'rateLimit'].entries()) {
      await local.fault({ kind, method: 'POST', match: '/jobs$' })
      const outcome = await adapter.warehouse.publish(
        publication(whole, tables, stage, {
          identity: identity(`run-${kind}`, `aaaaa${index}`),
          version: `2024-03-0${index + 1}T00:00:00Z`,
        }),
        1,
        async () => {},
      )
      expect(outcome).toMatchObject({ outcome: 'published', head: { seq: BigInt(index + 1) } })
    }
    expect(await rowsOf(tables.target)).toHaveLength(1)
  })

  test('of an earlier attempt is waited for, and one that never came is not', async () => {
    const { tables } = await ready(whole)
    const stage = await staged(adapter, tables, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
    await local.fault({ kind: 'delayCommit', match: 'eeeeee', ms: 400 })
    const going = adapter.warehouse.publish(
      publication(whole, tables, stage, { identity: identity('run-x', 'eeeeee') }),
      1,
      async () => {},
    )
    await new Promise(resolve => setTimeout(resolve, 100))
    await adapter.warehouse.settle(`etl-publish-${tables.target.dataset}-t-eeeeee-1`)
    expect((await adapter.warehouse.describe(whole, tables, 'run-x')).head).toMatchObject({ run: 'run-x' })
    await going
    await adapter.warehouse.settle('etl-publish-t-never-1')
  })
})

describe('a stage', () => {
  test('filled again in one attempt starts from nothing', async () => {
    const { tables } = await ready()
    const rows = [{ dato: '2024-01-01', env: 'dev', n: 1 }]
    const first = await staged(adapter, tables, Out.columns, rows, 'aaaaaa')
    const second = await staged(adapter, tables, Out.columns, rows, 'aaaaaa')
    expect(second.table).not.toEqual(first.table)
    expect(second).toMatchObject({ rows: 1, contentHash: first.contentHash })
    await adapter.warehouse.drop(first.table)
    await adapter.warehouse.drop(first.table)
    await expect(rowsOf(first.table)).rejects.toThrow('Not found')
  })

  /** What lies in a stage, by the query that the audit asks. */
  const contentOf = async ({ table }: { table: TableRef }) =>
    (await adapter.warehouse.ask(`SELECT (${contentSql(Out.columns, table)}) AS content`)).rows[0]?.content

  test.each([
    ['a small file', 100, ['POST dropAnswer', 'POST unavailableAfter', 'POST unavailable']],
    ['a large one', 5_000, ['PUT dropAnswer', 'PUT unavailableAfter', 'POST dropAnswer']],
  ])('loads %s once, though answers of the upload are lost', async (_, bytes, faults) => {
    const { tables } = await ready()
    const rows = Array.from({ length: 1500 }, (_, n) => ({ dato: '2024-01-01', env: randomBytes(bytes).toString('base64'), n }))
    for (const [index, fault] of faults.entries()) {
      const [method = '', kind = ''] = fault.split(' ')
      await local.fault({ kind, method, match: 'upload' })
      const stage = await staged(adapter, tables, Out.columns, rows, `abc${bytes}${index}`)
      expect(stage.contentHash).toMatch(/^2-1500-/)
      expect(await contentOf(stage)).toBe(stage.contentHash)
    }
  })

  test('of several parts has what all of them hold', async () => {
    const { tables } = await ready()
    const rows = Array.from({ length: 60_000 }, (_, n) => ({ dato: '2024-01-01', env: `${n} ${Math.sin(n)}`, n }))
    const stage = await staged(adapter, tables, Out.columns, rows, 'aaaaaa', 128 * 1024)
    expect(await contentOf(stage)).toBe(stage.contentHash)
  })

  test('that lacks a part is not what was sent', async () => {
    const { tables } = await ready()
    const rows = [1, 2].map(n => ({ dato: '2024-01-01', env: 'dev', n }))
    const stage = await staged(adapter, tables, Out.columns, rows, 'aaaaaa')
    const name = `\`${project}.${stage.table.dataset}.${stage.table.table}\``
    await sql(local, `UPDATE ${name} SET n = 3 WHERE n = 2`)
    expect(await contentOf(stage)).not.toBe(stage.contentHash)
  })
})

describe('a server that is gone', () => {
  test('is a sentence with its address, and nothing is retried for ever', async () => {
    const other = await startLocal()
    const cut = await connected(other)
    await other.kill()
    await expect(cut.warehouse.ask('SELECT 1 AS one')).rejects.toMatchObject({
      kind: 'unavailable',
      problem: `BigQuery at ${other.url} does not answer (ECONNREFUSED).`,
    })
    await other.stop()
  })
})

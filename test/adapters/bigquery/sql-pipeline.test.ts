import { bq, dataset, partition, pipeline, row, sql, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { auditSql, brokenPromises, type Promises } from '../../../src/domain/audit.ts'
import { contentSql } from '../../../src/domain/content.ts'
import type { RowSchema } from '../../../src/domain/row.ts'
import { type Local, startLocal } from '../../support/local.ts'
import { connected, freshTarget, identity, makeDataset, named, project, publication, sql as run, staged } from './world.ts'

const App = row({ dato: z.iso.date(), env: z.string() })
const Count = row(
  { dato: z.iso.date(), env: z.string(), share: bq.bignumeric(), about: bq.json().nullable() },
  { key: ['dato', 'env'] },
)
const counted = named(
  pipeline({
    schedule: '30 6 * * *',
    from: { apps: table(App, 'source.apps') },
    transform: sql`
      -- one row a day and environment
      SELECT dato, env, CAST(COUNT(*) AS BIGNUMERIC) / 3 AS share, IF(env = 'dev', NULL, JSON '{"a": 1}') AS about
      FROM ${'apps'} GROUP BY dato, env;`,
    to: dataset('anything').table('t', Count),
    write: partition('dato'),
  }),
)

let local: Local
let adapter: Awaited<ReturnType<typeof connected>>
beforeAll(async () => {
  local = await startLocal()
  adapter = await connected(local)
  await makeDataset(local, 'source')
  await run(local, `CREATE TABLE \`${project}.source.apps\` (dato DATE, env STRING, more INT64)`)
  await run(
    local,
    `INSERT INTO \`${project}.source.apps\` (dato, env) VALUES (DATE '2024-01-01', 'dev'), (DATE '2024-01-02', 'dev'), (DATE '2024-01-02', 'prod')`,
  )
})
afterAll(() => local?.stop())

const promises = ({ columns, key }: RowSchema, scope: Promises['scope']): Promises => ({
  columns,
  key,
  scope,
  elements: true,
  deletions: false,
})

describe('a sql transform', () => {
  test('becomes one query: its sources behind WITH, bounded to the slices, its own text as it is', () => {
    expect(adapter.warehouse.queryText(counted, ['2024-01-02'])).toBe(
      [
        'WITH `apps` AS (',
        `  SELECT \`dato\`, \`env\` FROM \`${project}.source.apps\` WHERE \`dato\` = DATE '2024-01-02'`,
        ')',
        'SELECT `dato`, `env`, `share`, `about` FROM (',
        '-- one row a day and environment',
        "      SELECT dato, env, CAST(COUNT(*) AS BIGNUMERIC) / 3 AS share, IF(env = 'dev', NULL, JSON '{\"a\": 1}') AS about",
        '      FROM `apps` GROUP BY dato, env',
        ')',
      ].join('\n'),
    )
    expect(adapter.warehouse.queryText(counted, null)).not.toContain('WHERE')
  })

  test('fills its stage inside the warehouse, and what is staged is audited and published', async () => {
    const tables = await freshTarget(local)
    const { missing } = await adapter.warehouse.describe(counted, tables, 'run-1')
    await adapter.warehouse.bootstrap(missing, 'aaaaaa')
    const scope = ['2024-01-02']
    const text = adapter.warehouse.queryText(counted, scope)
    const stage = await adapter.warehouse.stage(tables, Count.columns, { kind: 'query', sql: text }, 'aaaaaa')
    expect(stage.rows).toBe(2)
    const answer = await adapter.warehouse.ask(auditSql(promises(Count, { column: 'dato', dates: scope }), stage.table))
    expect(brokenPromises(answer.rows[0] ?? {}, promises(Count, null), stage.rows)).toEqual([])
    await adapter.warehouse.publish(
      publication(counted, tables, stage, { scope, identity: identity('run-1', 'aaaaaa') }),
      1,
      async () => {},
    )
    const published = await adapter.warehouse.ask(
      `SELECT env, share, about FROM \`${project}.${tables.target.dataset}.t\` ORDER BY env`,
    )
    expect(published.rows).toEqual([
      { env: 'dev', share: '0.33333333333333333333333333333333333333', about: null },
      { env: 'prod', share: '0.33333333333333333333333333333333333333', about: '{"a":1}' },
    ])
    // The same rows by way of a function have the same hash.
    const rows = published.rows.map(each => ({ dato: '2024-01-02', ...each }))
    const { contentHash } = await staged(adapter, tables, Count.columns, rows, 'bbbbbb')
    const content = await adapter.warehouse.ask(`SELECT (${contentSql(Count.columns, stage.table)}) AS content`)
    expect(content.rows[0]?.content).toBe(contentHash)
  })

  test('that gives NULL for a required JSON, record or a field in it is refused by the audit', async () => {
    const Required = row({
      id: z.int(),
      about: bq.json(),
      inner: z.object({ about: bq.json(), n: bq.bignumeric().nullable() }),
      list: z.array(z.object({ about: bq.json().nullable() })),
    })
    const tables = await freshTarget(local)
    const inner = "STRUCT(JSON '1' AS about, CAST(NULL AS BIGNUMERIC) AS n)"
    const list = '[STRUCT(CAST(NULL AS JSON) AS about)] AS list'
    const query = [
      `SELECT 1 AS id, JSON 'null' AS about, ${inner} AS \`inner\`, ${list}`,
      `SELECT 2, NULL, ${inner}, ${list}`,
      `SELECT 3, JSON '1', NULL, ${list}`,
      `SELECT 4, JSON '1', STRUCT(CAST(NULL AS JSON) AS about, CAST('1.5' AS BIGNUMERIC) AS n), ${list}`,
    ].join('\nUNION ALL ')
    const stage = await adapter.warehouse.stage(tables, Required.columns, { kind: 'query', sql: query }, 'aaaaaa')
    const answer = await adapter.warehouse.ask(auditSql(promises(Required, null), stage.table))
    expect(brokenPromises(answer.rows[0] ?? {}, promises(Required, null), stage.rows).map(({ text }) => text)).toEqual([
      'about: 1 row without a value, it is required',
      'inner: 1 row without a value, it is required',
      expect.stringMatching(/^inner\.about: \d rows? without a value/),
    ])
    const staged = await adapter.warehouse.ask(
      `SELECT id, list[0].about AS first FROM \`${project}.${stage.table.dataset}.${stage.table.table}\` ORDER BY id`,
    )
    expect(staged.rows.map(each => each.first)).toEqual([null, null, null, null])
  })

  test('that would be billed for more than its sources allow is refused, and stages nothing', async () => {
    const tables = await freshTarget(local)
    const query = { kind: 'query', sql: adapter.warehouse.queryText(counted, null), maxBytes: 1e9 } as const
    await expect(adapter.warehouse.stage(tables, Count.columns, { ...query, maxBytes: 1e6 }, 'aaaaaa')).rejects.toMatchObject({
      kind: 'query',
      problem: expect.stringContaining('it would read 10.5 MB, and 1.0 MB are allowed.'),
    })
    expect((await adapter.warehouse.stage(tables, Count.columns, query, 'bbbbbb')).rows).toBeGreaterThan(0)
  })

  test('that BigQuery refuses says why', async () => {
    const tables = await freshTarget(local)
    await expect(
      adapter.warehouse.stage(tables, Count.columns, { kind: 'query', sql: 'SELECT clustr FROM UNNEST([1]) AS x' }, 'aaaaaa'),
    ).rejects.toMatchObject({
      kind: 'query',
      problem: expect.stringMatching(
        /^the stage .*stage__t__aaaaaa \(job etl-stage-t-aaaaaa-\w+-\d+\): Unrecognized name: clustr/,
      ),
    })
  })
})

describe('the ledger', () => {
  test('keeps notes of a run beside what was published, in the order of time', async () => {
    const tables = await freshTarget(local)
    const { missing } = await adapter.warehouse.describe(counted, tables, 'run-1')
    await adapter.warehouse.bootstrap(missing, 'aaaaaa')
    const note = {
      pipeline: counted.name,
      tables,
      run: 'run-1',
      attempt: 'aaaaaa',
      version: '2024-02-01T05:30:00Z',
      slot: '2024-02-01T05:30:00Z',
      trigger: 'scheduled',
      mode: 'partition',
    }
    await adapter.warehouse.note({ ...note, event: 'claimed', baseSeq: 0n })
    await adapter.warehouse.note({
      ...note,
      event: 'publishing',
      scope: ['2024-01-02'],
      job: 'job-1',
      stage: { table: { ...tables.runs, table: 's' }, rows: 5, contentHash: 'h' },
    })
    await adapter.warehouse.note({ ...note, run: "run-'2'", event: 'failed', message: "it's \\ broken\n", hint: '`x`' })
    expect((await adapter.warehouse.describe(counted, tables, 'run-1')).ledger).toMatchObject([
      {
        event: 'claimed',
        run: 'run-1',
        attempt: 'aaaaaa',
        version: note.version,
        slot: note.slot,
        scope: null,
        job: null,
        rows: null,
        trigger: 'scheduled',
      },
      { event: 'publishing', scope: ['2024-01-02'], job: 'job-1', rows: 5, contentHash: 'h' },
    ])
    // Of another run, only when it read its slices.
    expect((await adapter.warehouse.describe(counted, tables, "run-'2'")).ledger).toMatchObject([
      { event: 'claimed', run: 'run-1' },
      { event: 'failed' },
    ])
  })
})

test('a question may have parameters, and whole numbers of its answer are bigint', async () => {
  const { columns, rows } = await adapter.warehouse.ask('SELECT @a AS a, LENGTH(@b) AS n, [1.5] AS list', { a: "x'", b: 'æ🦊' })
  expect(columns.map(column => [column.name, column.type, column.mode])).toEqual([
    ['a', 'STRING', 'NULLABLE'],
    ['n', 'INT64', 'NULLABLE'],
    ['list', 'FLOAT64', 'REPEATED'],
  ])
  expect(rows).toEqual([{ a: "x'", n: 2n, list: [1.5] }])
})

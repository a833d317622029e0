import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Value } from '../../../src/googlesql/field.ts'
import { type Bench, openBench, parameter } from './support/bench.ts'
import { bootstrap, parameters, publish, stage } from './support/publish.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())
beforeEach(async () => {
  for (const table of [
    'D_etl.runs',
    'D_etl.head__apps_per_env',
    'D_etl.stage__apps_per_env__9f3c1a',
    'D.apps_per_env',
    'D.apps_per_env__history',
  ]) {
    await bench.run(`DROP TABLE IF EXISTS \`P.${table}\``)
  }
  await bench.run(bootstrap)
  await bench.run(stage)
})

const target = () => bench.run('SELECT * FROM `P.D.apps_per_env` ORDER BY dato, env')
const history = () => bench.rows("SELECT * FROM `P.D.apps_per_env__history` WHERE version > TIMESTAMP '2000-01-01'")
const ledger = () => bench.rows('SELECT run, event, scope, rows_written FROM `P.D_etl.runs` ORDER BY run')

test('the bootstrap script makes the four tables as it says, and a second time nothing', async () => {
  const head = await bench.rows('SELECT * FROM `P.D_etl.head__apps_per_env`')
  expect(head).toEqual([
    {
      seq: 0n,
      version: '1970-01-01T00:00:00Z',
      run: '',
      attempt: '',
      cursor: null,
      schema_hash: null,
      held: false,
      published_at: null,
    },
  ])
  await bench.run(bootstrap)
  expect(await bench.rows('SELECT * FROM `P.D_etl.head__apps_per_env`')).toEqual(head)
  await bench.database.use(async catalogue => {
    const runs = await catalogue.find({ project: 'P', dataset: 'D_etl', table: 'runs' })
    expect(runs).toMatchObject({
      partition: { column: 'logged_at', type: 'DAY', expirationMs: 800 * 86_400_000 },
      clustering: ['pipeline', 'run'],
    })
    expect(runs?.schema.find(field => field.name === 'scope')).toEqual({ name: 'scope', type: 'JSON', mode: 'NULLABLE' })
    const table = await catalogue.find({ project: 'P', dataset: 'D', table: 'apps_per_env' })
    expect(table).toMatchObject({
      partition: { column: 'dato', type: 'DAY' },
      clustering: ['env', 'datacenter'],
      description: '…',
    })
    expect(table?.schema[0]).toEqual({ name: 'dato', type: 'DATE', mode: 'REQUIRED', description: '…' })
    const past = await catalogue.find({ project: 'P', dataset: 'D', table: 'apps_per_env__history' })
    expect(past).toMatchObject({
      partition: { column: 'version', type: 'DAY', expirationMs: 90 * 86_400_000 },
      requirePartitionFilter: true,
    })
  })
})

test.each(['replace', 'partition'] as const)('the %s script publishes once and answers with the head', async mode => {
  const { values, schema } = await bench.run(publish(mode), { parameters: parameters('r1', '2026-11-20T05:31:00.123456Z') })
  expect(schema.map(field => field.name)).toEqual([
    'outcome',
    'seq',
    'version',
    'run',
    'attempt',
    'cursor',
    'schema_hash',
    'held',
    'published_at',
  ])
  expect(values[0]?.slice(0, 4)).toEqual(['published', 1n, '2026-11-20T05:31:00.123456Z', 'r1'])
  const version = '2026-11-20T05:31:00.123456Z'
  expect((await target()).values).toEqual([
    ['2026-11-19', 'dev', 'on_prem', 4n, version],
    ['2026-11-19', 'prod', 'gcp', 2n, version],
    ['2026-11-20', 'prod', 'on_prem', 1n, version],
  ])
  expect(await history()).toHaveLength(3)
  expect(await ledger()).toEqual([{ run: 'r1', event: 'published', scope: '["2026-11-19"]', rows_written: 3n }])
})

test('a partition publish leaves the other partitions as they were', async () => {
  await bench.run(
    "INSERT INTO `P.D.apps_per_env` VALUES (DATE '2026-11-18', 'old', 'gcp', 9, TIMESTAMP '2026-11-18 00:00:00+00'), (DATE '2026-11-19', 'old', 'gcp', 9, TIMESTAMP '2026-11-18 00:00:00+00')",
  )
  await bench.run(publish('partition'), { parameters: parameters('r1', '2026-11-20T05:31:00Z') })
  expect((await target()).values.map(row => row.slice(0, 2))).toEqual([
    ['2026-11-18', 'old'],
    ['2026-11-19', 'dev'],
    ['2026-11-19', 'prod'],
    ['2026-11-20', 'prod'],
  ])
})

test.each([
  ['an older version', parameters('r2', '2026-11-20T05:30:00Z')],
  [
    'the same run in another attempt',
    parameters('r1', '2026-11-20T05:40:00Z').map(each =>
      each.name === 'attempt' ? parameter('attempt', 'STRING', 'other') : each,
    ),
  ],
])('%s loses, is told who holds the head, and changes nothing', async (_, given) => {
  await bench.run(publish('replace'), { parameters: parameters('r1', '2026-11-20T05:31:00Z') })
  const [row] = await bench.rows(publish('replace'), { parameters: given })
  expect(row).toMatchObject({ outcome: 'lost', seq: 1n, run: 'r1', version: '2026-11-20T05:31:00Z' })
  expect(await history()).toHaveLength(3)
  expect(await ledger()).toHaveLength(1)
})

test('a held target and a base that has moved lose too', async () => {
  await bench.run('UPDATE `P.D_etl.head__apps_per_env` SET held = TRUE WHERE TRUE')
  expect(await bench.rows(publish('replace'), { parameters: parameters('r1', '2026-11-20T05:31:00Z') })).toMatchObject([
    { outcome: 'lost', held: true },
  ])
  await bench.run('UPDATE `P.D_etl.head__apps_per_env` SET held = FALSE, seq = 7 WHERE TRUE')
  expect(await bench.rows(publish('partition'), { parameters: parameters('r1', '2026-11-20T05:31:00Z', 6) })).toMatchObject([
    { outcome: 'lost', seq: 7n },
  ])
  expect(await bench.rows(publish('partition'), { parameters: parameters('r1', '2026-11-20T05:31:00Z', 7) })).toMatchObject([
    { outcome: 'published', seq: 8n },
  ])
})

test('two head rows publish nothing: the read-back fails closed', async () => {
  await bench.run(
    "INSERT INTO `P.D_etl.head__apps_per_env` (seq, version, run, attempt, held) VALUES (0, TIMESTAMP '1970-01-01 00:00:00+00', '', '', FALSE)",
  )
  const outcomes = await bench.rows(publish('replace'), { parameters: parameters('r1', '2026-11-20T05:31:00Z') })
  expect(outcomes.map(row => row.outcome)).toEqual(['lost', 'lost'])
  expect((await target()).totalRows).toBe(0)
})

// One token changed: the script must come to another end, or be refused.
test.each<[string, (script: string) => string, Record<string, Value> | string, number]>([
  [
    'ROLLBACK for COMMIT',
    script => script.replace('COMMIT TRANSACTION', 'ROLLBACK TRANSACTION'),
    { outcome: 'published', seq: 0n },
    0,
  ],
  ['no COMMIT', script => script.replace('COMMIT TRANSACTION;', ''), { outcome: 'published', seq: 1n }, 0],
  [
    'COMMIT for ROLLBACK and a fence that lets nobody in',
    script => script.replace('NOT held', 'held').replace('ROLLBACK', 'COMMIT'),
    { outcome: 'lost', seq: 0n },
    0,
  ],
  ['no fence', script => script.replace(/WHERE NOT held[^;]*;/, ';'), 'UPDATE must have a WHERE clause at [5:1]', 0],
  [
    'another table',
    script => script.replace('TRUNCATE TABLE `P.D.apps_per_env`', 'TRUNCATE TABLE `P.D.apps_per_envs`'),
    'Not found: Table P:D.apps_per_envs',
    0,
  ],
  [
    'another column',
    script => script.replace('cursor = @cursor', 'cursors = @cursor'),
    'Unrecognized name: cursors; Did you mean cursor? at [7:8]',
    0,
  ],
  ['another parameter', script => script.replace('run = @run', 'run = @runs'), "Query parameter 'runs' not found at [6:49]", 0],
  [
    'another type',
    script => script.replace('seq = seq + 1', "seq = 'x'"),
    'Value of type STRING cannot be assigned to seq, which has type INT64 at [6:14]',
    0,
  ],
  [
    'a column less',
    script => script.replace('datacenter, antall_apper, @version FROM', 'datacenter, @version FROM'),
    'Inserted row has wrong column count; Has 4, expected 5 at [13:5]',
    0,
  ],
  [
    'NULL into a required column',
    script => script.replace("'published', @pipeline", "'published', CAST(NULL AS STRING)"),
    'Required field pipeline cannot be null',
    0,
  ],
  [
    'DDL in the transaction',
    script => script.replace('TRUNCATE TABLE', 'DROP TABLE'),
    'DDL statements that affect permanent entities are not supported inside of a transaction',
    0,
  ],
  ['a condition turned round', script => script.replace('COUNT(*) = 1', 'COUNT(*) != 1'), { outcome: 'lost', seq: 0n }, 0],
  ['THEN without an IF', script => script.replace('END IF', 'END'), 'Syntax error: Expected END IF at [24:1]', 0],
])('the replace script with %s', async (_, mutate, end, published) => {
  const script = mutate(publish('replace'))
  expect(script).not.toBe(publish('replace'))
  const given = { parameters: parameters('r1', '2026-11-20T05:31:00Z') }
  if (typeof end === 'string') expect(await bench.failure(script, given)).toBe(end)
  else expect((await bench.rows(script, given))[0]).toMatchObject(end)
  expect((await target()).totalRows).toBe(published)
  expect(await history()).toHaveLength(published)
  expect(await ledger()).toHaveLength(published)
  expect(await bench.rows('SELECT seq FROM `P.D_etl.head__apps_per_env`')).toEqual([{ seq: 0n }])
})

test('a cancelled job stops before its next statement, and its transaction leaves nothing', async () => {
  const controller = new AbortController()
  const given = {
    parameters: parameters('r1', '2026-11-20T05:31:00Z'),
    signal: controller.signal,
    beforeCommit: async () => controller.abort(),
  }
  expect(await bench.failure(publish('replace'), given)).toBe('Job execution was cancelled: User requested cancellation')
  expect((await target()).totalRows).toBe(0)
  expect(await bench.rows('SELECT seq FROM `P.D_etl.head__apps_per_env`')).toEqual([{ seq: 0n }])
})

test('an error before the commit leaves nothing of the transaction', async () => {
  const given = {
    parameters: parameters('r1', '2026-11-20T05:31:00Z'),
    beforeCommit: () => Promise.reject(new Error('the power went off')),
  }
  expect(await bench.failure(publish('replace'), given)).toBe('the power went off')
  expect((await target()).totalRows).toBe(0)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, column, openBench } from './support/bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const [v1, v2, v3] = ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z', '2026-11-03T00:00:00Z'] as const
const history = [column('k', 'STRING'), column('n', 'INT64'), column('version', 'TIMESTAMP'), column('_op', 'STRING')]

/** The state of a merged table at a version: what its baseline and the changes since have left of each key. */
const state = (baseline: string, version: string) => `
  SELECT k, n FROM (
    SELECT k, n, _op, ROW_NUMBER() OVER (PARTITION BY k ORDER BY version DESC) AS _n FROM P.D.h
    WHERE (version = TIMESTAMP '${baseline}' AND _op = 'row') OR (version > TIMESTAMP '${baseline}' AND version <= TIMESTAMP '${version}')
  ) WHERE _n = 1 AND _op != 'delete'`
const counts = (a: string, b: string) => `
  SELECT COUNTIF(a.k IS NULL) AS added, COUNTIF(b.k IS NULL) AS removed, COUNTIF(a.k IS NOT NULL AND b.k IS NOT NULL AND a.n IS DISTINCT FROM b.n) AS changed
  FROM (${a}) AS a FULL JOIN (${b}) AS b ON a.k = b.k`

test('the state at a version, what changed between two, and examples of it', async () => {
  await bench.table('h', history, [
    ['a', 1n, v1, 'row'],
    ['b', 2n, v1, 'row'],
    ['c', null, v1, 'row'],
    ['a', 0n, v1, 'upsert'],
    ['b', 20n, v2, 'upsert'],
    ['c', null, v2, 'delete'],
    ['d', 4n, v2, 'upsert'],
    ['b', null, v3, 'delete'],
    ['c', 3n, v3, 'upsert'],
  ])
  const at = async (version: string) => (await bench.run(`${state(v1, version)} ORDER BY k`)).values
  expect(await at(v1)).toEqual([
    ['a', 1n],
    ['b', 2n],
    ['c', null],
  ])
  expect(await at(v2)).toEqual([
    ['a', 1n],
    ['b', 20n],
    ['d', 4n],
  ])
  expect(await at(v3)).toEqual([
    ['a', 1n],
    ['c', 3n],
    ['d', 4n],
  ])
  const diff = async (a: string, b: string) => (await bench.rows(counts(state(v1, a), state(v1, b))))[0]
  expect(await diff(v1, v2)).toEqual({ added: 1n, removed: 1n, changed: 1n })
  expect(await diff(v1, v3)).toEqual({ added: 1n, removed: 1n, changed: 1n })
  expect(await diff(v2, v2)).toEqual({ added: 0n, removed: 0n, changed: 0n })
  const examples = `SELECT a.k AS k1, b.k AS k2, a.n, b.n AS m FROM (${state(v1, v2)}) AS a FULL JOIN (${state(v1, v3)}) AS b ON a.k = b.k
    WHERE a.k IS NULL OR b.k IS NULL OR a.n IS DISTINCT FROM b.n ORDER BY COALESCE(a.k, b.k) LIMIT 5`
  expect((await bench.run(examples)).values).toEqual([
    ['b', null, 20n, null],
    [null, 'c', null, 3n],
  ])
})

test('keys that the result lacks are staged for deletion', async () => {
  await bench.table(
    't',
    [column('k', 'STRING'), column('n', 'INT64')],
    [
      ['a', 1n],
      ['b', 2n],
      ['c', 3n],
    ],
  )
  await bench.table('stage', [column('k', 'STRING'), column('n', 'INT64'), column('_op', 'STRING')], [['b', 5n, null]])
  await bench.run(
    "INSERT INTO P.D.stage (k, n, _op) SELECT t.k, t.n, 'delete' FROM P.D.t AS t LEFT JOIN P.D.stage AS s ON t.k = s.k WHERE s.k IS NULL",
  )
  expect((await bench.run('SELECT * FROM P.D.stage ORDER BY k')).values).toEqual([
    ['a', 1n, 'delete'],
    ['b', 5n, null],
    ['c', 3n, 'delete'],
  ])
})

test('several heads in one answer', async () => {
  for (const name of ['head1', 'head2']) await bench.table(name, [column('seq', 'INT64'), column('run', 'STRING')], [[1n, name]])
  const { values, schema } = await bench.run(
    "SELECT 'x' AS target, h.* FROM P.D.head1 AS h UNION ALL SELECT 'y' AS target, h.* FROM P.D.head2 AS h ORDER BY target",
  )
  expect(schema.map(({ name }) => name)).toEqual(['target', 'seq', 'run'])
  expect(values).toEqual([
    ['x', 1n, 'head1'],
    ['y', 1n, 'head2'],
  ])
})

test('all of it at a size that only DuckDB takes', async () => {
  await bench.table('h', history, [])
  await bench.database.use(async ({ connection, find }) => {
    const physical = (await find({ project: 'P', dataset: 'D', table: 'h' }))?.physical
    await connection.run(`INSERT INTO ${physical} SELECT 'k' || i, i, TIMESTAMPTZ '${v1}', 'row' FROM range(200000) AS r(i)`)
    await connection.run(
      `INSERT INTO ${physical} SELECT 'k' || (i * 3), -i, TIMESTAMPTZ '${v2}', CASE WHEN i % 2 = 0 THEN 'upsert' ELSE 'delete' END FROM range(100000) AS r(i)`,
    )
  })
  // Every third key below 200,000 (66,667 of them) is met; the even ones are changed, the others deleted; above, the even ones are new.
  expect((await bench.rows(counts(state(v1, v1), state(v1, v2))))[0]).toEqual({
    added: 16_666n,
    removed: 33_333n,
    changed: 33_333n,
  })
  await bench.run(`CREATE TABLE IF NOT EXISTS P.D.restored AS ${state(v1, v1)}`)
  expect((await bench.rows('SELECT COUNT(*) AS n, SUM(n) AS sum FROM P.D.restored'))[0]).toEqual({
    n: 200_000n,
    sum: 19_999_900_000n,
  })
}, 60_000)

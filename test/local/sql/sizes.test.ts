import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './support/bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
  await bench.run("CREATE TABLE P.D.t (n INT64, s STRING); INSERT INTO P.D.t VALUES (1, 'a'), (2, 'bc')")
})
afterAll(() => bench.close())

/** Bytes that a query reads: 8 for each n. */
const bytes = async (dryRun = true) => (await bench.run('SELECT n FROM P.D.t', { dryRun })).bytesProcessed

test('each column counts once, a record as a whole, and a count of rows nothing', async () => {
  await bench.run(`CREATE TABLE P.D.sized AS SELECT 1 AS n, 'abc' AS s, STRUCT('x' AS a, [1, 2] AS b) AS r
    UNION ALL SELECT NULL, NULL, NULL`)
  const of = async (columns: string) => (await bench.run(`SELECT ${columns} FROM P.D.sized`, { dryRun: true })).bytesProcessed
  const asked = ['n', 's', 'r', 'r.a', 'n, s', 'n + n', 'COUNT(*)', '*']
  expect(await Promise.all(asked.map(of))).toEqual([8, 5, 19, 19, 13, 8, 0, 32])
  // In another order, each is known by now or not.
  await bench.run("INSERT INTO P.D.sized (n, s) VALUES (2, 'a')")
  for (const [columns, bytes] of [
    ['s', 8],
    ['*', 43],
    ['n', 16],
  ] as const)
    expect(await of(columns)).toBe(bytes)
})

test('the bytes that a query reads follow what is committed', async () => {
  expect([await bytes(), await bytes(), await bytes(false)]).toEqual([16, 16, 16])
  await bench.run('INSERT INTO P.D.t (n) VALUES (3)')
  expect([await bytes(), await bytes(false)]).toEqual([24, 24])
  await bench.run('BEGIN TRANSACTION; DELETE FROM P.D.t WHERE n = 1; ROLLBACK TRANSACTION')
  expect(await bytes()).toBe(24)
  const { bytesProcessed } = await bench.run(
    'BEGIN TRANSACTION; DELETE FROM P.D.t WHERE n = 1; SELECT n FROM P.D.t; COMMIT TRANSACTION',
  )
  expect(bytesProcessed).toBe(24 + 16)
  expect(await bytes()).toBe(16)
  await bench.run('ALTER TABLE P.D.t DROP COLUMN s; ALTER TABLE P.D.t ADD COLUMN s STRING; TRUNCATE TABLE P.D.t')
  expect(await bytes()).toBe(0)
})

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Bench, openBench } from './support/bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

beforeEach(async () => {
  await bench.run(`DROP TABLE IF EXISTS P.D.t;
    CREATE TABLE P.D.t (dato DATE, n INT64, l ARRAY<STRING>) PARTITION BY dato;
    INSERT INTO P.D.t VALUES (DATE '2026-01-01', 1, ['a']), (DATE '2026-01-02', 2, []), (NULL, 3, NULL)`)
})

/** When each partition changed, by its id. */
async function modified(table = 't'): Promise<Record<string, bigint>> {
  const rows = await bench.rows(
    `SELECT partition_id, UNIX_MICROS(last_modified_time) AS us FROM \`P.D\`.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = '${table}'`,
  )
  return Object.fromEntries(rows.map(row => [String(row.partition_id), row.us as bigint]))
}

/** Which partitions a script changes. */
async function changed(script: string): Promise<string[]> {
  const before = await modified()
  await new Promise(resolve => setTimeout(resolve, 3))
  await bench.run(script)
  const after = await modified()
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(id => before[id] !== after[id]).sort()
}

test('has a row for each partition, with the service’s columns', async () => {
  const rows = await bench.rows("SELECT * FROM P.D.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 't' ORDER BY partition_id")
  expect(rows.map(row => [row.partition_id, row.total_rows])).toEqual([
    ['20260101', 1n],
    ['20260102', 1n],
    ['__NULL__', 1n],
  ])
  expect(rows[0]).toMatchObject({ table_catalog: 'P', table_schema: 'D', table_name: 't', storage_tier: 'ACTIVE' })
})

test.each([
  ["INSERT INTO P.D.t (dato, n) VALUES (DATE '2026-01-02', 9), (DATE '2026-01-03', 9)", ['20260102', '20260103']],
  ["UPDATE P.D.t SET n = 9 WHERE dato = '2026-01-01'", ['20260101']],
  ["UPDATE P.D.t SET dato = '2026-01-02' WHERE dato = '2026-01-01'", ['20260101', '20260102']],
  ['DELETE FROM P.D.t WHERE dato IS NULL', ['__NULL__']],
  ["UPDATE P.D.t SET l = ['b'] WHERE n = 2", ['20260102']],
  [
    "BEGIN TRANSACTION; DELETE FROM P.D.t WHERE n = 1; INSERT INTO P.D.t (dato, n) VALUES (DATE '2026-01-01', 7); COMMIT TRANSACTION",
    ['20260101'],
  ],
  ['BEGIN TRANSACTION; DELETE FROM P.D.t WHERE TRUE; ROLLBACK TRANSACTION', []],
  ['ALTER TABLE P.D.t ADD COLUMN x STRING', []],
  ["TRUNCATE TABLE P.D.t; INSERT INTO P.D.t (dato, n) VALUES (DATE '2026-01-01', 2)", ['20260101', '20260102', '__NULL__']],
])('%s', async (script, ids) => {
  expect(await changed(script)).toEqual(ids)
})

test('the time is that of the write, also where nobody asks until later; of a failed script what was committed counts', async () => {
  const before = BigInt(Date.now()) * 1000n
  await bench.failure("UPDATE P.D.t SET n = 5 WHERE n = 1; SELECT ERROR('x')")
  const after = BigInt(Date.now()) * 1000n
  await new Promise(resolve => setTimeout(resolve, 20))
  const at = (await modified())['20260101'] ?? 0n
  expect(at >= before && at <= after).toBe(true)
})

test('other kinds of partitions have the service’s ids; a table without any has one row without an id', async () => {
  for (const [name, by] of [
    ['hours', 'TIMESTAMP_TRUNC(ts, HOUR)'],
    ['months', 'TIMESTAMP_TRUNC(ts, MONTH)'],
  ])
    await bench.run(
      `CREATE TABLE P.D.${name} (ts TIMESTAMP) PARTITION BY ${by}; INSERT INTO P.D.${name} VALUES (TIMESTAMP '2026-01-02 03:04:05+00')`,
    )
  await bench.run('CREATE TABLE P.D.plain (n INT64); INSERT INTO P.D.plain VALUES (1)')
  expect(Object.keys(await modified('hours'))).toEqual(['2026010203'])
  expect(Object.keys(await modified('months'))).toEqual(['202601'])
  expect(Object.keys(await modified('plain'))).toEqual(['null'])
  expect(await modified('nothing')).toEqual({})
})

test('says what it can’t do', async () => {
  expect(await bench.failure('SELECT * FROM P.D.INFORMATION_SCHEMA.PARTITIONS')).toContain("add WHERE table_name = '…'")
  expect(await bench.failure("SELECT * FROM P.E.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 't'")).toContain(
    'Not found: Dataset P:E',
  )
  expect(await bench.failure("DELETE FROM P.D.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 't'")).toContain(
    'is not allowed for this operation',
  )
})

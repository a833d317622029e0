import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Bench, column, openBench } from './support/bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

beforeEach(async () => {
  await bench.run('DROP SNAPSHOT TABLE IF EXISTS P.D.s')
  await bench.table(
    't',
    [column('k', 'INT64', 'REQUIRED'), { ...column('l', 'STRING', 'REPEATED'), description: 'kept' }],
    [
      [1n, ['a']],
      [2n, []],
    ],
  )
})

const find = (table: string) => bench.database.use(catalogue => catalogue.find({ project: 'P', dataset: 'D', table }))
const create =
  "CREATE SNAPSHOT TABLE P.D.s CLONE P.D.t OPTIONS (expiration_timestamp = TIMESTAMP '2999-01-01 00:00:00+00', description = 'x')"
const isSnapshot = 'P:D.s is not allowed for this operation because it is currently a SNAPSHOT.'

test('a snapshot keeps the rows and columns of its moment, whatever becomes of its base', async () => {
  const { statementType, ddl } = await bench.run(create)
  expect([statementType, ddl?.operation]).toEqual(['CREATE_SNAPSHOT_TABLE', 'CREATE'])
  await bench.run("DELETE FROM P.D.t WHERE k = 1; INSERT INTO P.D.t VALUES (3, ['c']); ALTER TABLE P.D.t ADD COLUMN n INT64")
  const rows = [
    [1n, ['a']],
    [2n, []],
  ]
  expect((await bench.run('SELECT * FROM P.D.s ORDER BY k')).values).toEqual(rows)
  await bench.run('DROP TABLE P.D.t')
  expect((await bench.run('SELECT * FROM P.D.s ORDER BY k')).values).toEqual(rows)
  expect(await find('s')).toMatchObject({
    kind: 'SNAPSHOT',
    description: 'x',
    expiresAt: Date.parse('2999-01-01'),
    snapshot: { base: { project: 'P', dataset: 'D', table: 't' } },
    schema: [column('k', 'INT64', 'REQUIRED'), { ...column('l', 'STRING', 'REPEATED'), description: 'kept' }],
  })
})

test('IF NOT EXISTS skips, without it an existing table is an error; a snapshot may be of a snapshot', async () => {
  await bench.run(create)
  expect(await bench.failure(create)).toBe('Already Exists: Table P:D.s')
  expect((await bench.run(create.replace('TABLE ', 'TABLE IF NOT EXISTS '))).ddl?.operation).toBe('SKIP')
  await bench.run('CREATE SNAPSHOT TABLE P.D.again CLONE P.D.s; DROP SNAPSHOT TABLE P.D.again')
  expect(await bench.failure('CREATE SNAPSHOT TABLE P.D.x CLONE P.D.nope')).toBe('Not found: Table P:D.nope')
})

test.each([
  'INSERT INTO P.D.s (k) VALUES (9)',
  'UPDATE P.D.s SET k = 9 WHERE TRUE',
  'DELETE FROM P.D.s WHERE TRUE',
  'TRUNCATE TABLE P.D.s',
  'MERGE P.D.s AS s USING P.D.t AS t ON s.k = t.k WHEN MATCHED THEN DELETE',
  'ALTER TABLE P.D.s ADD COLUMN n INT64',
  'DROP TABLE P.D.s',
])('it is read-only: %s', async sql => {
  await bench.run(create)
  expect(await bench.failure(sql)).toBe(isSnapshot)
  expect((await bench.run('SELECT k FROM P.D.s')).totalRows).toBe(2)
})

test('its expiration may change; it is dropped as a snapshot, and a table is not', async () => {
  await bench.run(create)
  await bench.run('ALTER TABLE P.D.s SET OPTIONS (expiration_timestamp = NULL)')
  expect((await find('s'))?.expiresAt).toBeUndefined()
  expect((await bench.run('DROP SNAPSHOT TABLE P.D.s')).ddl?.operation).toBe('DROP')
  expect(await bench.failure('DROP SNAPSHOT TABLE P.D.s')).toBe('Not found: Table P:D.s')
  expect((await bench.run('DROP SNAPSHOT TABLE IF EXISTS P.D.s')).ddl?.operation).toBe('SKIP')
  expect(await bench.failure('DROP SNAPSHOT TABLE P.D.t')).toBe(
    'P:D.t is not allowed for this operation because it is currently a TABLE.',
  )
})

test.each([
  ['CREATE OR REPLACE SNAPSHOT TABLE P.D.s CLONE P.D.t', /CREATE OR REPLACE SNAPSHOT TABLE is not supported/],
  [
    'CREATE SNAPSHOT TABLE P.D.s CLONE P.D.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()',
    /FOR SYSTEM_TIME AS OF outside of a SELECT statement is not supported/,
  ],
  ['CREATE SNAPSHOT TABLE P.D.s CLONE P.D.t WHERE k = 1', /not supported|Syntax error|WHERE/],
  ["CREATE SNAPSHOT TABLE P.D.s CLONE P.D.t OPTIONS (labels = [('a', 'b')])", /option labels is not supported/],
  ['BEGIN TRANSACTION; CREATE SNAPSHOT TABLE P.D.s CLONE P.D.t; COMMIT TRANSACTION', /not supported inside of a transaction/],
])('refused: %s', async (sql, message) => {
  expect(await bench.failure(sql)).toMatch(message)
  expect(await find('s')).toBeUndefined()
})

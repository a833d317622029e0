import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Field, Value } from '../../../src/googlesql/field.ts'
import type { TableMeta } from '../../../src/local/contract.ts'
import { type Bench, column, openBench } from './support/bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

beforeEach(async () => {
  await bench.table(
    't',
    [column('k', 'INT64', 'REQUIRED'), { ...column('v', 'STRING'), description: 'old' }],
    [
      [1n, 'a'],
      [2n, null],
    ],
  )
})

const ref = (table: string) => ({ project: 'P', dataset: 'D', table })
const meta = async (table = 't') =>
  (await bench.database.use(catalogue => catalogue.find(ref(table)))) as TableMeta & { readonly schema: Field[] }
const all = async (table = 't') => (await bench.run(`SELECT * FROM P.D.${table} ORDER BY 1`)).values

test('ADD COLUMN: several at once, nested and repeated, with descriptions; old rows have NULL or an empty array; again is no change', async () => {
  const { etag } = await meta()
  const sql = `ALTER TABLE P.D.t ADD COLUMN IF NOT EXISTS a STRING OPTIONS (description = 'first'), ADD COLUMN IF NOT EXISTS b NUMERIC,
    ADD COLUMN IF NOT EXISTS l ARRAY<DATE>, ADD COLUMN IF NOT EXISTS r STRUCT<x INT64 NOT NULL OPTIONS (description = 'deep'), y ARRAY<STRUCT<z BIGNUMERIC>>>`
  const { ddl, statementType } = await bench.run(sql)
  expect([ddl, statementType]).toEqual([{ operation: 'ALTER', table: ref('t') }, 'ALTER_TABLE'])
  const { schema, etag: changed } = await meta()
  expect(changed).not.toBe(etag)
  expect(schema.slice(2)).toEqual([
    { ...column('a', 'STRING'), description: 'first' },
    column('b', 'NUMERIC'),
    column('l', 'DATE', 'REPEATED'),
    column('r', 'RECORD', 'NULLABLE', [
      { ...column('x', 'INT64', 'REQUIRED'), description: 'deep' },
      column('y', 'RECORD', 'REPEATED', [column('z', 'BIGNUMERIC')]),
    ]),
  ])
  await bench.run("INSERT INTO P.D.t VALUES (3, 'c', 'new', 1.5, [DATE '2026-01-01'], (1, [STRUCT(BIGNUMERIC '2')]))")
  await bench.run(sql)
  expect(await all()).toEqual([
    [1n, 'a', null, null, [], null],
    [2n, null, null, null, [], null],
    [3n, 'c', 'new', '1.5', ['2026-01-01'], { x: 1n, y: [{ z: '2' }] }],
  ])
})

test('an INSERT with the old column list goes on after ADD COLUMN', async () => {
  await bench.run('ALTER TABLE P.D.t ADD COLUMN later TIMESTAMP; INSERT INTO P.D.t (k, v) VALUES (9, NULL)')
  expect((await all()).at(-1)).toEqual([9n, null, null])
})

test('DROP NOT NULL relaxes once; a description is set and taken away', async () => {
  await bench.run("ALTER TABLE P.D.t ALTER COLUMN k DROP NOT NULL, ALTER COLUMN v SET OPTIONS (description = 'new')")
  expect((await meta()).schema).toEqual([column('k', 'INT64'), { ...column('v', 'STRING'), description: 'new' }])
  await bench.run('INSERT INTO P.D.t (v) VALUES (NULL)')
  await bench.run('ALTER TABLE P.D.t ALTER COLUMN v SET OPTIONS (description = NULL)')
  expect((await meta()).schema[1]).toEqual(column('v', 'STRING'))
  expect(await bench.failure('ALTER TABLE P.D.t ALTER COLUMN k DROP NOT NULL')).toBe(
    'ALTER COLUMN DROP NOT NULL: column k does not have a NOT NULL constraint',
  )
})

const most = '99999999999999999999999999999.999999999'
test.each<[Field['type'], Field['type'], Value[], Value[]]>([
  ['INT64', 'NUMERIC', [2n ** 63n - 1n, -(2n ** 63n), 0n, null], ['9223372036854775807', '-9223372036854775808', '0', null]],
  ['INT64', 'BIGNUMERIC', [2n ** 63n - 1n, -1n, 0n, null], ['9223372036854775807', '-1', '0', null]],
  ['INT64', 'FLOAT64', [2n ** 53n + 1n, -5n, null], [2 ** 53, -5, null]],
  ['NUMERIC', 'BIGNUMERIC', [most, '-0.000000001', '0', '1.5', '10', null], [most, '-0.000000001', '0', '1.5', '10', null]],
  [
    'NUMERIC',
    'FLOAT64',
    [most, '0.1', '123456789.123456789', '-0.000000001', null],
    [1e29, 0.1, 123456789.12345679, -1e-9, null],
  ],
  [
    'BIGNUMERIC',
    'FLOAT64',
    ['0.00000000000000000000000000000000000001', '-12345678901234567890.5', null],
    [1e-38, -12345678901234567000, null],
  ],
  ['INT64', 'INT64', [7n], [7n]],
])('SET DATA TYPE widens %s to %s, exactly', async (from, to, before, after) => {
  await bench.table(
    'w',
    [column('i', 'INT64'), { ...column('n', from), description: 'kept' }],
    before.map((value, i) => [BigInt(i), value]),
  )
  await bench.run(`ALTER TABLE P.D.w ALTER COLUMN n SET DATA TYPE ${to}`)
  expect((await meta('w')).schema[1]).toEqual({ ...column('n', to), description: 'kept' })
  expect((await bench.run('SELECT n FROM P.D.w ORDER BY i')).values.map(([n]) => n)).toEqual(after)
  // As the evaluator casts.
  const google = await bench.run(`SELECT CAST(n AS ${to}) AS n FROM P.D.w WHERE RAND() >= 0 ORDER BY i`)
  expect(google.values.map(([n]) => n)).toEqual(after)
})

test('a stage of the old type is still published into the widened column, by INSERT and by MERGE', async () => {
  await bench.table(
    'w',
    [column('k', 'INT64'), column('a', 'INT64'), column('b', 'NUMERIC'), column('c', 'NUMERIC')],
    [[1n, 1n, '1', '1']],
  )
  await bench.table(
    'stage',
    [column('k', 'INT64'), column('a', 'INT64'), column('b', 'NUMERIC'), column('c', 'NUMERIC')],
    [
      [1n, 2n, '2.5', '0.1'],
      [2n, 3n, '0', null],
    ],
  )
  await bench.run(
    'ALTER TABLE P.D.w ALTER COLUMN a SET DATA TYPE NUMERIC, ALTER COLUMN b SET DATA TYPE BIGNUMERIC, ALTER COLUMN c SET DATA TYPE FLOAT64',
  )
  await bench.run(`MERGE P.D.w AS t USING P.D.stage AS s ON t.k = s.k
    WHEN MATCHED AND (t.a IS DISTINCT FROM s.a OR t.b IS DISTINCT FROM s.b OR t.c IS DISTINCT FROM s.c) THEN UPDATE SET a = s.a, b = s.b, c = s.c
    WHEN NOT MATCHED THEN INSERT (k, a, b, c) VALUES (k, a, b, c)`)
  await bench.run('INSERT INTO P.D.w (k, a, b, c) SELECT k + 10, a, b, c FROM P.D.stage')
  const rows = [
    ['2', '2.5', 0.1],
    ['3', '0', null],
  ]
  expect((await all('w')).map(([, ...row]) => row)).toEqual([...rows, ...rows])
})

test('DROP COLUMN, with and without IF EXISTS', async () => {
  await bench.run('ALTER TABLE P.D.t DROP COLUMN v, DROP COLUMN IF EXISTS nope, ADD COLUMN w INT64')
  expect((await meta()).schema.map(({ name }) => name)).toEqual(['k', 'w'])
  await bench.run('INSERT INTO P.D.t VALUES (3, 4)')
  expect(await all()).toEqual([
    [1n, null],
    [2n, null],
    [3n, 4n],
  ])
  expect(await bench.failure('ALTER TABLE P.D.t DROP COLUMN k, DROP COLUMN w')).toBe(
    'Cannot drop column w of table P:D.t: a table needs at least one column',
  )
})

test('SET OPTIONS of a table: set, kept and taken away', async () => {
  await bench.run('DROP TABLE IF EXISTS P.D.p; CREATE TABLE P.D.p (d DATE, k INT64) PARTITION BY d CLUSTER BY k')
  await bench.run(
    "ALTER TABLE P.D.p SET OPTIONS (description = 'x', expiration_timestamp = TIMESTAMP '2999-01-01 00:00:00+00', partition_expiration_days = 90, require_partition_filter = TRUE)",
  )
  expect(await meta('p')).toMatchObject({
    description: 'x',
    expiresAt: Date.parse('2999-01-01'),
    partition: { column: 'd', type: 'DAY', expirationMs: 90 * 86_400_000 },
    requirePartitionFilter: true,
    clustering: ['k'],
  })
  await bench.run(
    'ALTER TABLE P.D.p SET OPTIONS (description = NULL, expiration_timestamp = NULL, partition_expiration_days = NULL)',
  )
  const after = await meta('p')
  expect([after.description, after.expiresAt, after.partition, after.requirePartitionFilter]).toEqual([
    undefined,
    undefined,
    { column: 'd', type: 'DAY' },
    true,
  ])
  for (const name of ['d', 'k']) {
    expect(await bench.failure(`ALTER TABLE P.D.p DROP COLUMN ${name}`)).toContain(`Cannot drop column ${name} of table P:D.p`)
  }
})

test.each([
  ['ADD COLUMN v STRING', /^Column already exists: v at \[1:30\]$/],
  [
    'ADD COLUMN n INT64 NOT NULL',
    /^Provided Schema does not match Table P:D\.t\. Cannot add required fields to an existing schema\. \(field: n\)$/,
  ],
  ['DROP COLUMN nope', /^Column not found: nope/],
  ['ALTER COLUMN nope DROP NOT NULL', /^Column not found: nope/],
  [
    'ALTER COLUMN v SET DATA TYPE INT64',
    /^ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type \(STRING\) is assignable to the new type \(INT64\)/,
  ],
  ['SET OPTIONS (partition_expiration_days = 1)', /cannot be set on a table that is not partitioned/],
  ["SET OPTIONS (labels = [('a', 'b')])", /^The table option labels is not supported/],
  ['ADD COLUMN n STRING(10)', /^A parameterised type/],
  ['ADD COLUMN n INT64 DEFAULT 1', /is not supported by the local BigQuery/],
  ['RENAME TO u', /^This action of ALTER TABLE is not supported .*; nothing of the request was run/],
  ['RENAME COLUMN v TO w', /^This action of ALTER TABLE is not supported/],
  ['ALTER COLUMN v SET DEFAULT 1', /^This action of ALTER TABLE is not supported/],
  ['ADD PRIMARY KEY (k) NOT ENFORCED', /^This action of ALTER TABLE is not supported/],
])('ALTER TABLE … %s is refused, and nothing of it happens', async (action, message) => {
  const before = [await meta(), await all()]
  expect(await bench.failure(`ALTER TABLE P.D.t ${action}`)).toMatch(message)
  expect(await bench.failure(`ALTER TABLE P.D.t ADD COLUMN IF NOT EXISTS other STRING, ${action}`)).toBeTruthy()
  expect([await meta(), await all()]).toEqual(before)
})

test('a table that is not there is an error, or skipped with IF EXISTS', async () => {
  expect(await bench.failure('ALTER TABLE P.D.nope ADD COLUMN a INT64')).toBe('Not found: Table P:D.nope')
  expect((await bench.run('ALTER TABLE IF EXISTS P.D.nope ADD COLUMN a INT64')).ddl?.operation).toBe('SKIP')
})

const transaction = (...statements: string[]) => ['BEGIN TRANSACTION', ...statements, 'COMMIT TRANSACTION'].join(';')
const widen = 'ALTER TABLE P.D.t ADD COLUMN IF NOT EXISTS w INT64, ALTER COLUMN k SET DATA TYPE NUMERIC'

test('no ALTER TABLE in a transaction', async () => {
  expect(await bench.failure(transaction(widen))).toBe(
    'DDL statements that affect permanent entities are not supported inside of a transaction',
  )
})

/** Runs `during` while a transaction stands before its COMMIT; its own end is 'committed' or its error. */
async function meanwhile(script: string, during: (release: () => void) => Promise<void>): Promise<string> {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const beforeCommit = () => {
    reached.resolve()
    return released.promise
  }
  const done = bench.run(script, { beforeCommit }).then(
    () => 'committed',
    (error: Error) => error.message,
  )
  await Promise.race([reached.promise, done])
  await during(released.resolve)
  released.resolve()
  return done
}

test.each([
  ['updates', "UPDATE P.D.t SET v = 'x' WHERE k = 1"],
  ['inserts', "INSERT INTO P.D.t (k, v) VALUES (3, 'x')"],
  ['deletes', 'DELETE FROM P.D.t WHERE k = 1'],
])('ALTER TABLE waits for an open transaction that %s there, and neither is lost', async (_, write) => {
  const order: string[] = []
  let altered: Promise<unknown> = Promise.resolve()
  const end = await meanwhile(transaction(write), async () => {
    altered = bench.run(widen).then(() => order.push('altered'))
    await bench.run('SELECT 1; SELECT 2; SELECT 3')
    order.push('still open')
  })
  await altered
  expect([end, ...order]).toEqual(['committed', 'still open', 'altered'])
  expect((await meta()).schema.map(({ name, type }) => `${name} ${type}`)).toEqual(['k NUMERIC', 'v STRING', 'w INT64'])
  expect(await all()).not.toEqual([
    ['1', 'a', null],
    ['2', null, null],
  ])
})

test.each([
  ["UPDATE P.D.t SET v = 'x' WHERE k = 1"],
  ["INSERT INTO P.D.t (k, v) VALUES (3, 'x')"],
  ['DELETE FROM P.D.t WHERE k = 1'],
  ['MERGE P.D.t AS t USING (SELECT 3 AS k) AS s ON t.k = s.k WHEN NOT MATCHED THEN INSERT (k) VALUES (k)'],
])('a transaction from before an ALTER TABLE may read the table, but is aborted when it writes: %s', async write => {
  // The transaction's snapshot is taken by BEGIN; the head is written first, as in a publish.
  await bench.table('head', [column('n', 'INT64')], [[1n]])
  const script = `BEGIN TRANSACTION; SELECT COUNT(*) FROM P.D.head; ${Array(20).fill('SELECT 1').join(';')}; SELECT k FROM P.D.t; ${write}; COMMIT TRANSACTION`
  const open = bench.failure(script)
  await bench.run(widen)
  const message = await open
  expect(message).toMatch(/^Transaction is aborted due to concurrent update against table P:D\.t\. Transaction ID: /)
  expect((await all()).length).toBe(2)
})

test('many at once: every publish and every ALTER TABLE ends, and the columns are all there', async () => {
  const publish = (n: number) =>
    bench.run(transaction(`UPDATE P.D.head SET n = ${n} WHERE TRUE`, `INSERT INTO P.D.t (k, v) VALUES (${n}, 'p')`)).then(
      () => 1,
      (error: Error) => (/concurrent update/.test(error.message) ? 0 : Promise.reject(error)),
    )
  await bench.table('head', [column('n', 'INT64')], [[1n]])
  const jobs = [10, 11, 12, 13].map(publish)
  const alters = ['x1', 'x2', 'x3'].map(name => bench.run(`ALTER TABLE P.D.t ADD COLUMN IF NOT EXISTS ${name} STRING`))
  await Promise.all(alters)
  const published = (await Promise.all(jobs)).reduce((sum, one) => sum + one, 0)
  expect((await meta()).schema.map(({ name }) => name).sort()).toEqual(['k', 'v', 'x1', 'x2', 'x3'])
  expect((await all()).length).toBe(2 + published)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Value } from '../../../src/googlesql/field.ts'
import { type Bench, column, openBench, parameter } from './support/bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
  await bench.table(
    't',
    [column('a', 'INT64'), column('s', 'STRING')],
    [
      [1n, 'x'],
      [2n, 'y'],
      [null, null],
    ],
  )
})
afterAll(() => bench.close())

test.each([
  'CREATE OR REPLACE TABLE P.D.t (a INT64)',
  'CREATE TEMP TABLE x (a INT64)',
  'CREATE TABLE P.D.x LIKE P.D.t',
  'CREATE TABLE P.D.x COPY P.D.t',
  'CREATE VIEW P.D.v AS SELECT 1 AS a',
  'ALTER TABLE P.D.t RENAME TO u',
  'DROP VIEW P.D.v',
  "EXECUTE IMMEDIATE 'SELECT 1'",
  'CALL P.D.p()',
  'BEGIN SELECT 1; END',
  'LOOP BREAK; END LOOP',
  'WHILE FALSE DO SELECT 1; END WHILE',
  "RAISE USING MESSAGE = 'x'",
  'ASSERT TRUE',
  'CREATE SCHEMA P.x',
  "GRANT `roles/x` ON TABLE P.D.t TO 'user:x'",
])('%s is refused before anything of its script runs', async statement => {
  for (const script of [
    `DELETE FROM P.D.t WHERE TRUE; ${statement}`,
    `IF FALSE THEN ${statement}; END IF; DELETE FROM P.D.t WHERE TRUE`,
  ]) {
    expect(await bench.failure(script)).toMatch(
      /is not supported by the local BigQuery \(at \[1:\d+\]\); nothing of the request was run\./,
    )
  }
  expect((await bench.run('SELECT a FROM P.D.t')).totalRows).toBe(3)
})

test.each<[string, Value[][]]>([
  ["DECLARE x STRING DEFAULT 'a'; SET x = x || 'b'; SELECT x", [['ab']]],
  ['DECLARE x, y INT64; SET x = 1; SELECT x, y', [[1n, null]]],
  ['DECLARE x DEFAULT (SELECT MAX(a) FROM P.D.t); SELECT x + 1', [[3n]]],
  ["DECLARE d DATE DEFAULT '2024-01-31'; SELECT d", [['2024-01-31']]],
  ['DECLARE n NUMERIC DEFAULT 1; SELECT n', [['1']]],
  ['DECLARE l ARRAY<INT64> DEFAULT [1, 2]; SELECT COUNT(*) FROM P.D.t WHERE a IN UNNEST(l)', [[2n]]],
  // BigQuery: Procedural language, DECLARE: "If a variable and column share the same name, BigQuery interprets the ambiguous name as a column."
  ['DECLARE a INT64 DEFAULT 9; SELECT a FROM P.D.t WHERE a = 1', [[1n]]],
  ['DECLARE x INT64 DEFAULT 2; SELECT s FROM P.D.t WHERE a = x', [['y']]],
  ['DECLARE x INT64 DEFAULT 2; SELECT SUM(u.a) FROM P.D.t AS t JOIN P.D.t AS u ON t.a = u.a WHERE u.a = x', [[2n]]],
  ['IF NULL THEN SELECT 1; ELSE SELECT 2; END IF', [[2n]]],
  ['IF FALSE THEN SELECT 1; ELSEIF EXISTS (SELECT 1 FROM P.D.t WHERE a = 2) THEN SELECT 2; ELSE SELECT 3; END IF', [[2n]]],
  ['IF FALSE THEN SELECT 1; END IF; SELECT 4', [[4n]]],
  ["SELECT 1; SELECT 'last'", [['last']]],
  ['UPDATE P.D.t SET a = a WHERE a IS NOT NULL; SELECT @@row_count', [[2n]]],
  ["UPDATE P.D.t SET a = a WHERE a = 77; IF @@row_count = 0 THEN SELECT 'none'; END IF", [['none']]],
  ['SELECT COUNT(*) FROM `P.D.t`', [[3n]]],
  ['SELECT COUNT(*) FROM D.t', [[3n]]],
  ['SELECT t.a FROM `P`.`D`.`t` WHERE t.a = 1', [[1n]]],
])('%s', async (script, values) => {
  expect((await bench.run(script)).values).toEqual(values)
})

test('a table without a dataset is looked for in the default dataset, or refused', async () => {
  expect((await bench.run('SELECT COUNT(*) FROM t', { defaultDataset: { project: 'P', dataset: 'D' } })).values).toEqual([[3n]])
  expect(await bench.failure('SELECT COUNT(*) FROM t')).toBe('Table "t" must be qualified with a dataset (e.g. dataset.table).')
})

test('a project with a dash is named with and without back-quotes', async () => {
  await bench.run('CREATE TABLE `my-project.D.u` (a INT64); INSERT INTO my-project.D.u VALUES (1)')
  for (const name of ['my-project.D.u', '`my-project.D.u`', '`my-project`.D.u', '`my-project.D`.u']) {
    expect((await bench.run(`SELECT u.a FROM ${name} WHERE u.a > 0`)).values).toEqual([[1n]])
  }
  expect((await bench.run('SELECT a FROM D.u', { project: 'my-project' })).values).toEqual([[1n]])
})

test.each([
  ['SELECT x FROM P.D.t', 'Unrecognized name: x at [1:8]'],
  ['SELECT 1;\n\nSELECT\tx FROM `P.D.t`', 'Unrecognized name: x at [3:9]'],
  ['SELECT a FROM P.D.nothing', 'Not found: Table P:D.nothing'],
  ['SELECT a FROM P.E.t', 'Not found: Dataset P:E'],
  ['SELECT a, A FROM P.D.t', 'Duplicate column names in the result are not supported. Found duplicate(s): A'],
  ['CREATE TABLE P.D.x AS SELECT 1', 'CREATE TABLE columns must be named, but column 1 has no name at [1:23]'],
  ['CREATE TABLE P.D.t (a INT64)', 'Already Exists: Table P:D.t'],
  ['DROP TABLE P.D.nothing', 'Not found: Table P:D.nothing'],
  ['SELECT 1 / 0', 'division by zero'],
  ["SELECT CAST(s AS INT64) FROM P.D.t WHERE s = 'x'", 'Bad int64 value: x'],
  ['SELECT a + 9223372036854775807 FROM P.D.t', 'int64 overflow'],
  ['SELECT (SELECT a FROM P.D.t)', 'Scalar subquery produced more than one element'],
  ['SET x = 1', 'Undeclared variable: x'],
  ['DECLARE x INT64; DECLARE X STRING; SELECT 1', "Variable 'X' redeclaration"],
  [
    "DECLARE x INT64 DEFAULT 'a'; SELECT 1",
    'Query column 1 has type STRING which cannot be coerced to target type INT64 at [1:25]',
  ],
  ["DECLARE x INT64; SET x = 'a'", 'Query column 1 has type STRING which cannot be coerced to target type INT64 at [1:26]'],
  ['IF 1 THEN SELECT 1; END IF', 'Query column 1 has type INT64 which cannot be coerced to target type BOOL at [1:4]'],
  ['SELECT @x', "Query parameter 'x' not found at [1:8]"],
  ['SELECT 1 FORM P.D.t', 'Syntax error: Expected end of input but got identifier "P" at [1:15]'],
  ['', 'Syntax error: Unexpected end of script'],
  [
    'SELECT * FROM P.D.INFORMATION_SCHEMA.TABLES',
    'INFORMATION_SCHEMA is not supported by the local BigQuery (P.D.INFORMATION_SCHEMA.TABLES). Read tables.list and tables.get of the API instead.',
  ],
  [
    'CREATE TABLE P.D.x (a STRING(10))',
    'A parameterised type (column a) is not supported by the local BigQuery. Use STRING, BYTES, NUMERIC or BIGNUMERIC without a length or precision.',
  ],
  [
    'CREATE TABLE P.D.x (a INT64 DEFAULT 1)',
    'A default (column a) is not supported by the local BigQuery. Write the value in each INSERT.',
  ],
  [
    'CREATE TABLE P.D.x (a INT64, b INT64 AS (a + 1))',
    'A computed column (b) is not supported by the local BigQuery. Write the value in each INSERT.',
  ],
  [
    'CREATE TABLE P.D.x (a INT64) PARTITION BY RANGE_BUCKET(a, [1, 2])',
    'This PARTITION BY is not supported by the local BigQuery. Partition by a DATE column, DATE(column) or a truncation of a column.',
  ],
  [
    "CREATE TABLE P.D.x (a INT64) OPTIONS (kms_key_name = 'x')",
    'The table option kms_key_name is not supported by the local BigQuery. It knows description, friendly_name, partition_expiration_days, require_partition_filter, expiration_timestamp.',
  ],
])('%s answers: %s', async (script, message) => {
  expect(await bench.failure(script)).toBe(message)
})

test.each([
  'DECLARE x INT64 DEFAULT (SELECT MAX(a) FROM P.D.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()); SELECT x',
  'INSERT INTO P.D.t SELECT * FROM P.D.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()',
])('time travel outside of a SELECT statement is refused before anything runs: %s', async script => {
  await expect(bench.run(script)).rejects.toMatchObject({
    reason: 'notImplemented',
    message: expect.stringMatching(
      /^FOR SYSTEM_TIME AS OF outside of a SELECT statement is not supported by the local BigQuery \(at \[1:\d+\]\), which/,
    ),
  })
  expect((await bench.run('SELECT a FROM P.D.t')).totalRows).toBe(3)
})

test.each([
  ['SELECT APPROX_COUNT_DISTINCT(a) FROM P.D.t', 'Unsupported built-in function: approx_count_distinct'],
  ['SELECT a FROM P.D.t GROUP BY ROLLUP(a)', 'Unimplemented feature (ResolvedAggregateScanBase::grouping_set_list'],
])('%s: the evaluator can not do it on tables of any size, and the advice is another than fewer rows', async (sql, why) => {
  const message = await bench.failure(sql)
  expect(message).toContain(`Google's evaluator can't do this: ${why}`)
  expect(message).toMatch(/\. Write it another way, or try this on BigQuery itself\.$/)
  expect(message).not.toContain('\n')
})

test('what is beyond the closed grammar runs on the evaluator while its tables are small', async () => {
  const { values } = await bench.run(
    `WITH w AS (SELECT a, ROW_NUMBER() OVER (ORDER BY a DESC) AS n FROM P.D.t)
     SELECT w.n, u.s, ARRAY_AGG(w.a) OVER (PARTITION BY u.s) AS l FROM w LEFT JOIN P.D.t AS u USING (a) WHERE w.a IS NOT NULL ORDER BY w.n`,
  )
  expect(values).toEqual([
    [1n, 'y', [2n]],
    [2n, 'x', [1n]],
  ])
})

test('beyond the limit of the evaluator a query is refused in a sentence that says which part and what to do', async () => {
  await bigTable('big', 300_000)
  expect(await bench.failure('SELECT SUBSTR(s, 2) AS x, COUNT(*) AS n FROM P.D.big, UNNEST([1, 2]) GROUP BY x')).toBe(
    "The local BigQuery can't run this on D.big (300000 rows): it is more than it can run at any size (array scan), and so goes to Google's evaluator, which takes at most 4 MiB of rows a request. Use fewer rows or columns locally, write it in simpler parts (one table, columns, comparisons, GROUP BY with COUNT, MIN, MAX), or try it on BigQuery itself.",
  )
  expect(await bench.failure('DELETE FROM P.D.big WHERE a IN (SELECT a + 1 FROM P.D.big)')).toContain('(IN with a subquery)')
  const { values } = await bench.run('SELECT COUNT(*), MAX(a), COUNTIF(REGEXP_CONTAINS(s, r"^x\\d+$")) FROM P.D.big')
  expect(values).toEqual([[300000n, 299999n, 300000n]])
  const sorted = await bench.run('SELECT a FROM P.D.big ORDER BY a DESC')
  expect(sorted.values.every(([a], index) => a === BigInt(299_999 - index))).toBe(true)
})

test('statements that work out each row by itself run on the evaluator in batches, at any size', async () => {
  await bigTable('middle', 120_000)
  const { values } = await bench.run(
    "SELECT a, CAST(SUBSTR(s, 2) AS INT64) + 1 FROM P.D.middle WHERE a < 80000 AND SUBSTR(s, 2) != '7'",
  )
  expect(values).toHaveLength(79_999)
  expect(values.every(([a, next]) => Number(a) + 1 === Number(next))).toBe(true)
  await bench.run(`
    CREATE TABLE P.D.derived (a INT64 NOT NULL, b BIGNUMERIC, j JSON, l ARRAY<STRING>);
    BEGIN TRANSACTION;
    INSERT INTO P.D.derived SELECT a, CAST(SUBSTR(s, 2) AS BIGNUMERIC), PARSE_JSON(SUBSTR(s, 2)), ARRAY(SELECT x FROM UNNEST(SPLIT(s, '')) AS x LIMIT 1) FROM P.D.middle WHERE a < 80000;
    UPDATE P.D.derived SET b = b + 1 WHERE MOD(a, 65000) = 0 AND b >= 0;
    DELETE FROM P.D.derived WHERE MOD(a, 2) = 1 AND b > 0;
    COMMIT TRANSACTION`)
  const derived = await bench.run('SELECT COUNT(*), MAX(a), COUNTIF(a IS NULL) FROM P.D.derived')
  expect(derived.values).toEqual([[40_000n, 79_998n, 0n]])
  expect((await bench.run('SELECT a, b, j, l FROM P.D.derived WHERE a IN (65000, 65002)')).values.sort()).toEqual([
    [65_000n, '65001', '65000', ['x']],
    [65_002n, '65002', '65002', ['x']],
  ])
}, 90_000)

test('a job that is cancelled while a statement runs stops there, on DuckDB and on the evaluator, and leaves no result', async () => {
  await bigTable('middle', 120_000)
  const before = await resultTables()
  for (const sql of [
    'SELECT a, SUBSTR(s, 2) FROM P.D.middle',
    'CREATE TABLE P.D.halfway AS SELECT a, REVERSE(s) AS r FROM P.D.middle',
  ]) {
    const controller = new AbortController()
    const ended = bench.failure(`SELECT 1; ${sql}; SELECT 2`, { signal: controller.signal })
    setTimeout(() => controller.abort(), 150)
    expect(await ended).toBe('Job execution was cancelled: User requested cancellation')
  }
  expect(await bench.failure('SELECT * FROM P.D.halfway')).toBe('Not found: Table P:D.halfway')
  expect(await resultTables()).toBe(before)
})

test('a dry run answers kind, columns and bytes, and changes nothing', async () => {
  expect(await bench.run("SELECT a, s AS text FROM P.D.t WHERE s != ''", { dryRun: true })).toMatchObject({
    statementType: 'SELECT',
    schema: [column('a', 'INT64'), column('text', 'STRING')],
    totalRows: 0,
    bytesProcessed: 2 * 8 + 2 * 3,
  })
  for (const [sql, statementType] of [
    ['DELETE FROM P.D.t WHERE TRUE', 'DELETE'],
    ['TRUNCATE TABLE P.D.t', 'TRUNCATE_TABLE'],
    ['DROP TABLE P.D.t', 'DROP_TABLE'],
    ['CREATE TABLE P.D.new (a INT64)', 'CREATE_TABLE'],
    ['CREATE TABLE P.D.new AS SELECT 1 AS a', 'CREATE_TABLE_AS_SELECT'],
    ['DELETE FROM P.D.t WHERE TRUE; SELECT 1', 'SCRIPT'],
  ] as const) {
    expect(await bench.run(sql, { dryRun: true })).toMatchObject({ statementType })
  }
  expect(await bench.failure('SELECT nope FROM P.D.t', { dryRun: true })).toBe('Unrecognized name: nope at [1:8]')
  expect((await bench.run('SELECT a FROM P.D.t')).totalRows).toBe(3)
})

function resultTables(): Promise<number> {
  return bench.database.use(async ({ connection }) => {
    const tables = await connection.runAndReadAll("SELECT COUNT(*) FROM duckdb_tables() WHERE schema_name = '_results'")
    return Number(tables.getRows()[0]?.[0])
  })
}

async function bigTable(table: string, rows: number): Promise<void> {
  await bench.database.use(async catalogue => {
    const ref = { project: 'P', dataset: 'D', table }
    if (await catalogue.find(ref)) return
    const { physical } = await catalogue.create({ ref, kind: 'TABLE', schema: [column('a', 'INT64'), column('s', 'STRING')] })
    await catalogue.connection.run(`INSERT INTO ${physical} SELECT range, 'x' || range FROM range(${rows})`)
  })
}

test('statements say what they did', async () => {
  await bench.run('CREATE TABLE P.D.kinds (a INT64)')
  const say = async (sql: string) => {
    const { statementType, dml, ddl, dmlAffectedRows } = await bench.run(sql)
    return { statementType, dml, ddl: ddl?.operation, dmlAffectedRows }
  }
  expect(await say('INSERT INTO P.D.kinds VALUES (1), (2), (3)')).toEqual({
    statementType: 'INSERT',
    dml: { inserted: 3, updated: 0, deleted: 0 },
    ddl: undefined,
    dmlAffectedRows: 3,
  })
  expect(await say('UPDATE P.D.kinds SET a = 0 WHERE a > 1')).toEqual({
    statementType: 'UPDATE',
    dml: { inserted: 0, updated: 2, deleted: 0 },
    ddl: undefined,
    dmlAffectedRows: 2,
  })
  expect(await say('DELETE FROM P.D.kinds WHERE a = 1')).toEqual({
    statementType: 'DELETE',
    dml: { inserted: 0, updated: 0, deleted: 1 },
    ddl: undefined,
    dmlAffectedRows: 1,
  })
  expect(await say('TRUNCATE TABLE P.D.kinds')).toEqual({
    statementType: 'TRUNCATE_TABLE',
    dml: { inserted: 0, updated: 0, deleted: 2 },
    ddl: undefined,
    dmlAffectedRows: 2,
  })
  expect(await say('CREATE TABLE IF NOT EXISTS P.D.kinds (b STRING)')).toMatchObject({
    statementType: 'CREATE_TABLE',
    ddl: 'SKIP',
  })
  expect(await say('CREATE TABLE P.D.kinds2 AS SELECT * FROM P.D.kinds')).toMatchObject({
    statementType: 'CREATE_TABLE_AS_SELECT',
    ddl: 'CREATE',
  })
  expect(await say('DROP TABLE P.D.kinds2')).toMatchObject({ statementType: 'DROP_TABLE', ddl: 'DROP' })
  expect(await say('DROP TABLE IF EXISTS P.D.kinds2')).toMatchObject({ statementType: 'DROP_TABLE', ddl: 'SKIP' })
})

test.each([
  ['ts = @ts', true],
  ["ts >= TIMESTAMP '2024-01-01 00:00:00+00' AND a = 1", true],
  ["DATE(ts) = DATE '2024-01-01'", true],
  ["ts BETWEEN TIMESTAMP '2024-01-01 00:00:00+00' AND CURRENT_TIMESTAMP()", true],
  ["ts IN (TIMESTAMP '2024-01-01 00:00:00+00')", true],
  ['ts = @ts OR ts IS NULL', true],
  ['ts = @ts OR a = 1', false],
  ['a = 1', false],
  ['ts > ts', false],
  ['UNIX_MICROS(ts) > 5', false],
  ['ts = (SELECT MAX(ts) FROM P.D.part WHERE ts = @ts)', false],
])('with require_partition_filter, WHERE %s is a filter: %s', async (where, accepted) => {
  await bench.run(
    'CREATE TABLE IF NOT EXISTS P.D.part (ts TIMESTAMP, a INT64) PARTITION BY TIMESTAMP_TRUNC(ts, DAY) OPTIONS (require_partition_filter = TRUE)',
  )
  const parameters = [parameter('ts', 'TIMESTAMP', '2024-01-01T00:00:00Z')]
  for (const sql of [
    `SELECT * FROM P.D.part WHERE ${where}`,
    `SELECT q.a FROM P.D.part AS q JOIN P.D.t ON q.a = t.a WHERE ${where.replaceAll(/\ba\b/g, 'q.a')}`,
    `DELETE FROM P.D.part WHERE ${where}`,
    `UPDATE P.D.part SET a = 2 WHERE ${where}`,
  ]) {
    if (accepted) await bench.run(sql, { parameters })
    else
      expect(await bench.failure(sql, { parameters })).toBe(
        "Cannot query over table 'P.D.part' without a filter over column(s) 'ts' that can be used for partition elimination",
      )
  }
})

test('INSERT into a table that requires a partition filter needs none', async () => {
  await bench.run(
    'CREATE TABLE IF NOT EXISTS P.D.part (ts TIMESTAMP, a INT64) PARTITION BY TIMESTAMP_TRUNC(ts, DAY) OPTIONS (require_partition_filter = TRUE); INSERT INTO P.D.part VALUES (NULL, 1)',
  )
  expect(await bench.failure('SELECT * FROM P.D.part')).toContain('without a filter')
})

test('results of earlier statements and of failed scripts are not left behind', async () => {
  const count = resultTables
  const before = await count()
  await bench.run('SELECT 1; SELECT 2; BEGIN TRANSACTION; SELECT 3; SELECT 4; ROLLBACK TRANSACTION')
  expect(await count()).toBe(before + 1)
  await bench.failure('SELECT 1; SELECT 1 / 0')
  await bench.failure('BEGIN TRANSACTION; SELECT a FROM P.D.t; SELECT a + 9223372036854775807 FROM P.D.t')
  expect(await count()).toBe(before + 1)
})

import { statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Field, Value } from '../../../src/googlesql/field.ts'
import { anyValueOf } from '../../support/values.ts'
import { type Bench, column, openBench, parameter } from './support/bench.ts'
import { canonical } from './support/lowered.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const target = [column('k', 'INT64', 'REQUIRED'), column('v', 'STRING'), column('n', 'INT64')]
const stage = [column('k', 'INT64'), column('v', 'STRING'), column('op', 'STRING')]
beforeEach(async () => {
  await bench.table('t', target, [
    [1n, 'a', 0n],
    [2n, 'b', 0n],
    [3n, null, 0n],
  ])
  await bench.table('s', stage, [])
})

const fill = (...rows: Value[][]) => bench.table('s', stage, rows)
const now = async () => (await bench.run('SELECT k, v, n FROM P.D.t ORDER BY k, v, n')).values
const upsert = `
  MERGE P.D.t AS t USING P.D.s AS s ON t.k = s.k
  WHEN MATCHED AND s.op = 'delete' THEN DELETE
  WHEN MATCHED AND t.v IS DISTINCT FROM s.v THEN UPDATE SET v = s.v, n = @n
  WHEN NOT MATCHED AND s.op = 'upsert' THEN INSERT (k, v, n) VALUES (s.k, s.v, @n)`
const given = { parameters: [parameter('n', 'INT64', '7')] }

test('rows are deleted, updated where they differ, and inserted; what stays the same keeps its values', async () => {
  await fill([1n, 'a', 'upsert'], [2n, 'B', 'upsert'], [3n, null, 'delete'], [4n, 'd', 'upsert'], [5n, 'e', 'delete'])
  const { dml, dmlAffectedRows, statementType } = await bench.run(upsert, given)
  expect([dml, dmlAffectedRows, statementType]).toEqual([{ inserted: 1, updated: 1, deleted: 1 }, 3, 'MERGE'])
  expect(await now()).toEqual([
    [1n, 'a', 0n],
    [2n, 'B', 7n],
    [4n, 'd', 7n],
  ])
})

test('NULL never equals NULL in ON, but is not distinct from it in WHEN', async () => {
  await fill([3n, null, 'upsert'], [null, 'x', 'delete'], [2n, null, 'upsert'])
  expect((await bench.run(upsert, given)).dml).toEqual({ inserted: 0, updated: 1, deleted: 0 })
  expect(await now()).toEqual([
    [1n, 'a', 0n],
    [2n, null, 7n],
    [3n, null, 0n],
  ])
})

test.each<[string, string, Value[][], object]>([
  [
    'WHEN NOT MATCHED BY SOURCE THEN DELETE removes what the source lacks',
    'MERGE P.D.t USING P.D.s AS s ON t.k = s.k WHEN NOT MATCHED BY SOURCE THEN DELETE',
    [[2n, 'b', 0n]],
    { inserted: 0, updated: 0, deleted: 2 },
  ],
  [
    'the first clause that applies wins, also among those BY SOURCE',
    `MERGE P.D.t USING P.D.s AS s ON t.k = s.k
     WHEN NOT MATCHED BY SOURCE AND v IS NULL THEN UPDATE SET v = 'gone'
     WHEN MATCHED THEN UPDATE SET n = 1 WHEN MATCHED THEN UPDATE SET n = 2
     WHEN NOT MATCHED BY SOURCE THEN DELETE
     WHEN NOT MATCHED AND s.k = 8 THEN INSERT (k, v) VALUES (s.k, 'first') WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, 'second')`,
    [
      [2n, 'b', 1n],
      [3n, 'gone', 0n],
      [8n, 'first', null],
      [9n, 'second', null],
    ],
    { inserted: 2, updated: 2, deleted: 1 },
  ],
  [
    'ON FALSE inserts every row of the source',
    'MERGE P.D.t USING P.D.s AS s ON FALSE WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k + 10)',
    [
      [1n, 'a', 0n],
      [2n, 'b', 0n],
      [3n, null, 0n],
      [12n, null, null],
      [18n, null, null],
      [19n, null, null],
    ],
    { inserted: 3, updated: 0, deleted: 0 },
  ],
  [
    'a source with no column in use, and INSERT ROW of a query',
    `MERGE P.D.t USING (SELECT 5 AS k, 'x' AS v, CAST(NULL AS INT64) AS n) ON FALSE
     WHEN NOT MATCHED THEN INSERT ROW WHEN NOT MATCHED BY SOURCE AND k > 1 THEN DELETE`,
    [
      [1n, 'a', 0n],
      [5n, 'x', null],
    ],
    { inserted: 1, updated: 0, deleted: 2 },
  ],
  [
    'values may be of the target, the source, both, and DEFAULT',
    `MERGE P.D.t USING P.D.s AS s ON t.k = s.k
     WHEN MATCHED THEN UPDATE SET n = t.n + s.k, v = CONCAT(t.v, s.v) WHEN NOT MATCHED THEN INSERT (k, v, n) VALUES (k, DEFAULT, 1)`,
    [
      [1n, 'a', 0n],
      [2n, 'bB', 2n],
      [3n, null, 0n],
      [8n, null, 1n],
      [9n, null, 1n],
    ],
    { inserted: 2, updated: 1, deleted: 0 },
  ],
  [
    'other conditions than equality',
    'MERGE P.D.t USING (SELECT MAX(k) AS most FROM P.D.s) AS s ON t.k < 3 AND s.most > 5 WHEN MATCHED THEN DELETE',
    [[3n, null, 0n]],
    { inserted: 0, updated: 0, deleted: 2 },
  ],
])('%s', async (_, sql, rows, dml) => {
  await fill([2n, 'B', null], [8n, 'h', null], [9n, 'i', null])
  expect((await bench.run(sql)).dml).toEqual(dml)
  expect(await now()).toEqual(rows)
})

const twice = 'UPDATE/MERGE must match at most one source row for each target row'
test('a row that would be updated or deleted by two source rows is a run-time error, and nothing stays of the statement', async () => {
  const before = await now()
  await fill([1n, 'x', 'upsert'], [1n, 'y', 'upsert'], [4n, 'd', 'upsert'])
  expect(await bench.failure(upsert, given)).toBe(twice)
  await fill([1n, 'x', 'delete'], [1n, 'x', 'delete'])
  expect(await bench.failure(upsert, given)).toBe(twice)
  await fill([1n, 'x', 'upsert'], [1n, 'x', 'delete'])
  expect(await bench.failure(upsert, given)).toBe(twice)
  expect(
    await bench.failure("UPDATE P.D.t SET v = u.v FROM (SELECT 1 AS k, 'x' AS v UNION ALL SELECT 1, 'y') AS u WHERE t.k = u.k"),
  ).toBe(twice)
  expect(await now()).toEqual(before)
})

test('two source rows for one target row are no error where a clause applies to one of them at most', async () => {
  await fill([1n, 'a', 'upsert'], [1n, 'x', 'upsert'], [2n, 'b', 'upsert'], [2n, 'b', 'upsert'])
  expect((await bench.run(upsert, given)).dml).toEqual({ inserted: 0, updated: 1, deleted: 0 })
  expect((await now())[0]).toEqual([1n, 'x', 7n])
})

test('two new rows of one key are both inserted: MERGE knows no keys', async () => {
  await fill([9n, 'x', 'upsert'], [9n, 'y', 'upsert'])
  expect((await bench.run(upsert, given)).dml).toEqual({ inserted: 2, updated: 0, deleted: 0 })
})

test('a REQUIRED column refuses NULL, also inside of a record, and nothing stays of the statement', async () => {
  const before = await now()
  await fill([null, 'x', 'upsert'])
  expect(await bench.failure(upsert, given)).toBe('Required field k cannot be null')
  expect(await bench.failure("MERGE P.D.t USING (SELECT 1) ON FALSE WHEN NOT MATCHED THEN INSERT (v) VALUES ('x')")).toBe(
    'Required field k cannot be null',
  )
  expect(await now()).toEqual(before)
  const inside = [column('x', 'INT64', 'REQUIRED'), column('y', 'INT64')]
  const fields = [column('k', 'INT64'), column('r', 'RECORD', 'NULLABLE', inside), column('l', 'RECORD', 'REPEATED', inside)]
  await bench.table('strict', fields, [[1n, { x: 1n, y: null }, []]])
  const put = (row: string) =>
    `MERGE P.D.strict AS t USING (${row}) AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET r = s.r, l = s.l WHEN NOT MATCHED THEN INSERT ROW`
  const row = (k: number, r: string, l: string) =>
    `SELECT ${k} AS k, CAST(${r} AS STRUCT<x INT64, y INT64>) AS r, CAST(${l} AS ARRAY<STRUCT<x INT64, y INT64>>) AS l`
  for (const k of [1, 2]) {
    expect(await bench.failure(put(row(k, '(NULL, 1)', '[]')))).toBe('Required field r.x cannot be null')
    expect(await bench.failure(put(row(k, 'NULL', '[(1, 1), (NULL, 1)]')))).toBe('Required field l.x cannot be null')
  }
  await bench.run(put(row(1, 'NULL', 'NULL')))
  await bench.run(put(row(2, '(5, NULL)', '[(1, NULL), (2, 2)]')))
  expect((await bench.run('SELECT r, l FROM P.D.strict ORDER BY k')).values).toEqual([
    [null, []],
    [
      { x: 5n, y: null },
      [
        { x: 1n, y: null },
        { x: 2n, y: 2n },
      ],
    ],
  ])
})

const inTransaction = (...statements: string[]) => `BEGIN TRANSACTION; ${statements.join(';')};`
test('within a transaction: on rows that it has written itself, with @@row_count, and rolled back as a whole', async () => {
  await fill([1n, 'A', 'upsert'], [9n, 'i', 'upsert'], [10n, 'j', 'delete'])
  const work = inTransaction(
    "INSERT INTO P.D.t VALUES (9, 'mine', 0), (10, 'mine', 0), (11, 'mine', 0)",
    "UPDATE P.D.t SET v = 'b2' WHERE k = 2",
    upsert,
  )
  const before = await now()
  const { values } = await bench.run(`${work} SELECT @@row_count; ROLLBACK TRANSACTION`, given)
  expect(values).toEqual([[3n]])
  expect(await now()).toEqual(before)
  await bench.run(`${work} COMMIT TRANSACTION`, given)
  expect(await now()).toEqual([
    [1n, 'A', 7n],
    [2n, 'b2', 0n],
    [3n, null, 0n],
    [9n, 'i', 7n],
    [11n, 'mine', 0n],
  ])
  await fill([1n, 'x', 'upsert'], [1n, 'y', 'upsert'])
  expect(
    await bench.failure(`${inTransaction("UPDATE P.D.t SET v = 'lost' WHERE TRUE", upsert)} COMMIT TRANSACTION`, given),
  ).toBe(twice)
  expect((await now())[0]).toEqual([1n, 'A', 7n])
})

// BigQuery: Multi-statement transactions, "Transaction concurrency": "If a transaction mutates (update or deletes) rows in a table" others conflict;
// "Operations that read or append new rows can run concurrently".
test('a MERGE that updates or deletes mutates the table, one that only inserts does not', async () => {
  const during = async (other: string) => {
    const failures: string[] = []
    await bench.run(`${inTransaction('UPDATE P.D.t SET n = 1 WHERE k = 1')} COMMIT TRANSACTION`, {
      ...given,
      beforeCommit: async () => {
        await bench.run(`${inTransaction(other)} COMMIT TRANSACTION`, given).catch((error: Error) => failures.push(error.message))
      },
    })
    return failures.join()
  }
  await fill([2n, 'B', 'upsert'], [9n, 'i', 'upsert'])
  expect(await during(upsert)).toMatch(/^Transaction is aborted due to concurrent update against table P:D\.t\./)
  await fill([9n, 'i', 'upsert'])
  expect(await during(upsert)).toBe('')
  expect((await now()).map(([k]) => k)).toEqual([1n, 2n, 3n, 9n])
})

test('requirePartitionFilter wants a filter of the partition column by constants in ON', async () => {
  await bench.run('DROP TABLE IF EXISTS P.D.days')
  await bench.run(
    'CREATE TABLE P.D.days (dato DATE, k INT64, v STRING) PARTITION BY dato OPTIONS (require_partition_filter = TRUE)',
  )
  const on = (condition: string) =>
    `MERGE P.D.days AS t USING (SELECT DATE '2026-11-01' AS dato, 1 AS k) AS s ON t.k = s.k AND t.dato = s.dato${condition} WHEN NOT MATCHED THEN INSERT (dato, k) VALUES (s.dato, s.k)`
  expect(await bench.failure(on(''))).toBe(
    "Cannot query over table 'P.D.days' without a filter over column(s) 'dato' that can be used for partition elimination",
  )
  await bench.run(on(" AND t.dato BETWEEN DATE '2026-11-01' AND DATE '2026-11-02'"))
  await bench.run(on(" AND t.dato BETWEEN DATE '2026-11-01' AND DATE '2026-11-02'"))
  expect((await bench.run("SELECT k FROM P.D.days WHERE dato = '2026-11-01'")).values).toEqual([[1n]])
})

test.each([
  ['MERGE P.D.t USING P.D.s AS s ON UPPER(t.v) = s.v WHEN MATCHED THEN DELETE', 'the function UPPER'],
  ['MERGE P.D.t USING P.D.s AS s ON t.k = s.k WHEN MATCHED AND RAND() < 2 THEN DELETE', 'the function RAND'],
  ['MERGE P.D.t USING P.D.s AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = REVERSE(s.v)', 'the function REVERSE'],
])('what only the evaluator knows is refused outside of USING: %s', async (sql, part) => {
  const before = await now()
  expect(await bench.failure(sql)).toContain(`but not this: ${part}`)
  expect(await now()).toEqual(before)
})

test('a wrong MERGE is refused with the place that the whole script has', async () => {
  expect(await bench.failure('SELECT 1;\nMERGE P.D.t USING P.D.s AS s ON t.k = s.nope WHEN MATCHED THEN DELETE')).toBe(
    'Name nope not found inside s at [2:41]',
  )
  expect(
    await bench.failure(
      'SELECT 1;\nMERGE P.D.t USING (SELECT UPPER(v) AS v FROM P.D.s) AS s ON t.v = s.nope WHEN MATCHED THEN DELETE',
    ),
  ).toBe('Name nope not found inside s at [2:69]')
})

test('200,000 rows', async () => {
  const fields = [column('k', 'STRING'), column('v', 'STRING'), column('j', 'JSON'), column('l', 'FLOAT64', 'REPEATED')]
  await bench.table('big', fields, [])
  await bench.table('bigstage', fields, [])
  await bench.database.use(async ({ connection, find }) => {
    const into = async (table: string, rows: string) =>
      connection.run(`INSERT INTO ${(await find({ project: 'P', dataset: 'D', table }))?.physical} ${rows}`)
    await into('big', `SELECT 'k' || i, 'v' || i, '[' || i || ']', [i] FROM range(150000) AS r(i)`)
    await into(
      'bigstage',
      `SELECT 'k' || i, 'v' || (i + (i % 10 = 0)::INT), '[' || i || ']', [i + (i % 15 = 0)::INT] FROM range(200000) AS r(i)`,
    )
  })
  const started = performance.now()
  const { dml } = await bench.run(`
    MERGE P.D.big AS t USING P.D.bigstage AS s ON t.k = s.k
    WHEN MATCHED AND (t.v IS DISTINCT FROM s.v OR TO_JSON_STRING(t.j) IS DISTINCT FROM TO_JSON_STRING(s.j)
      OR TO_JSON_STRING(t.l) IS DISTINCT FROM TO_JSON_STRING(s.l)) THEN UPDATE SET v = s.v, j = s.j, l = s.l
    WHEN NOT MATCHED THEN INSERT (k, v, j, l) VALUES (s.k, s.v, s.j, s.l)`)
  expect(dml).toEqual({ inserted: 50_000, updated: 20_000, deleted: 0 })
  expect(performance.now() - started).toBeLessThan(40_000)
}, 60_000)

test('columns that no SET names keep their values, whatever they are called', async () => {
  const fields = ['k', 'clause', 'target', 'source', 'o0', 'p', '_source', 'nothing'].map(name => column(name, 'INT64'))
  await bench.table('named', fields, [[1n, 11n, 12n, 13n, 14n, 15n, 16n, 17n]])
  const { dml } = await bench.run(`
    MERGE P.D.named AS t USING (SELECT k, target AS clause FROM P.D.named) AS s ON t.k = s.k
    WHEN MATCHED AND t.clause = 11 THEN UPDATE SET o0 = t.clause + s.clause + t.o0`)
  expect(dml).toEqual({ inserted: 0, updated: 1, deleted: 0 })
  expect((await bench.run('SELECT * FROM P.D.named')).values).toEqual([[1n, 11n, 12n, 13n, 37n, 15n, 16n, 17n]])
})

test('few changes that lie all over a large table are written as few: the commit does not rewrite its columns', async () => {
  await bench.table('wide', [column('k', 'INT64'), column('v', 'STRING'), column('n', 'INT64')], [])
  await bench.database.use(async ({ connection, find }) => {
    const table = (await find({ project: 'P', dataset: 'D', table: 'wide' }))?.physical
    await connection.run(`INSERT INTO ${table} SELECT i, 'v' || i, 0 FROM range(2000000) AS r(i)`)
    await connection.run('CHECKPOINT')
  })
  const { dml } = await bench.run(
    'MERGE P.D.wide AS t USING (SELECT k FROM P.D.wide WHERE MOD(k, 400) = 7) AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET n = 1',
  )
  expect(dml).toEqual({ inserted: 0, updated: 5000, deleted: 0 })
  // A commit that DuckDB takes for a large one becomes a checkpoint, and the log is empty after it.
  const log = statSync(join(bench.database.dir, 'bigquery.duckdb.wal')).size
  expect([log > 0, log < 1_000_000]).toEqual([true, true])
})

const everything: Field[] = [
  column('s', 'STRING'),
  column('bytes', 'BYTES'),
  column('i', 'INT64'),
  column('f', 'FLOAT64'),
  column('bo', 'BOOL'),
  column('n', 'NUMERIC'),
  column('bn', 'BIGNUMERIC'),
  column('ts', 'TIMESTAMP'),
  column('d', 'DATE'),
  column('ti', 'TIME'),
  column('dt', 'DATETIME'),
  column('j', 'JSON'),
  column('l', 'FLOAT64', 'REPEATED'),
  column('r', 'RECORD', 'NULLABLE', [column('x', 'TIMESTAMP'), column('y', 'RECORD', 'REPEATED', [column('z', 'NUMERIC')])]),
]
const asText = new Set(['bn', 'j'])
const key = column('k', 'INT64')
const version = column('version', 'INT64')

/** The script that a pipeline publishes by: its text comes from the stage's, where JSON and BIGNUMERIC are text. */
function published(fields: readonly Field[]): string {
  const names = fields.map(field => field.name)
  const read = fields.map(({ name, type }) =>
    type === 'JSON' ? `PARSE_JSON(${name}) AS ${name}` : type === 'BIGNUMERIC' ? `CAST(${name} AS BIGNUMERIC) AS ${name}` : name,
  )
  const differs = fields.map(({ name, type, mode }) =>
    mode === 'REPEATED' || type === 'RECORD' || type === 'JSON'
      ? `TO_JSON_STRING(t.${name}) IS DISTINCT FROM TO_JSON_STRING(s.${name})`
      : `t.${name} IS DISTINCT FROM s.${name}`,
  )
  return `
    MERGE \`P.D.every\` AS t USING (SELECT k, ${read.join(', ')}, IFNULL(_op, 'upsert') AS _op FROM \`P.D.staged\`) AS s
    ON t.k = s.k
    WHEN MATCHED AND s._op = 'delete' THEN DELETE
    WHEN MATCHED AND (${differs.join(' OR ')}) THEN UPDATE SET ${names.map(name => `${name} = s.${name}`).join(', ')}, version = @version
    WHEN NOT MATCHED AND s._op = 'upsert' THEN INSERT (k, ${names.join(', ')}, version) VALUES (s.k, ${names.map(name => `s.${name}`).join(', ')}, @version)`
}

test('the publishing MERGE leaves what a plain loop over the keys leaves, for every type of column', async () => {
  const row = fc.tuple(...everything.map(anyValueOf))
  const op = fc.constantFrom(null, 'upsert', 'delete')
  const one = fc.oneof(
    fc.record({ old: row, given: row, op }),
    row.map(each => ({ old: each, given: each, op: null })),
    fc.record({ old: row, given: fc.constant(null), op: fc.constant(null) }),
    fc.record({ old: fc.constant(null), given: row, op }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 3, maxLength: 10 }), async cases => {
      const old = cases.flatMap(({ old }, k) => (old === null ? [] : [[BigInt(k), ...old, 1n]]))
      const staged = cases.flatMap(({ given, op }, k) => (given === null ? [] : [[BigInt(k), ...given, op]]))
      const inStage = everything.map(field => (asText.has(field.name) ? { ...field, type: 'STRING' as const } : field))
      await bench.table('every', [key, ...everything, version], old)
      await bench.table('staged', [key, ...inStage, column('_op', 'STRING')], staged)
      const { dml } = await bench.run(published(everything), { parameters: [parameter('version', 'INT64', '2')] })
      const wanted = { inserted: 0, updated: 0, deleted: 0 }
      const expected = cases.flatMap(({ old, given, op }, k) => {
        const kept = old === null ? [] : [[BigInt(k), ...old, 1n]]
        if (given === null) return kept
        if (old === null && op === 'delete') return []
        if (op === 'delete') wanted.deleted++
        if (op === 'delete') return []
        if (old !== null && isSame(old, given)) return kept
        wanted[old === null ? 'inserted' : 'updated']++
        return [[BigInt(k), ...given, 2n]]
      })
      expect(dml).toEqual(wanted)
      expect(canonical((await bench.run('SELECT * FROM P.D.every')).values, false)).toEqual(canonical(expected, false))
    }),
    { numRuns: 6 },
  )
}, 120_000)

// Scalars as IS DISTINCT FROM has them, the others by their JSON text: NULL is JSON null there, and the two zeros are one.
function isSame(a: readonly Value[], b: readonly Value[]): boolean {
  return everything.every((field, index) => {
    const [one, other] = [a[index] ?? null, b[index] ?? null]
    if (field.type === 'JSON') return (one ?? 'null') === (other ?? 'null')
    return JSON.stringify(one, exact) === JSON.stringify(other, exact)
  })
}

function exact(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return value === 0 ? '0' : String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Catalogue, QueryParameter, Store } from '../../../src/local/contract.ts'
import { createSqlEngine } from '../../../src/local/sql/engine.ts'
import { type Bench, column, openBench } from './support/bench.ts'
import { bootstrap, parameters, publish, stage } from './support/publish.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const numbers = [column('k', 'INT64'), column('v', 'INT64')]
beforeEach(async () => {
  await bench.table('a', numbers, [
    [1n, 10n],
    [2n, 20n],
  ])
  await bench.table('b', numbers, [[1n, 10n]])
})

const aborted = (table: string) =>
  new RegExp(`^Transaction is aborted due to concurrent update against table P:D\\.${table}\\. Transaction ID: [0-9a-f-]{36}$`)
const transaction = (...statements: string[]) =>
  ['BEGIN TRANSACTION', ...statements, 'COMMIT TRANSACTION'].map(each => `${each};`).join('\n')

/** Runs `during` while the transaction stands before its COMMIT, then lets it commit. Its own answer is the error's message, or 'committed'. */
async function meanwhile(
  script: string,
  during: () => Promise<void>,
  given: { parameters?: QueryParameter[] } = {},
): Promise<string> {
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const beforeCommit = () => {
    reached.resolve()
    return released.promise
  }
  const done = bench.run(script, { ...given, beforeCommit }).then(
    () => 'committed',
    (error: Error) => error.message,
  )
  await Promise.race([reached.promise, done])
  await during()
  released.resolve()
  return done
}

const valuesOf = async (table: string) => (await bench.run(`SELECT k, v FROM P.D.${table} ORDER BY k, v`)).values

// BigQuery: Multi-statement transactions, "Transaction concurrency": "If a transaction mutates (update or deletes) rows in a table, then other
// transactions or DML statements that mutate rows in the same table cannot run concurrently. Conflicting transactions are cancelled."
test.each([
  ['UPDATE of the same row', 'UPDATE P.D.a SET v = 0 WHERE k = 1'],
  ['UPDATE of another row of the same table', 'UPDATE P.D.a SET v = 0 WHERE k = 2'],
  ['DELETE of another row', 'DELETE FROM P.D.a WHERE k = 2'],
  ['TRUNCATE', 'TRUNCATE TABLE P.D.a'],
])('two transactions conflict by table: the later %s is cancelled, the earlier commits', async (_, later) => {
  const end = await meanwhile(transaction('UPDATE P.D.a SET v = 11 WHERE k = 1'), async () => {
    expect(await bench.failure(transaction(later))).toMatch(aborted('a'))
  })
  expect(end).toBe('committed')
  expect(await valuesOf('a')).toEqual([
    [1n, 11n],
    [2n, 20n],
  ])
})

test('INSERTs of two transactions and of plain statements into one table never conflict', async () => {
  const end = await meanwhile(transaction('UPDATE P.D.b SET v = 0 WHERE TRUE', 'INSERT INTO P.D.a VALUES (3, 30)'), async () => {
    await bench.run(transaction('INSERT INTO P.D.a VALUES (4, 40)'))
    await bench.run('INSERT INTO P.D.a VALUES (5, 50)')
    await bench.run(transaction('UPDATE P.D.a SET v = 21 WHERE k = 2'))
  })
  expect(end).toBe('committed')
  expect(await valuesOf('a')).toEqual([
    [1n, 10n],
    [2n, 21n],
    [3n, 30n],
    [4n, 40n],
    [5n, 50n],
  ])
})

test('a mutation that touches no row conflicts with nothing', async () => {
  const end = await meanwhile(transaction('UPDATE P.D.a SET v = 0 WHERE k = 99'), async () => {
    await bench.run(transaction('UPDATE P.D.a SET v = 11 WHERE k = 1'))
  })
  expect(end).toBe('committed')
})

test('different tables do not conflict', async () => {
  const end = await meanwhile(transaction('UPDATE P.D.a SET v = 0 WHERE TRUE'), async () => {
    await bench.run(transaction('DELETE FROM P.D.b WHERE TRUE'))
  })
  expect(end).toBe('committed')
})

// "Conflicting DML statements that run outside of a transaction are queued to run later, subject to queuing limits."
test('a mutating statement outside of a transaction waits for the transaction and then sees what it left', async () => {
  const order: string[] = []
  let queued: Promise<void> = Promise.resolve()
  const end = await meanwhile(transaction('UPDATE P.D.a SET v = v + 1 WHERE TRUE'), async () => {
    queued = bench.run('UPDATE P.D.a SET v = v * 2 WHERE TRUE').then(() => void order.push('queued'))
    await bench.run('SELECT 1')
    order.push('still open')
  })
  await queued
  expect([end, ...order]).toEqual(['committed', 'still open', 'queued'])
  expect(await valuesOf('a')).toEqual([
    [1n, 22n],
    [2n, 42n],
  ])
})

test('reads of a transaction are of its snapshot and of its own changes', async () => {
  const { values } = await bench.run(`
    BEGIN TRANSACTION;
    INSERT INTO P.D.a VALUES (3, 30);
    UPDATE P.D.a SET v = 11 WHERE k = 1;
    SELECT k, v FROM P.D.a ORDER BY k;
    ROLLBACK TRANSACTION;`)
  expect(values).toEqual([
    [1n, 11n],
    [2n, 20n],
    [3n, 30n],
  ])
  expect(await valuesOf('a')).toHaveLength(2)
})

test('what others commit after BEGIN is not seen, and others see nothing before COMMIT', async () => {
  await meanwhile(transaction('INSERT INTO P.D.a VALUES (3, 30)', 'UPDATE P.D.b SET v = 0 WHERE TRUE'), async () => {
    expect(await valuesOf('a')).toHaveLength(2)
    expect(await valuesOf('b')).toEqual([[1n, 10n]])
  })
  expect(await valuesOf('a')).toHaveLength(3)
  expect(await valuesOf('b')).toEqual([[1n, 0n]])
})

test('the snapshot is taken at BEGIN, not with the first statement', async () => {
  const begun = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const store: Store = {
    async connect() {
      const catalogue = await bench.database.connect()
      // The first thing after BEGIN is to look up the table of the first statement.
      const find: Catalogue['find'] = async ref => {
        begun.resolve()
        await released.promise
        return catalogue.find(ref)
      }
      return { ...catalogue, find }
    },
  }
  const engine = await createSqlEngine(store, { urlOf: () => undefined })
  try {
    const sql = 'DECLARE n INT64; BEGIN TRANSACTION; SET n = (SELECT COUNT(*) FROM P.D.a); ROLLBACK TRANSACTION; SELECT n'
    const running = engine.run({
      jobId: 'j',
      project: 'P',
      sql,
      parameters: [],
      dryRun: false,
      signal: new AbortController().signal,
    })
    await begun.promise
    await bench.run('INSERT INTO P.D.a VALUES (3, 30)')
    released.resolve()
    const { rows } = await running
    const values = await bench.database.use(async ({ connection }) =>
      (await connection.runAndReadAll(`SELECT * FROM ${rows}`)).getRows(),
    )
    expect(values).toEqual([[2n]])
  } finally {
    await engine.close()
  }
})

test('CURRENT_TIMESTAMP is one instant in a transaction, also where the evaluator works it out', async () => {
  const { values } = await bench.run(`
    DECLARE first TIMESTAMP;
    BEGIN TRANSACTION;
    SET first = CURRENT_TIMESTAMP();
    INSERT INTO P.D.a VALUES (3, UNIX_MICROS(CURRENT_TIMESTAMP()));
    UPDATE P.D.a SET v = UNIX_MICROS(CURRENT_TIMESTAMP()) WHERE k = 1;
    SELECT COUNT(DISTINCT v), MAX(v) = UNIX_MICROS(first), MAX(v) = UNIX_MICROS(TIMESTAMP_TRUNC(CURRENT_TIMESTAMP, MICROSECOND)) FROM P.D.a WHERE k != 2;
    COMMIT TRANSACTION;`)
  expect(values).toEqual([[1n, true, true]])
})

test.each([
  ['a script that ends with an open transaction', 'BEGIN TRANSACTION; DELETE FROM P.D.a WHERE TRUE; SELECT 1'],
  [
    'a script that fails in a transaction',
    'BEGIN TRANSACTION; DELETE FROM P.D.a WHERE TRUE; INSERT INTO P.D.b VALUES (CAST(@x AS INT64), 1); COMMIT TRANSACTION',
  ],
])('%s leaves nothing of it', async (_, script) => {
  await bench.run(script).catch(() => undefined)
  expect(await valuesOf('a')).toHaveLength(2)
  // Nothing holds the table any more.
  await bench.run(transaction('UPDATE P.D.a SET v = 0 WHERE TRUE'))
})

test('without a transaction the statements before a failing one stay', async () => {
  expect(
    await bench.failure(
      'INSERT INTO P.D.a VALUES (3, 30); UPDATE P.D.a SET v = 9223372036854775807 + k WHERE TRUE; INSERT INTO P.D.a VALUES (4, 40)',
    ),
  ).toBe('int64 overflow')
  expect(await valuesOf('a')).toHaveLength(3)
})

test.each([
  ['BEGIN TRANSACTION', 'Transaction control statements are supported only in scripts or sessions'],
  ['SELECT 1; COMMIT TRANSACTION', 'Transaction control failed: there is no transaction in progress to commit'],
  ['SELECT 1; ROLLBACK TRANSACTION', 'Transaction control failed: there is no transaction in progress to roll back'],
  [
    'BEGIN TRANSACTION; BEGIN TRANSACTION',
    'Transaction control failed: a transaction is already in progress; nested transactions are not supported',
  ],
  [
    'BEGIN TRANSACTION; CREATE TABLE P.D.c (k INT64)',
    'DDL statements that affect permanent entities are not supported inside of a transaction',
  ],
  ['DELETE FROM P.D.a', 'DELETE must have a WHERE clause at [1:1]'],
  ['SELECT 1; UPDATE P.D.a SET v = 1', 'UPDATE must have a WHERE clause at [1:11]'],
])('%s is refused', async (script, message) => {
  expect(await bench.failure(script)).toBe(message)
})

test('of two publishes of one target at once one is published, the other aborted; tried again it publishes, or loses to a newer one', async () => {
  await bench.run(bootstrap)
  await bench.run(stage)
  const older = { parameters: parameters('r1', '2026-11-20T05:31:00Z') }
  const newer = { parameters: parameters('r2', '2026-11-20T05:32:00Z') }
  const end = await meanwhile(
    publish('replace'),
    async () => {
      expect(await bench.failure(publish('replace'), older)).toMatch(
        /^Transaction is aborted due to concurrent update against table P:D_etl\.head__apps_per_env\. Transaction ID: /,
      )
      expect((await bench.run('SELECT * FROM `P.D.apps_per_env`')).totalRows).toBe(0)
    },
    newer,
  )
  expect(end).toBe('committed')
  expect(await bench.rows(publish('replace'), older)).toMatchObject([{ outcome: 'lost', run: 'r2' }])
  const { values } = await bench.run('SELECT COUNT(*), COUNT(DISTINCT version) FROM `P.D.apps_per_env`')
  expect(values).toEqual([[3n, 1n]])
})

test('many publishes at once, tried again after an abort, leave one copy of the rows and the newest version', async () => {
  await bench.run(bootstrap.replaceAll('apps_per_env', 'race'))
  await bench.run(stage.replaceAll('apps_per_env', 'race'))
  const script = publish('replace').replaceAll('apps_per_env', 'race')
  const attempt = async (n: number): Promise<string> => {
    try {
      const [row] = await bench.rows(script, { parameters: given(n) })
      return String(row?.outcome)
    } catch (error) {
      if (!/concurrent update/.test(String(error))) throw error
      return attempt(n)
    }
  }
  const given = (n: number) =>
    parameters(`r${n}`, `2026-11-20T05:3${n}:00Z`).map(each => (each.name === 'target' ? { ...each, value: 'P.D.race' } : each))
  const ends = await Promise.all([3, 1, 4, 2].map(attempt))
  expect(ends[2]).toBe('published')
  const { values } = await bench.run('SELECT COUNT(*), MIN(version), MAX(version) FROM `P.D.race`')
  expect(values).toEqual([[3n, '2026-11-20T05:34:00Z', '2026-11-20T05:34:00Z']])
  const published = ends.filter(end => end === 'published').length
  const ledger = await bench.rows("SELECT COUNT(*) AS n FROM `P.D_etl.runs` WHERE target = 'P.D.race'")
  expect(ledger).toEqual([{ n: BigInt(published) }])
})

test('publishes of two targets that share a ledger do not meet', async () => {
  await bench.run(bootstrap)
  const other = (script: string) => script.replaceAll('apps_per_env', 'other')
  await bench.run(other(bootstrap))
  await bench.run(other(stage))
  await bench.run('DROP TABLE IF EXISTS `P.D_etl.stage__apps_per_env__9f3c1a`')
  await bench.run(stage)
  await bench.run("UPDATE `P.D_etl.head__apps_per_env` SET version = TIMESTAMP '1970-01-01 00:00:00+00', run = '' WHERE TRUE")
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const held = bench.rows(publish('replace'), {
    parameters: parameters('r1', '2026-11-20T05:31:00Z'),
    beforeCommit: () => {
      reached.resolve()
      return released.promise
    },
  })
  await reached.promise
  expect(await bench.rows(other(publish('replace')), { parameters: parameters('r2', '2026-11-20T05:32:00Z') })).toMatchObject([
    { outcome: 'published' },
  ])
  released.resolve()
  expect(await held).toMatchObject([{ outcome: 'published' }])
})

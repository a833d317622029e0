import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Local, startLocal } from '../support/local.ts'

let dir: string
let local: Local
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'etl-past-'))
  local = await startLocal({ dir })
  await local.call('POST', '/p/datasets', { datasetReference: { projectId: 'p', datasetId: 'd' } })
  await done('CREATE TABLE p.d.t (a INT64, s STRING); CREATE TABLE p.d.u (a INT64); CREATE TABLE p.d.still (a INT64)')
  await done("INSERT INTO p.d.t VALUES (1, 'x'), (2, 'y'); INSERT INTO p.d.u VALUES (1); INSERT INTO p.d.still VALUES (7)")
})
afterAll(async () => {
  await local.stop()
  await rm(dir, { recursive: true, force: true })
})

type Said = { rows: string[][]; error: string | undefined; reason: string | undefined }

/** What jobs.query answers: rows as texts, or the error. */
async function said(query: string, more: object = {}): Promise<Said> {
  const { body } = await local.call('POST', '/p/queries', { query, useLegacySql: false, timeoutMs: 20_000, ...more })
  const { rows = [], error } = body as {
    rows?: { f: { v: string }[] }[]
    error?: { errors: { reason: string }[]; message: string }
  }
  return { rows: rows.map(({ f }) => f.map(({ v }) => v)), error: error?.message, reason: error?.errors[0]?.reason }
}

async function done(query: string): Promise<string[][]> {
  const { rows, error } = await said(query)
  expect(error).toBeUndefined()
  return rows
}

/** The server's clock, in milliseconds; whatever was written before is before. */
async function clock(): Promise<number> {
  await new Promise(resolve => setTimeout(resolve, 3))
  const [[milliseconds]] = (await done('SELECT UNIX_MILLIS(CURRENT_TIMESTAMP())')) as [[string]]
  return Number(milliseconds)
}
const asOf = (milliseconds: number) => `FOR SYSTEM_TIME AS OF TIMESTAMP '${new Date(milliseconds).toISOString()}'`

test('a table that nobody has written to since is read as it is', async () => {
  const at = asOf(await clock())
  expect(await done(`SELECT a FROM p.d.t ${at} ORDER BY a`)).toEqual([['1'], ['2']])
  expect(await done(`SELECT \`a\` FROM \`p.d.t\` ${at} WHERE \`a\` = 2`)).toEqual([['2']])
  expect(await done(`SELECT x.s FROM p.d.t AS x ${at} JOIN p.d.u AS y ${at} USING (a)`)).toEqual([['x']])
  // What DuckDB is not given, Google's evaluator works out: it can't read the past either.
  expect(await done(`SELECT FORMAT('%T', ARRAY_AGG(s ORDER BY a)) FROM p.d.t ${at}`)).toEqual([['["x", "y"]']])
  expect(await done(`WITH w AS (SELECT a FROM p.d.t ${at}) SELECT (SELECT COUNT(*) FROM w), COUNT(*) FROM p.d.still`)).toEqual([
    ['2', '1'],
  ])
})

test('the moment is any constant TIMESTAMP', async () => {
  const now = await clock()
  expect(await done('SELECT COUNT(*) FROM p.d.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()')).toEqual([['2']])
  expect(await done(`SELECT COUNT(*) FROM p.d.t FOR SYSTEM_TIME AS OF TIMESTAMP_MILLIS(${now})`)).toEqual([['2']])
  const parameter = {
    parameterMode: 'NAMED',
    queryParameters: [
      { name: 'at', parameterType: { type: 'TIMESTAMP' }, parameterValue: { value: new Date(now).toISOString() } },
    ],
  }
  expect((await said('SELECT COUNT(*) FROM p.d.t FOR SYSTEM_TIME AS OF @at', parameter)).rows).toEqual([['2']])
  const script = 'DECLARE moment TIMESTAMP DEFAULT CURRENT_TIMESTAMP(); SELECT COUNT(*) FROM p.d.t FOR SYSTEM_TIME AS OF moment'
  expect(await done(script)).toEqual([['2']])
})

test.each([
  ['INSERT', "INSERT INTO p.d.t VALUES (3, 'z')"],
  ['UPDATE', "UPDATE p.d.t SET s = 'w' WHERE a = 3"],
  ['DELETE', 'DELETE FROM p.d.t WHERE a = 3'],
  ['ALTER TABLE', 'ALTER TABLE p.d.t ADD COLUMN n INT64'],
  ['a table that was dropped and made again', 'DROP TABLE p.d.t; CREATE TABLE p.d.t AS SELECT 1 AS a UNION ALL SELECT 2'],
])('%s: what was there before is refused as outside of the time travel window', async (_, statement) => {
  const before = await clock()
  await done(statement)
  const after = await clock()
  const { error, reason } = await said(`SELECT a FROM p.d.t ${asOf(before)}`)
  expect(reason).toBe('invalidQuery')
  expect(error).toMatch(
    new RegExp(
      `^Invalid snapshot time ${before} for table p:d\\.t@${before}\\. Cannot read before \\d{13}\\. The local BigQuery keeps no rows of the past`,
    ),
  )
  expect(await done(`SELECT COUNT(*) > 1 FROM p.d.t ${asOf(after)}`)).toEqual([['true']])
  // Another table is not touched by it.
  expect(await done(`SELECT a FROM p.d.still ${asOf(before)}`)).toEqual([['7']])
})

test('a load job is a write too', async () => {
  const before = await clock()
  const configuration = {
    query: {
      query: 'SELECT 9 AS a',
      useLegacySql: false,
      writeDisposition: 'WRITE_APPEND',
      destinationTable: { projectId: 'p', datasetId: 'd', tableId: 'u' },
    },
  }
  await local.call('POST', '/p/jobs', { configuration, jobReference: { projectId: 'p', jobId: 'load-u' } })
  await local.call('GET', '/p/queries/load-u?timeoutMs=10000')
  expect((await said(`SELECT a FROM p.d.u ${asOf(before)}`)).error).toMatch(/^Invalid snapshot time/)
  expect(await done(`SELECT COUNT(*) FROM p.d.u ${asOf(await clock())}`)).toEqual([['2']])
})

test('a transaction that is open does not count, and is seen by nobody before its commit', async () => {
  await local.fault({ kind: 'holdCommit' })
  const query = 'BEGIN TRANSACTION; DELETE FROM p.d.still WHERE TRUE; INSERT INTO p.d.u VALUES (7); COMMIT TRANSACTION; SELECT 1'
  const held = said(query)
  await new Promise(resolve => setTimeout(resolve, 300))
  const before = await clock()
  expect(await done(`SELECT a FROM p.d.still ${asOf(before)}`)).toEqual([['7']])
  await fetch(`${local.url}/_local/faults`, { method: 'DELETE' })
  await held
  for (const table of ['still', 'u'])
    expect((await said(`SELECT a FROM p.d.${table} ${asOf(before)}`)).error).toMatch(/^Invalid snapshot time/)
  await done('INSERT INTO p.d.still VALUES (7)')
})

test('refused: the future, two moments of one table, and what is no moment', async () => {
  const now = await clock()
  expect((await said(`SELECT a FROM p.d.t ${asOf(now + 60_000)}`)).error).toMatch(
    new RegExp(`^Invalid snapshot time ${now + 60_000} for table p:d\\.t@${now + 60_000}\\. Cannot read after \\d{13}\\.$`),
  )
  expect((await said(`SELECT x.a FROM p.d.t AS x ${asOf(now)}, p.d.t AS y`)).error).toBe(
    'Table p:d.t is referenced at more than one point in time',
  )
  const refused = async (moment: string) => (await said(`SELECT a FROM p.d.t FOR SYSTEM_TIME AS OF ${moment}`)).error
  expect(await refused("'2026-01-01 00:00:00+00'")).toMatch(/of type STRING is not supported by the local BigQuery\. Write it as/)
  expect(await refused('NULL')).toMatch(/not supported|must not be NULL/)
  expect(await refused('(SELECT CURRENT_TIMESTAMP())')).toMatch(/must be a constant expression/)
  expect(await refused('a')).toMatch(/Unrecognized name: a at \[1:/)
  expect((await said(`SELECT a FROM p.d.nope ${asOf(now)}`)).error).toBe('Not found: Table p:d.nope')
  const within = `BEGIN TRANSACTION; SELECT a FROM p.d.t ${asOf(now)}; COMMIT TRANSACTION`
  expect((await said(within)).error).toMatch(/within a transaction is not supported by the local BigQuery/)
})

test('of what was written before the server started it knows only that', async () => {
  const before = await clock()
  await local.stop()
  local = await startLocal({ dir })
  const { error } = await said(`SELECT a FROM p.d.still ${asOf(before)}`)
  expect(error).toMatch(/^Invalid snapshot time/)
  expect(await done(`SELECT a FROM p.d.still ${asOf(await clock())}`)).toEqual([['7']])
})

test('no read as of a moment sees half of a transaction', async () => {
  await done('CREATE TABLE p.d.left (n INT64); CREATE TABLE p.d.right (n INT64); INSERT INTO p.d.left VALUES (0)')
  let moving = true
  // Between two writes there is time for a read, however slow the machine is.
  let took = 20
  const mover = (async () => {
    for (let n = 0; moving; n++) {
      const [from, to] = n % 2 === 0 ? ['left', 'right'] : ['right', 'left']
      await done(
        `BEGIN TRANSACTION; DELETE FROM p.d.${from} WHERE TRUE; INSERT INTO p.d.${to} VALUES (${n}); COMMIT TRANSACTION; SELECT 1`,
      )
      await new Promise(resolve => setTimeout(resolve, 2 * took))
    }
  })()
  const seen: string[] = []
  for (let tries = 0; tries < 15 || (seen.length < 2 && tries < 100); tries++) {
    const began = performance.now()
    const at = asOf(await clock())
    const [left, right] = await Promise.all(['left', 'right'].map(table => said(`SELECT n FROM p.d.${table} ${at}`)))
    if (left?.error === undefined && right?.error === undefined)
      seen.push(String((left?.rows.length ?? 0) + (right?.rows.length ?? 0)))
    else expect(left?.error ?? right?.error).toMatch(/^Invalid snapshot time/)
    took = performance.now() - began
  }
  moving = false
  await mover
  expect(seen.length).toBeGreaterThan(1)
  expect(new Set(seen)).toEqual(new Set(['1']))
}, 60_000)

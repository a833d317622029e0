import { bq, row } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { auditSql, brokenPromises } from '../../../src/domain/audit.ts'
import type { AnyRow } from '../../../src/domain/column.ts'
import { type Local, startLocal } from '../../support/local.ts'
import { connected, freshTarget, staged } from './world.ts'

const Strict = row(
  {
    dato: z.iso.date(),
    id: z.int(),
    env: z.enum(['dev', 'prod']),
    count: z.int().min(1).max(100),
    even: z.int().multipleOf(2),
    share: z.number().min(0).lt(1),
    step: z.number().multipleOf(0.1),
    name: z.string().min(2).max(5),
    code: z.string().regex(/^[A-Z]{2}\d+$/),
    fnr: z.string().length(11).meta({ pii: 'direct' }),
    big: bq.bignumeric(),
    inner: z.object({ kind: z.enum(['a', 'b']), n: z.int().positive().nullable() }).nullable(),
    list: z.array(z.int().positive()),
    parts: z.array(z.object({ name: z.string().min(2), tags: z.array(z.enum(['x', 'y'])) })),
  },
  { key: ['dato', 'id'] },
)
const good: AnyRow = {
  dato: '2024-01-01',
  id: 1,
  env: 'dev',
  count: 1,
  even: 4,
  share: 0,
  step: 0.3,
  name: 'æø🦊',
  code: 'AB12',
  fnr: '01017012345',
  big: '1.5',
  inner: { kind: 'a', n: null },
  list: [1, 2],
  parts: [{ name: 'ab', tags: ['x'] }],
}
const scope = { column: 'dato', dates: ['2024-01-01', '2024-01-02'] }

let local: Local
let adapter: Awaited<ReturnType<typeof connected>>
beforeAll(async () => {
  local = await startLocal()
  adapter = await connected(local)
})
afterAll(() => local?.stop())

/** Stages rows and audits them; where a row has no place, the schema is relaxed for the spool, as a sql transform would leave it. */
async function audited(rows: readonly AnyRow[], elements = false): Promise<readonly string[]> {
  const promises = { columns: Strict.columns, key: Strict.key, scope, elements, deletions: false }
  const tables = await freshTarget(local)
  const loose = Strict.columns.map(column => (column.mode === 'REQUIRED' ? { ...column, mode: 'NULLABLE' as const } : column))
  const stage = await staged(adapter, tables, loose, rows, 'aaaaaa')
  const answer = await adapter.warehouse.ask(auditSql(promises, stage.table))
  return brokenPromises(answer.rows[0] ?? {}, promises, rows.length).map(({ text }) => text)
}

describe('an audit in BigQuery', () => {
  test('finds nothing where every promise is kept', async () => {
    expect(await audited([good, { ...good, id: 2, dato: '2024-01-02', inner: null, name: '🦊' }])).toEqual([])
    expect(await audited([])).toEqual([])
  })

  test.each([
    [{ env: 'staging' }, 'env: 1 row with another value than dev, prod (for example "staging")'],
    [{ env: null }, 'env: 1 row without a value, it is required'],
    [{ count: 0 }, 'count: 1 row not at least 1 (for example 0)'],
    [{ count: 101 }, 'count: 1 row not at most 100 (for example 101)'],
    [{ even: 3 }, 'even: 1 row with no multiple of 2 (for example 3)'],
    [{ share: 1 }, 'share: 1 row not below 1 (for example 1)'],
    [{ step: 0.35 }, 'step: 1 row with no multiple of 0.1 (for example 0.35)'],
    [{ name: 'a' }, 'name: 1 row with fewer than 2 characters (for example "a")'],
    [{ name: 'abcdef' }, 'name: 1 row with more than 5 characters (for example "abcdef")'],
    [{ code: 'ab12' }, 'code: 1 row that are not text like ^[A-Z]{2}\\d+$ (for example "ab12")'],
    [{ fnr: '0101701234' }, 'fnr: 1 row with fewer than 11 characters'],
    [{ inner: { kind: 'c', n: 1 } }, 'inner.kind: 1 row with another value than a, b (for example "c")'],
    [{ inner: { kind: 'a', n: 0 } }, 'inner.n: 1 row not above 0 (for example 0)'],
    [{ list: [1, 0, -1] }, 'list[]: 1 row not above 0 (for example -1)'],
    [{ parts: [{ name: 'a', tags: [] }] }, 'parts[].name: 1 row with fewer than 2 characters (for example "a")'],
    [{ parts: [{ name: 'ab', tags: ['x', 'z'] }] }, 'parts[].tags[]: 1 row with another value than x, y (for example "z")'],
    [{ dato: '2024-01-03' }, '1 row outside the slices of this run (for example "2024-01-03")'],
    [{ id: 1 }, 'one key stands in more than one row: (dato, id) (for example "2024-01-01, 1")'],
  ])('finds a row with %j', async (change, problem) => {
    expect(await audited([good, { ...good, id: 2, ...change } as AnyRow], 'list' in change || 'parts' in change)).toEqual([
      problem,
    ])
  })

  test('finds NaN where a bound says otherwise', async () => {
    const problems = await audited([good, { ...good, id: 2, share: Number.NaN }])
    expect(problems.map(problem => problem.replace(/ \(.*/, ''))).toEqual([
      'share: 1 row not at least 0',
      'share: 1 row not below 1',
    ])
  })
})

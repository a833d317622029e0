// One hash, worked out three times over the same rows: by the spool (DuckDB's, and that of rows without records) before they are sent, by Google's evaluator over a stage, and by what the local
// server makes of the query for a stage of any size.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stageColumn } from '../src/adapters/bigquery/staged.ts'
import { createSpool } from '../src/adapters/duckdb/spool.ts'
import { areFlat, openRows } from '../src/adapters/parquet/rows.ts'
import type { AnyRow, Column, ColumnType, Value } from '../src/domain/column.ts'
import { contentSql } from '../src/domain/content.ts'
import type { Field } from '../src/googlesql/field.ts'
import type { SpoolWriter } from '../src/ports/spool.ts'
import { type Bench, openBench } from './local/sql/support/bench.ts'
import { compareOn } from './local/sql/support/lowered.ts'
import { anyValueOf } from './support/values.ts'

const stage = { project: 'P', dataset: 'D', table: 't' }
let bench: Bench
let both: ReturnType<typeof compareOn>
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'content-'))
  bench = await openBench()
  both = compareOn(bench)
})
afterAll(async () => {
  await both.close()
  await bench.close()
  await rm(directory, { recursive: true, force: true })
})

async function spoolHash(columns: readonly Column[], rows: readonly AnyRow[]): Promise<string> {
  const hash = await hashBy(createSpool({ directory }).open(columns), rows)
  if (areFlat(columns)) expect(await hashBy(openRows(columns, { directory }), rows)).toBe(hash)
  return hash
}

async function hashBy(opened: Promise<SpoolWriter>, rows: readonly AnyRow[]): Promise<string> {
  const writer = await opened
  try {
    await writer.write(rows)
    return (await writer.finish()).contentHash
  } finally {
    await writer.discard()
  }
}

/** The hash of all three, which must be one. */
async function hashOf(columns: readonly Column[], rows: readonly AnyRow[]): Promise<string> {
  const schema = columns.map(stageColumn) as readonly Field[]
  const values = rows.map(row => columns.map(column => (row[column.name] ?? null) as Value))
  await bench.table('t', schema, values)
  const { duck, google, part } = await both.ask(contentSql(columns, stage), { schema, rows: values })
  if (duck === undefined) throw new Error(`not at any size: ${part}`)
  const spool = await spoolHash(columns, rows)
  expect({ duck, google }).toEqual({ duck: { rows: [[spool]] }, google: { rows: [[spool]] } })
  return spool
}

function column(name: string, type: ColumnType, mode: Column['mode'] = 'NULLABLE', fields?: readonly Column[]): Column {
  return { name, type, mode, rules: [], ...(fields === undefined ? {} : { fields }) }
}

const types = [
  'STRING',
  'BYTES',
  'INT64',
  'FLOAT64',
  'BOOL',
  'NUMERIC',
  'BIGNUMERIC',
  'TIMESTAMP',
  'DATE',
  'TIME',
  'DATETIME',
  'JSON',
] as const

/** Columns of any type, alone, repeated, in records, in arrays of records and in those of those; names that the query uses itself among them. */
const anyColumns = (depth: number): fc.Arbitrary<readonly Column[]> =>
  fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom('a', 'b', 'h', 't', 'e0', 'o0', 'select'),
        fc.constantFrom('NULLABLE' as const, 'REQUIRED' as const, 'REPEATED' as const),
        depth === 0
          ? fc.constantFrom(...types)
          : fc.oneof({ arbitrary: fc.constantFrom(...types), weight: 3 }, anyColumns(depth - 1)),
      ),
      { minLength: 1, maxLength: 4, selector: ([name]) => name },
    )
    .map(list =>
      list.map(([name, mode, of]) => (typeof of === 'string' ? column(name, of, mode) : column(name, 'RECORD', mode, of))),
    )

const valuesOf = (columns: readonly Column[]) =>
  fc.tuple(...columns.map(each => anyValueOf(each as Field) as fc.Arbitrary<Value>))

const tables = anyColumns(2).chain(columns =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.array(valuesOf(columns), { maxLength: 5 }),
    other: valuesOf(columns),
    at: fc.nat(),
    place: fc.nat(),
    shuffled: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
  }),
)

const rowOf = (columns: readonly Column[], values: readonly Value[]): AnyRow =>
  Object.fromEntries(columns.map((each, index) => [each.name, values[index] ?? null]))

/** A value as text; -0 and 0 are one. */
const shown = (value: Value): string =>
  JSON.stringify(value, (_, each) => {
    if (typeof each === 'bigint') return `${each}n`
    if (typeof each === 'number') return each === 0 ? '0' : String(each)
    return each instanceof Uint8Array ? `bytes ${Buffer.from(each).toString('hex')}` : each
  })

test('any rows of any columns: one hash everywhere, in any order; a value, a row more or less and it is another', async () => {
  await fc.assert(
    fc.asyncProperty(tables, async ({ columns, rows, other, at, place, shuffled }) => {
      const before = rows.map(values => rowOf(columns, values))
      const hash = await hashOf(columns, before)
      const order = before.map((row, index) => ({ row, key: shuffled[index] ?? 0 })).sort((a, b) => a.key - b.key)
      expect(
        await spoolHash(
          columns,
          order.map(({ row }) => row),
        ),
      ).toBe(hash)

      const [index, which] = [at % Math.max(rows.length, 1), place % columns.length]
      const name = columns[which]?.name ?? ''
      expect(await spoolHash(columns, [...before, before[index] ?? rowOf(columns, other)])).not.toBe(hash)
      if (rows.length === 0) return
      expect(await spoolHash(columns, before.toSpliced(index, 1))).not.toBe(hash)
      const value = other[which] ?? null
      const changed = before.with(index, { ...before[index], [name]: value })
      if (shown(value) === shown(before[index]?.[name] ?? null)) expect(await spoolHash(columns, changed)).toBe(hash)
      else expect(await spoolHash(columns, changed)).not.toBe(hash)
    }),
    { numRuns: Number(process.env.CONTENT_RUNS ?? 20) },
  )
}, 120_000)

describe('values that run into each other', () => {
  const texts = [column('a', 'STRING'), column('b', 'STRING')]
  const hostile = ['', 'n;', 'NULL', 'null', '2:ab', 'a\u0000', '0:', '}', '[', ';', '🦊', 'æ', 'ab', 'a', 'b', ' ']

  test('no two rows of such texts have one hash', async () => {
    const rows = [null, ...hostile].flatMap(a => [null, ...hostile].map(b => ({ a, b })))
    await hashOf(texts, rows)
    // The query's own rows: a hash each.
    const sql = contentSql(texts, stage)
    const each = sql.slice(sql.indexOf('FROM (') + 'FROM ('.length, -1)
    const schema = texts.map(stageColumn) as readonly Field[]
    const values = rows.map(({ a, b }) => [a, b])
    const { google } = await both.ask(`SELECT COUNT(DISTINCT h) FROM (${each})`, { schema, rows: values })
    expect(google).toEqual({ rows: [[BigInt(rows.length)]] })
  })

  const lists: readonly [string, readonly Column[], AnyRow, AnyRow][] = [
    [
      'no element and NULL inside of a record',
      [column('r', 'RECORD', 'NULLABLE', [column('l', 'STRING', 'REPEATED')])],
      { r: null },
      { r: { l: [] } },
    ],
    [
      'a record without values and none',
      [column('r', 'RECORD', 'NULLABLE', [column('x', 'INT64')])],
      { r: null },
      { r: { x: null } },
    ],
    ['one element or two', [column('l', 'STRING', 'REPEATED')], { l: ['a', 'b'] }, { l: ['a1:b'] }],
    ['the order of elements', [column('l', 'INT64', 'REPEATED')], { l: [1n, 2n] }, { l: [2n, 1n] }],
    [
      'which of two lists',
      [column('l', 'INT64', 'REPEATED'), column('m', 'INT64', 'REPEATED')],
      { l: [1n], m: [] },
      { l: [], m: [1n] },
    ],
    ['the column of a value', [column('a', 'INT64'), column('b', 'INT64')], { a: 1n, b: null }, { a: null, b: 1n }],
    ['digits of two numbers', [column('a', 'INT64'), column('b', 'INT64')], { a: 1n, b: 23n }, { a: 12n, b: 3n }],
    ['microseconds', [column('a', 'TIMESTAMP')], { a: '2024-01-01T00:00:00Z' }, { a: '2024-01-01T00:00:00.000001Z' }],
    ['bytes', [column('a', 'BYTES')], { a: new Uint8Array([0]) }, { a: new Uint8Array([0, 0]) }],
    ['the last bit of a FLOAT64', [column('a', 'FLOAT64')], { a: 0.1 }, { a: 0.10000000000000002 }],
    ['infinities', [column('a', 'FLOAT64')], { a: Infinity }, { a: -Infinity }],
    ['NaN and NULL', [column('a', 'FLOAT64')], { a: Number.NaN }, { a: null }],
  ]
  test.each(lists)('%s', async (_, columns, one, other) => {
    expect(await hashOf(columns, [one])).not.toBe(await hashOf(columns, [other]))
  })

  test('two pairs of rows that stand twice are not two others that do', async () => {
    const columns = [column('a', 'INT64')]
    const twice = (a: bigint, b: bigint) => [{ a }, { a }, { a: b }, { a: b }]
    expect(await spoolHash(columns, twice(1n, 2n))).not.toBe(await spoolHash(columns, twice(3n, 4n)))
  })

  test('-0 is 0, as it is for every comparison', async () => {
    const columns = [column('a', 'FLOAT64')]
    expect(await hashOf(columns, [{ a: -0 }])).toBe(await hashOf(columns, [{ a: 0 }]))
  })
})

test('a table of many columns', async () => {
  const columns = Array.from({ length: 300 }, (_, index) => column(`c${index}`, 'STRING'))
  await hashOf(columns, [Object.fromEntries(columns.map(({ name }) => [name, name]))])
})

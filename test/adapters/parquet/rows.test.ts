import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import * as fc from 'fast-check'
import { bq, row } from 'nais-etl'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createSpool } from '../../../src/adapters/duckdb/spool.ts'
import { doubleText } from '../../../src/adapters/parquet/double.ts'
import { rowEncoder } from '../../../src/adapters/parquet/encode.ts'
import { openRows } from '../../../src/adapters/parquet/rows.ts'
import { Sink } from '../../../src/adapters/parquet/sink.ts'
import type { AnyRow, Column } from '../../../src/domain/column.ts'
import { isDate, isDatetime, isDecimal, isTime, isTimestamp } from '../../../src/domain/text.ts'
import type { Field } from '../../../src/googlesql/field.ts'
import { anyValueOf } from '../../support/values.ts'

const Everything = row({
  text: z.string(),
  whole: z.int(),
  big: bq.int64().nullable(),
  number: z.number(),
  flag: z.boolean().nullable(),
  numeric: bq.numeric(),
  bignumeric: bq.bignumeric().nullable(),
  at: bq.timestamp(),
  local: bq.datetime(),
  day: z.iso.date(),
  time: bq.time(),
  bytes: bq.bytes().nullable(),
  json: bq.json(),
  place: bq.geography().nullable(),
  tags: z.array(z.string()),
  amounts: z.array(bq.numeric()),
})

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rows-test-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const asIs = (columns: readonly Column[], options = {}) => openRows(columns, { directory, ...options })
const byDuck = (columns: readonly Column[]) => createSpool({ directory }).open(columns)

async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return (await connection.runAndReadAll(sql)).getRowsJson() as unknown[][]
}

/** The hash, and what another's reader finds in the files. */
async function kept(opened: ReturnType<typeof openRows>, columns: readonly Column[], rows: readonly AnyRow[]) {
  const writer = await opened
  try {
    await writer.write(rows)
    const { files, contentHash } = await writer.finish()
    const names = columns.map(({ name, type }) => (type === 'BYTES' ? `hex(${name})` : `"${name}"`))
    const found =
      files.length === 0 ? [] : await query(`SELECT ${names.join(', ')} FROM read_parquet([${files.map(file => `'${file}'`)}])`)
    return { contentHash, found }
  } finally {
    await writer.discard()
  }
}

test('rows of any values are those that DuckDB writes, with the same hash', async () => {
  const { columns } = Everything
  const values = fc.record(Object.fromEntries(columns.map(column => [column.name, anyValueOf(column as Field)])), {
    noNullPrototype: true,
  })
  const awkward: fc.Arbitrary<AnyRow> = fc.record({
    numeric: fc.constantFrom(
      '-0',
      '.5',
      '1.',
      '-00.100',
      '999999999999.999999999',
      '-1000000000000',
      '-99999999999999999999999999999.999999999',
      '-4.194304',
      '0.000000001',
    ),
    bignumeric: fc.constantFrom('-0.0', '1.50', '.5', null),
    at: fc.constantFrom(
      '1969-12-31T23:59:59.999999Z',
      '1969-12-31T23:59:58.5Z',
      '1970-01-01T00:00:00.000001Z',
      '2255-06-05T23:47:34.740993Z',
      '0001-01-01T00:00:00Z',
      '2024-02-29T12:00:00.1Z',
    ),
    text: fc.constantFrom('', 'æøå', '€', '🦊', 'x'.repeat(63), 'ø'.repeat(64), '\0', '߿ࠀ'),
    number: fc.constantFrom(
      -0,
      0.1,
      1e15,
      1e16,
      1e17,
      123456789012345680,
      1e-4,
      1e-5,
      1_580_246_899_329 / 128,
      2 ** -17 + 1,
      5e-324,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ),
    whole: fc.constantFrom(-0, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 31, -(2 ** 31) - 1, 999_999_999, 1_000_000_000),
  })
  const rows = fc
    .tuple(values, awkward, fc.boolean())
    .map(
      ([one, other, isAwkward]) =>
        (isAwkward ? { ...one, ...other } : { ...one, whole: Number(BigInt.asIntN(50, one.whole as bigint)) }) as AnyRow,
    )
  await fc.assert(
    fc.asyncProperty(fc.array(rows, { maxLength: 40 }), async list => {
      expect(await kept(asIs(columns), columns, list)).toEqual(await kept(byDuck(columns), columns, list))
    }),
    { numRuns: 12 },
  )
})

test('a double has the text that C gives it, also in the very middle of two', async () => {
  const middles = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 2 ** 20 }))
    .map(([bits, odd]) => (10 ** (18 - bits) / 2 + odd * 2 + 1) / 2 ** bits)
  const doubles = fc.sample(
    fc.oneof(
      fc.double(),
      middles,
      fc.integer().map(value => value / 1000),
    ),
    2000,
  )
  const texts = await query(`SELECT printf('%.17g', unnest([${doubles.map(value => `'${value}'::DOUBLE`)}]))`)
  const same = doubles.filter(value => value !== 0 && Number.isFinite(value)).map(value => [doubleText(value)])
  expect(same).toEqual(texts.filter((_, index) => doubles[index] !== 0 && Number.isFinite(doubles[index])))
})

describe('of several pages and parts', () => {
  const { columns } = row({ id: z.int(), text: z.string().nullable(), tags: z.array(z.string()) })
  const rows = Array.from({ length: 100_000 }, (_, id) => ({
    id,
    text: id % 3 === 0 ? null : `${id} ${Math.sin(id)}`,
    tags: ['a', 'b'].slice(id % 3),
  }))

  test('every row is in one of them, and the hash is that of all, in any order', async () => {
    const writer = await asIs(columns, { partBytes: 1024 * 1024 })
    for (let start = 0; start < rows.length; start += 3000) await writer.write(rows.slice(start, start + 3000))
    const made = await writer.finish()
    expect(made.files.length).toBeGreaterThan(2)
    for (const file of made.files) expect((await stat(file)).size).toBeLessThan(1024 * 1024)
    expect(
      await query(
        `SELECT count(*), count(DISTINCT id), sum(id)::BIGINT, count("text"), sum(len(tags))::BIGINT FROM read_parquet([${made.files.map(file => `'${file}'`)}])`,
      ),
    ).toEqual([['100000', '100000', '4999950000', '66666', '100001']])
    const other = await byDuck(columns)
    await other.write([...rows].reverse())
    expect(made).toMatchObject({ rows: 100_000, contentHash: (await other.finish()).contentHash })
    await Promise.all([writer.discard(), other.discard()])
    expect(await readdir(directory)).toEqual([])
  })

  test('a value without a place is told with its row of the whole result, and nothing stays', async () => {
    const writer = await asIs(columns)
    await writer.write(rows.slice(0, 20_000))
    for (const [change, message] of [
      [{ id: 1.5 }, 'id: expected a whole number of 64 bits (a number beyond 2^53 is no longer exact: use bq.int64()), got 1.5.'],
      [{ text: 'a\ud800' }, 'text: expected text of whole characters, got "a\\ud800".'],
      [{ tags: null }, 'tags: expected an array, got null.'],
      [{ tags: ['a', null] }, 'tags[1]: expected text of whole characters, got null.'],
      [
        { id: null },
        'id: expected a whole number of 64 bits (a number beyond 2^53 is no longer exact: use bq.int64()), got null.',
      ],
    ] as const)
      await expect(writer.write([{ ...rows[0], ...change } as unknown as AnyRow])).rejects.toMatchObject({
        kind: 'row',
        message: `row 20001 of the result › ${message}`,
      })
    await writer.discard()
    await writer.discard()
    expect(await readdir(directory)).toEqual([])
  })

  test('a value of personal data is not shown', async () => {
    const writer = await asIs(
      row({ fnr: z.string().meta({ pii: 'direct' }), list: z.array(z.int().meta({ pii: 'direct' })) }).columns,
    )
    await expect(writer.write([{ fnr: '01017012345\ud800', list: [] }])).rejects.toThrow(
      'fnr: expected text of whole characters, got a string.',
    )
    await expect(writer.write([{ fnr: '', list: ['01017012345'] }])).rejects.toThrow(
      /list\[0\]: expected a whole number .*, got a string\.$/,
    )
    await writer.discard()
  })
})

test('long values and a thousand columns are written in pages of few rows', async () => {
  const wide = Array.from(
    { length: 1000 },
    (_, index): Column => ({ name: `c${index}`, type: 'STRING', mode: index % 2 === 0 ? 'NULLABLE' : 'REPEATED', rules: [] }),
  )
  const one = Object.fromEntries(wide.map(({ name, mode }) => [name, mode === 'REPEATED' ? ['a', 'b'] : null]))
  expect(
    (
      await kept(
        asIs(wide),
        [wide[0] as Column],
        Array.from({ length: 200 }, () => one),
      )
    ).found,
  ).toHaveLength(200)
  const { columns } = row({ id: z.int(), text: z.string() })
  const long = Array.from({ length: 200 }, (_, id) => ({ id, text: `${id} `.repeat(30_000) }))
  const writer = await asIs(columns)
  await writer.write(long)
  const { files } = await writer.finish()
  expect(
    await query(`SELECT count(*), sum(length("text"))::BIGINT FROM read_parquet([${files.map(file => `'${file}'`)}])`),
  ).toEqual([['200', String(long.reduce((sum, { text }) => sum + text.length, 0))]])
  await writer.discard()
})

test('no row is no file', async () => {
  const writer = await asIs(Everything.columns)
  expect(await writer.finish()).toEqual({ files: [], rows: 0, contentHash: '2p-0-0-0' })
  await writer.discard()
})

test('a folder that is none has a sentence', async () => {
  await expect(openRows(Everything.columns, { directory: '/dev/null/x' })).rejects.toMatchObject({ kind: 'config' })
})

test('a text has a place in its column exactly if domain/text.ts says so', async () => {
  const types = {
    TIMESTAMP: isTimestamp,
    DATETIME: isDatetime,
    DATE: isDate,
    TIME: isTime,
    NUMERIC: (text: string) => isDecimal(text, 29, 9),
    STRING: (text: string) => text.isWellFormed(),
  }
  const texts = fc.oneof(
    fc.constantFrom('2024-02-29T23:59:59.999999Z', '2023-02-29T00:00:00Z', '9999-12-31', '0000-01-01', '06:30:00.1', '-12.50'),
    fc.constantFrom('24:00:00', '2024-01-31T06:30:00.', '2024-01-31T06:30:00.1234567', '-', '.', '1e5', '0'.repeat(40), ''),
    fc.stringMatching(/^-?\d{0,31}(\.\d{0,11})?$/),
  )
  const changed = fc
    .tuple(texts, fc.nat(30), fc.constantFrom('', '0', '9', '-', 'T', ':', '.', 'Z', ' ', '\ud800', 'é', '١'))
    .map(([text, at, sign]) => text.slice(0, at) + sign + text.slice(at + (sign === '' ? 0 : 1)))
  await fc.assert(
    fc.property(fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[])), changed, (type, text) => {
      const encode = rowEncoder([{ name: 'x', type, mode: 'REQUIRED', rules: [] }])
      const write = () => encode({ x: text }, [new Sink(false)])
      if (types[type](text)) write()
      else expect(write).toThrow(`expected `)
    }),
    { numRuns: 5000 },
  )
})

test('much is compressed by a thread, into the same rows; none is left behind', async () => {
  const { columns } = row({ n: z.int(), text: z.string(), list: z.array(z.int()) })
  const list = Array.from({ length: 30_000 }, (_, n) => ({ n, text: `${n}`.repeat(60), list: n % 3 === 0 ? [] : [n, -n] }))
  const writer = await asIs(columns, { partBytes: 6 * 1024 * 1024 })
  await writer.write(list)
  const { files, rows } = await writer.finish()
  expect([rows, files.length]).toEqual([30_000, 2])
  const found = await query(
    `SELECT count(*), count(*) FILTER (text = repeat(n::VARCHAR, 60)), sum(n), sum(list[1] + 1), sum(len(list)) FROM read_parquet([${files.map(file => `'${file}'`)}])`,
  )
  expect(found).toEqual([['30000', '30000', '449985000', '300020000', '40000']])
  await writer.discard()
  expect(await readdir(directory)).toEqual([])
})

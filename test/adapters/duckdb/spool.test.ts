import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { bq, row } from 'nais-etl'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createSpool } from '../../../src/adapters/duckdb/spool.ts'
import type { AnyRow, Column } from '../../../src/domain/column.ts'

const Everything = row({
  text: z.string(),
  whole: z.int(),
  big: bq.int64().nullable(),
  number: z.number(),
  flag: z.boolean(),
  numeric: bq.numeric(),
  bignumeric: bq.bignumeric().nullable(),
  at: bq.timestamp(),
  local: bq.datetime(),
  day: z.iso.date(),
  time: bq.time(),
  bytes: bq.bytes(),
  json: bq.json(),
  inner: z.object({ id: bq.int64(), tags: z.array(z.string()), big: bq.bignumeric() }).nullable(),
  list: z.array(z.object({ day: z.iso.date(), n: bq.numeric().nullable() })),
})

const one: AnyRow = {
  text: "æøå 🦊 \u0000 ' \n",
  whole: -9007199254740991,
  big: 9223372036854775807n,
  number: -0,
  flag: true,
  numeric: '-99999999999999999999999999999.999999999',
  bignumeric: '-12345678901234567890123456789012345678.00000000000000000000000000000000000001',
  at: '1969-12-31T23:59:59.999999Z',
  local: '0001-01-01T00:00:00.000001',
  day: '9999-12-31',
  time: '23:59:59.999999',
  bytes: new Uint8Array([0, 255, 10]),
  json: '{"a":12345678901234567890}',
  inner: { id: -9223372036854775808n, tags: ['x', '', 'y'], big: '1.50' },
  list: [
    { day: '0001-01-01', n: null },
    { day: '2024-02-29', n: '0.000000001' },
  ],
}
const other: AnyRow = {
  ...one,
  big: null,
  bignumeric: null,
  number: Number.NaN,
  at: '9999-12-31T23:59:59.999999Z',
  inner: null,
  list: [],
}

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-test-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function spooled(columns: readonly Column[], pages: readonly (readonly AnyRow[])[], partBytes?: number) {
  const writer = await createSpool({ directory, ...(partBytes === undefined ? {} : { partBytes }) }).open(columns)
  for (const page of pages) await writer.write(page)
  return { writer, spooled: await writer.finish() }
}

async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return (await connection.runAndReadAll(sql)).getRowsJson() as unknown[][]
}

describe('a spool', () => {
  test('keeps every type exactly, nested and repeated too', async () => {
    const { spooled: made } = await spooled(Everything.columns, [[one], [other]])
    expect(made.rows).toBe(2)
    const files = `read_parquet('${made.files[0]}')`
    expect(
      await query(`SELECT text, whole, big, number, flag, numeric, bignumeric, "at", local, day, time FROM ${files}`),
    ).toEqual([
      [
        one.text,
        '-9007199254740991',
        '9223372036854775807',
        -0,
        true,
        one.numeric,
        one.bignumeric,
        '1969-12-31 23:59:59.999999+00',
        '0001-01-01 00:00:00.000001',
        '9999-12-31',
        '23:59:59.999999',
      ],
      [
        one.text,
        '-9007199254740991',
        null,
        'NaN',
        true,
        one.numeric,
        null,
        '9999-12-31 23:59:59.999999+00',
        '0001-01-01 00:00:00.000001',
        '9999-12-31',
        '23:59:59.999999',
      ],
    ])
    expect(await query(`SELECT hex(bytes), json, "inner".id, "inner".tags, "inner".big, list FROM ${files}`)).toEqual([
      [
        '00FF0A',
        one.json,
        '-9223372036854775808',
        ['x', '', 'y'],
        '1.5',
        [
          { day: '0001-01-01', n: null },
          { day: '2024-02-29', n: '0.000000001' },
        ],
      ],
      ['00FF0A', one.json, null, null, null, []],
    ])
  })

  test.each(['NULLABLE', 'REPEATED'] as const)('takes a thousand columns of text, %s', async mode => {
    const wide = Array.from({ length: 1000 }, (_, index): Column => ({ name: `c${index}`, type: 'STRING', mode, rules: [] }))
    const value = mode === 'REPEATED' ? ['a', 'b'] : 'often the same value'
    const row = Object.fromEntries(wide.map(column => [column.name, value]))
    expect((await spooled(wide, [Array.from({ length: 25 }, () => row)])).spooled.rows).toBe(25)
  })

  test('hashes the same rows in any order alike, and any other rows differently', async () => {
    const hashOf = async (rows: readonly AnyRow[]) => (await spooled(Everything.columns, [rows])).spooled.contentHash
    const both = await hashOf([one, other])
    expect(await hashOf([other, one])).toBe(both)
    for (const changed of [
      { text: 'x' },
      { number: 0.1 },
      { big: null },
      { inner: { id: 1n, tags: ['x,y'], big: '1' } },
      { list: [] },
      { bytes: new Uint8Array([0]) },
    ]) {
      expect(await hashOf([{ ...one, ...changed }, other])).not.toBe(both)
    }
    const tags = (values: string[]) => ({ ...one, inner: { id: 1n, tags: values, big: '1' } })
    expect(await hashOf([tags(['a', 'b'])])).not.toBe(await hashOf([tags(['a1:b'])]))
    expect(await hashOf([one, one])).not.toBe(await hashOf([one]))
  })

  test('gives equal numbers of different texts one hash', async () => {
    const columns = row({ n: bq.numeric(), b: bq.bignumeric() }).columns
    const first = await spooled(columns, [[{ n: '1.50', b: '-0.0' }]])
    const second = await spooled(columns, [[{ n: '1.5', b: '0' }]])
    expect(first.spooled.contentHash).toBe(second.spooled.contentHash)
  })

  test('has a hash that does not change between releases', async () => {
    const { spooled: made } = await spooled(Everything.columns, [[one, other]])
    expect(made.contentHash).toMatchInlineSnapshot(`"2-2-680885719087061022-1551457594272890306"`)
  })

  describe('of several parts', () => {
    const columns = row({ id: z.int(), text: z.string() }).columns
    const pages = Array.from({ length: 30 }, (_, page) =>
      Array.from({ length: 20_000 }, (_, index) => ({
        id: page * 20_000 + index,
        text: `${index} ${Math.sin(page * 20_000 + index)}`,
      })),
    )
    const size = 2 * 1024 * 1024

    test('has every row in one of them, and the hash of all', async () => {
      const { spooled: made } = await spooled(columns, pages, size)
      expect(made.files.length).toBeGreaterThan(5)
      const all = `read_parquet([${made.files.map(file => `'${file}'`)}])`
      expect(await query(`SELECT count(*), count(DISTINCT id), sum(id)::BIGINT FROM ${all}`)).toEqual([
        ['600000', '600000', '179999700000'],
      ])
      for (const file of made.files) expect((await stat(file)).size).toBeLessThan(size)
      const { spooled: whole } = await spooled(columns, pages)
      expect(whole.files).toHaveLength(1)
      expect(made).toMatchObject({ rows: 600_000, contentHash: whole.contentHash })
    })

    test('writes each as soon as it is full, and keeps no row of it', async () => {
      const writer = await createSpool({ directory, partBytes: size }).open(columns)
      const [folder = ''] = await readdir(directory)
      const bytes: number[] = []
      for (const page of pages) {
        await writer.write(page)
        bytes.push((await stat(join(directory, folder, 'spool.duckdb'))).size)
      }
      expect((await readdir(join(directory, folder))).filter(name => name.endsWith('.parquet')).length).toBeGreaterThan(5)
      expect(Math.max(...bytes)).toBeLessThan(3 * size)
      await writer.discard()
      expect(await readdir(directory)).toEqual([])
    })

    test('that ends with a part has no empty one', async () => {
      const { spooled: made } = await spooled(columns, [pages[0] ?? []], 1)
      expect(made.rows).toBe(20_000)
      expect(await Promise.all(made.files.map(file => query(`SELECT count(*) FROM '${file}'`)))).not.toContainEqual([['0']])
    })

    test('says the row of the whole result that has no place', async () => {
      const writer = await createSpool({ directory, partBytes: size }).open(columns)
      for (const page of pages) await writer.write(page)
      await expect(writer.write([{ id: 1.5, text: '' }])).rejects.toThrow('row 600001 of the result › id')
      await writer.discard()
      expect(await readdir(directory)).toEqual([])
    })
  })

  // DuckDB works on 2,048 rows at once: of long ones more than its memory holds.
  test.each([1, 400])('takes long values behind short ones, %i a page, in parts that it can hold', async page => {
    const columns = row({ id: z.int(), text: z.string() }).columns
    const long = Array.from({ length: 400 }, (_, id) => ({ id, text: `${id} `.repeat(60_000) }))
    const short = Array.from({ length: 2000 }, (_, index) => ({ id: 400 + index, text: 'short' }))
    const pages = Array.from({ length: 400 / page }, (_, index) => long.slice(index * page, (index + 1) * page))
    const { spooled: made } = await spooled(columns, [short, ...pages])
    expect(await query(`SELECT count(*), sum(id)::BIGINT FROM read_parquet([${made.files.map(file => `'${file}'`)}])`)).toEqual([
      ['2400', '2878800'],
    ])
  })

  test('without rows has no file', async () => {
    const { spooled: made } = await spooled(Everything.columns, [])
    expect(made).toEqual({ files: [], rows: 0, contentHash: '2-0-0-0' })
  })

  test('leaves nothing behind once it is discarded, also twice and in the middle', async () => {
    const { writer } = await spooled(Everything.columns, [[one]])
    await writer.discard()
    await writer.discard()
    const second = await createSpool({ directory }).open(Everything.columns)
    await second.write([one])
    await second.discard()
    expect(await readdir(directory)).toEqual([])
  })
})

describe('a spool that can not be opened', () => {
  /** Files of this process that are open in the folder, deleted ones too: only Linux tells them. */
  const openFiles = () =>
    readdirSync('/proc/self/fd').filter(name => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`).startsWith(directory)
      } catch {
        return false
      }
    })
  const column = (name: string): Column => ({ name, type: 'STRING', mode: 'NULLABLE', rules: [] })

  test('leaves no folder behind, whatever it was that failed', async () => {
    const broken: Column = {
      ...column('r'),
      type: 'RECORD',
      get fields(): readonly Column[] {
        throw new Error('broken')
      },
    }
    await expect(createSpool({ directory }).open([broken])).rejects.toMatchObject({ kind: 'bug' })
    await expect(createSpool({ directory }).open([column('a'), column('A')])).rejects.toMatchObject({ kind: 'bug' })
    expect(await readdir(directory)).toEqual([])
  })

  test.skipIf(process.platform !== 'linux')('nor an open file', async () => {
    const writer = await createSpool({ directory }).open([column('a')])
    expect(openFiles()).not.toEqual([])
    await writer.discard()
    await expect(createSpool({ directory }).open([column('a'), column('A')])).rejects.toMatchObject({ kind: 'bug' })
    expect(openFiles()).toEqual([])
  })
})

describe('a value without a place in its column', () => {
  const columns = row({
    n: bq.int64(),
    fnr: z.string().meta({ pii: 'direct' }),
    marked: z.object({ inner: z.object({ at: bq.timestamp() }).nullable() }).meta({ pii: 'direct' }),
    holds: z.object({ open: bq.timestamp(), closed: z.string().meta({ pii: 'direct' }) }).nullable(),
    list: z.array(z.object({ at: bq.timestamp() })),
  }).columns
  const good: AnyRow = { n: 1n, fnr: '01017012345', marked: { inner: null }, holds: null, list: [] }

  test.each([
    [
      { n: 2n ** 63n },
      'row 3 of the result › n: expected a whole number of 64 bits (a number beyond 2^53 is no longer exact: use bq.int64()), got 9223372036854775808.',
    ],
    [
      { n: 1.5 },
      'row 3 of the result › n: expected a whole number of 64 bits (a number beyond 2^53 is no longer exact: use bq.int64()), got 1.5.',
    ],
    [
      { n: null },
      'row 3 of the result › n: expected a whole number of 64 bits (a number beyond 2^53 is no longer exact: use bq.int64()), got null.',
    ],
    [
      { marked: { inner: { at: '01017012345' } } },
      'row 3 of the result › marked.inner.at: expected a TIMESTAMP as text in UTC with at most six fraction digits, got a string.',
    ],
    [{ marked: { inner: '01017012345' } }, 'row 3 of the result › marked.inner: expected an object, got a string.'],
    [{ holds: '01017012345' }, 'row 3 of the result › holds: expected an object, got a string.'],
    [
      { holds: { open: 'x', closed: '' } },
      'row 3 of the result › holds.open: expected a TIMESTAMP as text in UTC with at most six fraction digits, got "x".',
    ],
    [{ fnr: '01017012345\ud800' }, 'row 3 of the result › fnr: expected text of whole characters, got a string.'],
    [
      { list: [{ at: '2024-01-01T00:00:00Z' }, { at: '2024-01-01T00:00:00.1234567Z' }] },
      'row 3 of the result › list[1].at: expected a TIMESTAMP as text in UTC with at most six fraction digits, got "2024-01-01T00:00:00.1234567Z".',
    ],
    [{ list: null }, 'row 3 of the result › list: expected an array, got null.'],
  ] as const)('case %# is refused with its row and column', async (change, message) => {
    const writer = await createSpool({ directory }).open(columns)
    await writer.write([good, good])
    await expect(writer.write([{ ...good, ...change } as AnyRow])).rejects.toThrow(
      expect.objectContaining({ kind: 'row', message }),
    )
    await writer.discard()
  })
})

import { readFileSync } from 'node:fs'
import { bq, row } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { arrowBatch, arrowSchema } from '../../../../src/adapters/bigquery/storage/arrow.ts'
import { rowReader } from '../../../../src/adapters/bigquery/storage/vectors.ts'
import { checkRows } from '../../../../src/domain/check.ts'

// Made by Arrow's own library: batch.py.
const made = JSON.parse(readFileSync(new URL('batch.json', import.meta.url), 'utf8')) as Record<string, string>
const bytes = (name: string) => Buffer.from(made[name] ?? '', 'base64')
const schema = arrowSchema(bytes('schema'))

const Every = row({
  // In another order than the batch has them.
  y: bq.bytes().nullable(),
  s: z.string().nullable(),
  i: z.int().nullable(),
  big: bq.int64().nullable(),
  f: z.number().nullable(),
  b: z.boolean().nullable(),
  n: bq.numeric().nullable(),
  bn: bq.bignumeric().nullable(),
  d: z.iso.date().nullable(),
  t: bq.time().nullable(),
  ts: bq.timestamp().nullable(),
  dt: bq.datetime().nullable(),
  j: bq.json().nullable(),
  l: z.array(z.string()),
  r: z.object({ id: z.int().nullable(), tags: z.array(bq.int64()) }).nullable(),
  e: z.array(z.object({ x: z.iso.date().nullable() })),
})

const rows = [
  {
    y: new Uint8Array(),
    s: '',
    i: 9007199254740991,
    big: 9223372036854775807n,
    f: Number.NaN,
    b: true,
    n: `${'9'.repeat(29)}.${'9'.repeat(9)}`,
    bn: `${'9'.repeat(38)}.${'9'.repeat(38)}`,
    d: '0001-01-01',
    t: '00:00:00',
    ts: '0001-01-01T00:00:00.000001Z',
    dt: '0001-01-01T00:00:00.000001',
    j: '{"a":12345678901234567890}',
    l: ['a', 'b'],
    r: { id: 1, tags: [2n, 3n] },
    e: [{ x: '2024-01-01' }, { x: null }],
  },
  {
    y: new Uint8Array([0, 255, 10]),
    s: 'æøå 👩‍👩‍👧‍👦',
    i: -9007199254740991,
    big: -9223372036854775808n,
    f: -0,
    b: false,
    n: '-0.000000001',
    bn: `-0.${'0'.repeat(37)}1`,
    d: '9999-12-31',
    t: '23:59:59.999999',
    ts: '9999-12-31T23:59:59.999999Z',
    dt: '9999-12-31T23:59:59.999999',
    j: 'null',
    l: [],
    r: { id: null, tags: [] },
    e: [],
  },
  { ...Object.fromEntries(Every.columns.map(({ name }) => [name, null])), l: [], e: [] },
  {
    y: new Uint8Array([97]),
    s: 'a\u0000b',
    i: 0,
    big: 9007199254740993n,
    f: 5e-324,
    b: false,
    n: '100',
    bn: '0',
    d: '1969-12-31',
    t: '06:30:00.000001',
    ts: '1969-12-31T23:59:59.500000Z',
    dt: '1969-12-31T23:59:59.500000',
    j: '1',
    l: ['c'],
    r: { id: 4, tags: [] },
    e: [],
  },
  {
    y: new Uint8Array([98]),
    s: 'dev-gcp',
    i: -1,
    big: -1n,
    f: Number.NEGATIVE_INFINITY,
    b: true,
    n: '-12.5',
    bn: '-1.5',
    d: '2024-02-29',
    t: '06:05:04',
    ts: '2024-01-31T06:30:00Z',
    dt: '2024-01-31T06:30:00',
    j: '[]',
    l: [''],
    r: { id: 5, tags: [6n] },
    e: [{ x: '2024-01-02' }],
  },
]

describe('a record batch', () => {
  test('becomes rows in the order and with the values of the row schema', () => {
    const take = rowReader(Every.columns, schema)(arrowBatch(bytes('batch'))).rows
    expect(take(0, 5)).toStrictEqual(rows)
    expect(take(1, 3)).toStrictEqual(rows.slice(1, 3))
  })

  test('may begin in the middle of what it was cut from, and wherever it lies in memory', () => {
    const shifted = Buffer.concat([Buffer.from([0]), bytes('half')]).subarray(1)
    expect(rowReader(Every.columns, schema)(arrowBatch(shifted)).rows(0, 2)).toStrictEqual(rows.slice(3))
  })

  test('may have columns that nobody reads', () => {
    const { d, l } = Every.shape
    const take = rowReader(row({ l, d }).columns, schema)(arrowBatch(bytes('batch'))).rows
    expect(take(0, 1)).toStrictEqual([{ l: ['a', 'b'], d: '0001-01-01' }])
  })

  test('rounds a whole number beyond 2^53 in a column of numbers, so that the row schema refuses it', () => {
    const take = rowReader(row({ big: z.int() }).columns, schema)(arrowBatch(bytes('batch'))).rows
    expect(take(0, 4).map(({ big }) => big)).toEqual([2 ** 63, -(2 ** 63), null, 2 ** 53])
  })

  test.each([
    ['a column that is not there', row({ x: z.string() }), 'no column x'],
    ['a column of another type', row({ s: z.int() }), 'a INT64 column as utf8'],
    ['a list where one value was meant', row({ l: z.string() }), 'l as list'],
    ['a field that is not there', row({ r: z.object({ other: z.string() }) }), 'no field other'],
  ])('with %s is refused before any row', (_, wanted, sentence) => {
    expect(() => rowReader(wanted.columns, schema)).toThrow(new RangeError(sentence))
  })

  test('is not taken for a schema, nor garbage for either', () => {
    expect(() => arrowSchema(bytes('batch'))).toThrow(RangeError)
    expect(() => arrowBatch(Buffer.alloc(64, 7))).toThrow(RangeError)
  })
})

describe('what the rows of a batch are known to be', () => {
  const known = ({ columns }: Pick<typeof Every, 'columns'>, from = 0, to = 5) => {
    const taken = rowReader(columns, schema)(arrowBatch(bytes('batch')))
    taken.rows(from, to)
    return taken.isTyped()
  }
  const { y, s, i, big, f, b, n, d, t, ts, dt, l, r, e } = Every.shape

  test('all of their columns’ types, NULL where it may be', () => {
    expect(known(row({ y, s, i, big, f, b, n, d, t, ts, dt, l, r, e }))).toBe(true)
  })

  test('nothing, where NULL stands in a column that is required: the check finds the row', () => {
    const wanted = row({ d, s: z.string() })
    const taken = rowReader(wanted.columns, schema)(arrowBatch(bytes('batch')))
    const page = taken.rows(0, 5)
    expect(taken.isTyped()).toBe(false)
    expect(() => checkRows(wanted, page)).toThrow(/row 3 › s: expected string, got null/)
  })

  test('nothing, from the first whole number on that no number holds', () => {
    expect([known(row({ big: z.int().nullable() }), 2, 3), known(row({ big: z.int().nullable() }))]).toEqual([true, false])
  })

  test('nothing of JSON, and of BIGNUMERIC, whose last digit a row schema does not have', () => {
    expect([known(row({ j: Every.shape.j })), known(row({ bn: Every.shape.bn }))]).toEqual([false, false])
  })
})

test('texts of every length are told apart, also those that differ in one byte alone', () => {
  const texts = Array.from({ length: 45 }, (_, length) => [
    'x'.repeat(length),
    ...Array.from({ length }, (_, at) => `${'x'.repeat(at)}y${'x'.repeat(length - at - 1)}`),
  ]).flat()
  expect(taken([...texts, ...texts])).toEqual([...texts, ...texts])
})

test('a column of few texts and one of many give the same as each text by itself', () => {
  const texts = Array.from({ length: 50_000 }, (_, at) => (at % 3 === 0 ? `cluster-${at % 7}` : `${'x'.repeat(at % 60)}${at}`))
  expect(taken(texts)).toEqual(texts)
})

/** ASCII texts as a column of one batch, decoded. */
function taken(texts: readonly string[]): unknown[] {
  const data = Buffer.from(texts.join(''))
  const offsets = new Int32Array(texts.length + 1)
  for (const [at, text] of texts.entries()) offsets[at + 1] = (offsets[at] as number) + text.length
  const take = rowReader(row({ s: z.string() }).columns, [{ name: 's', form: 'utf8', scale: 0, children: [] }])({
    rows: texts.length,
    nodes: [{ length: texts.length, nulls: 0 }],
    buffers: [new Uint8Array(), new Uint8Array(offsets.buffer), data],
  }).rows
  return take(0, texts.length).map(({ s }) => s)
}

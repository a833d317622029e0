import * as fc from 'fast-check'
import { bq, row } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { checkRows, duplicateKey, promised } from '../../src/domain/check.ts'
import type { AnyRow } from '../../src/domain/column.ts'
import type { RowSchema } from '../../src/domain/row.ts'
import { rowsOf } from '../../src/testing/generate.ts'

const Every = row({
  text: z.string(),
  few: z.string().min(2).max(3),
  most: z.string().max(2),
  choice: z.enum(['a', 'b']).nullable(),
  one: z.literal('x').optional(),
  code: z.string().regex(/^[A-Z]+$/),
  address: z.email().nullable(),
  whole: z.int().nullish(),
  positive: z.int().positive(),
  share: z.number(),
  part: z.number().min(0).max(1),
  flag: z.boolean(),
  large: bq.int64(),
  amount: bq.numeric(),
  day: z.iso.date().nullable(),
  clock: z.iso.time(),
  at: bq.timestamp(),
  raw: bq.bytes(),
  json: bq.json(),
  person: z.object({ name: z.string().nullable(), born: z.iso.date() }).nullable(),
  list: z.array(z.object({ tag: z.string(), n: z.int().optional() })),
  tags: z.array(z.string().max(1)),
})
const good = {
  text: '',
  few: 'ab',
  most: '😀😀',
  choice: null,
  one: 'x',
  code: 'A',
  address: 'a@b.no',
  whole: null,
  positive: 1,
  share: Number.NaN,
  part: 0,
  flag: false,
  large: -(2n ** 63n),
  amount: '0.1',
  day: '2024-02-29',
  clock: '06:30:00',
  at: '1969-12-31T23:59:59.999999Z',
  raw: new Uint8Array([1]),
  json: '{"a":9007199254740993}',
  person: { name: null, born: '2000-01-01' },
  list: [{ tag: '', n: 1 }],
  tags: ['😀'],
}

describe('a row that fits', () => {
  test('passes as it is', () => {
    const [checked] = checkRows(Every, [good])
    expect(checked).toBe(good)
  })

  test('loses what the schema does not name, and absent nullable columns become null', () => {
    const { choice: _, one: __, person: ___, ...rest } = good
    const loose = { ...rest, more: 1, person: { born: '2000-01-01', more: 1 }, list: [{ tag: 'x' }] }
    expect(checkRows(Every, [loose])).toStrictEqual([
      { ...good, choice: null, one: null, person: { name: null, born: '2000-01-01' }, list: [{ tag: 'x', n: null }] },
    ])
    expect(loose.more).toBe(1)
  })

  test('is decided as zod decides, whatever is changed in it', async () => {
    const names = Object.keys(good)
    const strange = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true }),
      fc.constantFrom(
        ...Object.values(good),
        undefined,
        null,
        'ab',
        '2022-20-01',
        '0000-01-01',
        '06:30',
        'x@y.no',
        '\ud800',
        '😀'.repeat(3),
        2 ** 53,
        -0,
        0.5,
        Number.POSITIVE_INFINITY,
        2n ** 63n,
        '1e5',
        [null],
        [undefined],
        {},
        [[]],
      ),
    )
    const changed = fc
      .tuple(rowsOf(Every, { maxLength: 1 }), fc.constantFrom(...names, 'more'), strange, fc.boolean())
      .map(([rows, name, value, absent]) => {
        const each: Record<string, unknown> = { ...(rows[0] ?? good), [name]: value }
        if (absent) delete each[name]
        return each
      })
    await fc.assert(
      fc.property(changed, each => {
        const zod = Every.zod.safeParse(each)
        // Cloned: zod makes plain objects of those without a prototype.
        if (zod.success) expect(structuredClone(checkRows(Every, [each]))).toStrictEqual(structuredClone([zod.data]))
        else expect(() => checkRows(Every, [each])).toThrow(/^row 1 › \w/)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('what is known of a row is not asked again', () => {
  test('of values of their type only the rules of the author', async () => {
    const known = { isTyped: true }
    for (const change of [{ few: 'x' }, { choice: 'c' }, { code: 'a' }, { positive: 0 }, { part: 2 }, { tags: ['xx'] }]) {
      const bad = { ...good, ...change }
      expect(() => checkRows(Every, [bad], known)).toThrow(sentenceOf(bad))
    }
    await fc.assert(
      fc.property(rowsOf(Every, { maxLength: 3 }), rows => {
        expect(outcome(() => checkRows(Every, rows, known))).toStrictEqual(outcome(() => checkRows(Every, rows)))
      }),
    )
  })

  const From = row({ ...Every.shape, few: z.string(), share: z.int(), flag: z.boolean().nullable(), more: z.string() })
  const origin = { ...good, share: 1, more: '' }
  const from = (schema: RowSchema, ...rows: AnyRow[]) => ({ row: schema, rows, before: rows.map(promised(schema)) })

  test.each<[string, Record<string, unknown>]>([
    ['a value that is another', { code: 'a' }],
    ['a column that promises more than its source', { few: 'x' }],
    ['a column that can not be NULL', { flag: null }],
    ['a list, which can have been changed', { tags: ['xx'] }],
    ['bytes, which are an object', { raw: 'x' }],
  ])('of a row made from another, %s is', (_, change) => {
    const bad = { ...good, ...change }
    // What the source has is what is returned.
    const madeFrom = from(From, { ...origin, ...change, code: 'A' } as AnyRow)
    expect(() => checkRows(Every, [bad], { madeFrom })).toThrow(sentenceOf(bad))
  })

  test('nor does a list become one value', () => {
    const Lists = row({ few: z.array(z.string()) })
    const One = row({ few: z.string().nullable() })
    const few = ['x']
    expect(() => checkRows(One, [{ few }], { madeFrom: from(Lists, { few }) })).toThrow('row 1 › few: expected string')
  })

  test('and what was taken over is not', () => {
    // Nobody gives such a row: what is not looked at is seen by what is wrong with it.
    const strange = { ...good, code: 'a', choice: 'c' }
    const madeFrom = from(From, { ...origin, code: 'a', choice: 'c' })
    expect(checkRows(Every, [strange], { madeFrom })).toStrictEqual([strange])
    expect(() => checkRows(Every, [madeFrom.rows[0]], { madeFrom })).toThrow(/^row 1 › /)
  })

  test('what the function changed in the row itself, and then took over, is', () => {
    for (const change of [{ code: 'a' }, { json: '{' }, { choice: 'c' }]) {
      const given: Record<string, unknown> = { ...origin }
      const madeFrom = from(From, given as AnyRow)
      Object.assign(given, change)
      expect(() => checkRows(Every, [{ ...good, ...change }], { madeFrom })).toThrow(sentenceOf({ ...good, ...change }))
    }
  })

  test('the row is what it would be otherwise', () => {
    const { choice: _, ...loose } = { ...good, unknown: 1 }
    expect(checkRows(Every, [loose, good], { madeFrom: from(From, origin, origin) })).toStrictEqual([good, good])
  })
})

/** What it gives, or the sentence that it throws. */
function outcome(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return (error as Error).message
  }
}

/** What the whole check says of a row that does not fit. */
function sentenceOf(bad: unknown): string {
  const said = outcome(() => checkRows(Every, [bad]))
  if (typeof said !== 'string') throw new Error('it fits')
  return said
}

describe('a row that does not fit says where, what was expected, what stands there and what next', () => {
  const correct = 'Hint: correct the source, or change the row schema'
  const nullable = 'Hint: filter it in the query, or make the column nullable in the row schema'
  test.each([
    [{ text: null }, `row 17 › text: expected string, got null. ${nullable}`],
    [{ text: undefined }, `row 17 › text: expected string, got nothing. ${nullable}`],
    [{ text: 5 }, `row 17 › text: expected string, got number 5. ${correct}`],
    [
      { text: 'a\ud800' },
      `row 17 › text: expected string of well-formed Unicode (no half of a surrogate pair), got "a\\ud800". ${correct}`,
    ],
    [{ few: 'x' }, `row 17 › few: expected string of at least 2 characters and of at most 3 characters, got "x". ${correct}`],
    [
      { most: 'x'.repeat(100) },
      `row 17 › most: expected string of at most 2 characters, got "${'x'.repeat(57)}…" (100 characters). ${correct}`,
    ],
    [{ choice: 'c' }, `row 17 › choice: expected 'a' or 'b', got "c". ${correct}`],
    [{ code: 'a' }, `row 17 › code: expected string that is text like ^[A-Z]+$, got "a". ${correct}`],
    [{ address: 'a' }, `row 17 › address: expected string (Invalid email address), got "a". ${correct}`],
    [{ whole: 2.5 }, `row 17 › whole: expected integer, got number 2.5. ${correct}`],
    [
      { whole: 2 ** 53 },
      'row 17 › whole: expected integer up to 2^53, got 9007199254740992. Hint: use bq.int64(): all 64 bits, as a bigint',
    ],
    [{ positive: 0 }, `row 17 › positive: expected integer above 0, got number 0. ${correct}`],
    [{ part: 1.5 }, `row 17 › part: expected number of at least 0 and of at most 1, got number 1.5. ${correct}`],
    [{ flag: 'true' }, `row 17 › flag: expected boolean, got "true". ${correct}`],
    [{ large: 1 }, `row 17 › large: expected bigint, got number 1. ${correct}`],
    [
      { amount: 1 },
      `row 17 › amount: expected NUMERIC as text (at most 29 digits before the point and 9 after it), got number 1. ${correct}`,
    ],
    [
      { day: '2022-20-01' },
      'row 17 › day: 2022-20-01 is no date (month 20). Did you mean 2022-01-20? Hint: correct the source, or read the column as z.string()',
    ],
    [{ day: new Date(0) }, `row 17 › day: expected date as text, such as '2024-01-31', got Date. ${correct}`],
    [
      { at: '2024-01-31' },
      `row 17 › at: expected timestamp as text, such as '2024-01-31T06:30:00.123456Z', got "2024-01-31". ${correct}`,
    ],
    [{ person: [] }, `row 17 › person: expected record, got array. ${correct}`],
    [{ person: { name: 1, born: '2000-01-01' } }, `row 17 › person.name: expected string, got number 1. ${correct}`],
    [{ list: null }, 'row 17 › list: expected array of record, got null. Hint: an array without elements is []'],
    [{ list: [{ tag: 'x' }, { tag: 'x', n: 'y' }] }, `row 17 › list[1].n: expected integer, got "y". ${correct}`],
    [{ tags: ['a', 'bc'] }, `row 17 › tags[1]: expected string of at most 1 characters, got "bc". ${correct}`],
  ])('%j', (change, sentence) => {
    const rows = [good, { ...good, ...change }]
    expect(() => checkRows(Every, rows, { from: 15 })).toThrow(expect.objectContaining({ kind: 'row', message: sentence }))
  })

  test('also where it is no row at all', () => {
    const Two = row({ a: z.string(), b: z.string() })
    for (const [value, got] of [
      [null, 'null'],
      ['x', 'string'],
      [[], 'array'],
      [undefined, 'nothing'],
    ]) {
      expect(() => checkRows(Two, [value])).toThrow(`row 1: expected a row, got ${got}. Hint: a row is an object with a, b`)
    }
  })
})

describe('a value of personal data is never shown', () => {
  const secret = '01017012345'
  const Person = row(
    {
      fnr: z.string().length(11).meta({ pii: 'direct' }),
      born: z.iso.date().meta({ pii: 'indirect' }),
      number: z.int().meta({ pii: 'direct' }),
      address: z.email().meta({ pii: 'direct' }).nullable(),
      choice: z.enum(['a']).meta({ pii: 'special' }),
      whole: z.object({ inner: z.string().max(3), deep: z.array(z.object({ x: z.int() })) }).meta({ pii: 'direct' }),
      part: z.object({ open: z.string().max(3), closed: z.string().max(3).meta({ pii: 'direct' }) }),
      list: z.array(z.string().max(3).meta({ pii: 'direct' })),
    },
    { key: ['fnr', 'choice'] },
  )
  const fits = {
    fnr: secret,
    born: '2000-01-01',
    number: 1,
    address: null,
    choice: 'a',
    whole: { inner: '', deep: [] },
    part: { open: '', closed: '' },
    list: [],
  }

  test.each([
    [{ fnr: `${secret}9` }],
    [{ fnr: Number(secret) }],
    [{ fnr: [secret] }],
    [{ born: secret }],
    [{ born: '2000-31-12' }],
    [{ number: secret }],
    [{ number: 10170123459999998 * 2 }],
    [{ address: secret }],
    [{ choice: secret }],
    [{ whole: secret }],
    [{ whole: [secret] }],
    [{ whole: { inner: secret, deep: [] } }],
    [{ whole: { inner: '', deep: [{ x: secret }] } }],
    [{ whole: { inner: '', deep: secret } }],
    [{ part: secret }],
    [{ part: { open: '', closed: secret } }],
    [{ list: ['', secret] }],
    [{ list: secret }],
  ])('%j', change => {
    expect(() => checkRows(Person, [{ ...fits, ...change }])).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/010170|1017|2000-|12-31/) }),
    )
  })

  test('nor by a sentence of the author that quotes it', () => {
    const quoting = { error: (issue: { input?: unknown }) => `bad: ${JSON.stringify(issue.input)}` }
    const field = z.email(quoting)
    const said = (schema: Parameters<typeof checkRows>[0], value: unknown) => {
      try {
        checkRows(schema, [{ x: value }])
      } catch (error) {
        return (error as Error).message
      }
      return 'nothing'
    }
    expect(said(row({ x: field }), secret)).toContain(`(bad: "${secret}")`)
    expect(said(row({ x: field.meta({ pii: 'direct' }) }), secret)).toMatch(/^row 1 › x: expected string, got string \(not shown/)
    const marked = z.object({ inner: z.object({ address: field }) }).meta({ pii: 'direct' })
    expect(said(row({ x: marked }), { inner: { address: secret } })).toMatch(
      /^row 1 › x\.inner\.address: expected string, got string \(not/,
    )
  })

  test('nor in a duplicate key', () => {
    expect(() => duplicateKey(Person, [fits, { ...fits }])).toThrow('row 2: has the same key as row 1 (fnr, choice).')
  })

  test('though a null is, and a value beside it', () => {
    expect(() => checkRows(Person, [{ ...fits, fnr: null }])).toThrow(
      'row 1 › fnr: expected string of at least 11 characters and of at most 11 characters, got null.',
    )
    expect(() => checkRows(Person, [{ ...fits, part: { open: 'abcd', closed: '' } }])).toThrow('got "abcd"')
  })
})

describe('the key of a row schema is unique', () => {
  const Keyed = row({ dato: z.iso.date(), amount: bq.numeric(), n: z.int() }, { key: ['dato', 'amount'] })

  test('two rows of one key are refused, as BigQuery compares them', () => {
    const rows = [
      { dato: '2022-01-20', amount: '1', n: 1 },
      { dato: '2022-01-20', amount: '2', n: 1 },
      { dato: '2022-01-20', amount: '1.0', n: 2 },
    ]
    expect(() => duplicateKey(Keyed, rows, { from: 10 })).toThrow(
      expect.objectContaining({
        kind: 'row',
        message: expect.stringContaining('row 13: has the same key as row 11 (dato 2022-01-20, amount 1.0).'),
      }),
    )
    expect(() => duplicateKey(Keyed, rows.slice(0, 2))).not.toThrow()
  })

  test('texts are not joined into one', () => {
    const Two = row({ a: z.string(), b: z.string() }, { key: ['a', 'b'] })
    const rows = [
      { a: 'x\u0000"y', b: 'z' },
      { a: 'x', b: 'y\u0000"z' },
    ]
    expect(() => duplicateKey(Two, rows)).not.toThrow()
  })

  test('a schema without a key allows everything', () => {
    expect(() => duplicateKey(row({ a: z.string() }), [{ a: 'x' }, { a: 'x' }])).not.toThrow()
  })
})

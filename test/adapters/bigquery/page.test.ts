import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pageOf } from '../../../src/adapters/bigquery/page.ts'

const record = (...texts: string[]) => ({ f: texts.map(v => ({ v })) })
const all = (text: string) => [...pageOf(text).parts()].flat()
const head = {
  jobComplete: true,
  schema: { fields: [{ name: 'rows', type: 'RECORD', fields: [{ name: 'f' }] }] },
  totalRows: '9',
}

/** Texts that look like what the rows are cut at. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('},{"f":[', '"rows":[{"f":[', ']}]', ']}],', '\\"', '[{"v":"'),
)
const cell = fc.letrec(tie => ({
  cell: fc.record({ v: fc.oneof(text, fc.constant(null), fc.array(tie('cell'), { maxLength: 3 }), tie('row')) }),
  row: fc.record({ f: fc.array(tie('cell'), { minLength: 1, maxLength: 4 }) }),
}))

test('a page is its rows and the rest, whatever stands in it and in whatever order', () => {
  fc.assert(
    fc.property(fc.array(cell.row, { maxLength: 6 }), fc.boolean(), fc.constantFrom(0, 2), (rows, isFirst, blanks) => {
      const page = isFirst
        ? { rows, ...head, pageToken: 'next' }
        : { ...head, pageToken: 'next', rows, errors: [{ debugInfo: [] }] }
      const { head: rest, count, parts } = pageOf(JSON.stringify(page, null, blanks))
      expect([...parts()].flat()).toEqual(rows)
      expect({ ...rest, rows: undefined }).toEqual({ ...page, rows: undefined })
      expect(count).toBe(rows.length)
    }),
    { numRuns: 500 },
  )
})

test('a large page comes in parts, and knows how long its rows are', () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => record(`x${'y'.repeat(index % 50)}`, '},{"f":['))
  const page = pageOf(JSON.stringify({ ...head, rows, cacheHit: false }))
  expect([...page.parts()].length).toBeGreaterThan(10)
  expect(all(JSON.stringify({ ...head, rows }))).toEqual(rows)
  expect(page).toMatchObject({ count: 20_000, length: JSON.stringify(rows).length - 2 - 19_999, head: { cacheHit: false } })
})

test('a page without rows has none, with or without the word', () => {
  expect([all('{"jobComplete":true,"totalRows":"0"}'), all('{"rows":[],"jobComplete":true}')]).toEqual([[], []])
})

test('a row with a long list of records that end with lists takes no longer for it', () => {
  const list = Array.from({ length: 20_000 }, (_, index) => ({ v: { f: [{ v: `${index}` }, { v: [{ v: 'a' }] }] } }))
  const rows = [{ f: [{ v: list }] }]
  const began = performance.now()
  expect(all(JSON.stringify({ ...head, rows, cacheHit: false }))).toEqual(rows)
  // By trying each end from the front it takes minutes.
  expect(performance.now() - began).toBeLessThan(5000)
})

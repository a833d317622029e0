import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { microsOf, timestampOf } from '../../src/domain/micros.ts'

const first = microsOf('0001-01-01T00:00:00Z')
const last = microsOf('9999-12-31T23:59:59.999999Z')

test('every microsecond of the years 1 to 9999 goes to text and back', async () => {
  await fc.assert(
    fc.property(fc.bigInt({ min: first, max: last }), micros => {
      expect(microsOf(timestampOf(micros))).toBe(micros)
    }),
    { numRuns: 2000 },
  )
})

test('a fraction before 1970 belongs to the second it is written with', () => {
  expect(microsOf('1969-12-31T23:59:59.999999Z')).toBe(-1n)
  expect(timestampOf(-1n)).toBe('1969-12-31T23:59:59.999999Z')
  expect(timestampOf(-1_000_000n)).toBe('1969-12-31T23:59:59Z')
  expect(microsOf('1970-01-01T00:00:00.5Z')).toBe(500_000n)
})

test('the ends are those of BigQuery', () => {
  expect(first).toBe(-62_135_596_800_000_000n)
  expect(last).toBe(253_402_300_799_999_999n)
  expect(() => timestampOf(first - 1n)).toThrow(RangeError)
  expect(() => timestampOf(last + 1n)).toThrow(RangeError)
})

test.each([
  '2022-02-30T00:00:00Z',
  '2022-01-01T24:00:00Z',
  '0000-01-01T00:00:00Z',
  '2022-01-01T00:00:00',
  '2022-01-01T00:00:00.1234567Z',
  '2022-01-01',
])('%s is no timestamp', text => {
  expect(() => microsOf(text)).toThrow(RangeError)
})

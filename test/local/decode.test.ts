import { DuckDBDecimalValue } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import type { Field, FieldType } from '../../src/local/contract.ts'
import { decode, ExactNumber } from '../../src/local/decode.ts'

const field = (type: FieldType): Field => ({ name: 'x', type, mode: 'NULLABLE' })
const read = (type: FieldType, value: string | number | boolean | ExactNumber) => decode(field(type), value, false)

test.each([
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['12.0', 12n],
])('INT64 %s is exact', (text, value) => expect(read('INT64', text)).toBe(value))

test.each([
  ['0.1', 100_000_000n],
  ['-99999999999999999999999999999.999999999', -(10n ** 38n - 1n)],
  ['1e3', 10n ** 12n],
  ['0.0000000005', 1n],
  ['0.00000000049', 0n],
])('NUMERIC %s is scaled exactly, half away from zero', (text, unscaled) =>
  expect(read('NUMERIC', text)).toEqual(new DuckDBDecimalValue(unscaled, 38, 9)),
)

test.each([
  ['1.50', '1.5'],
  ['-0', '0'],
  ['0.00000000000000000000000000000000000001', '0.00000000000000000000000000000000000001'],
  ['578960446186580977117854925043439539266', '578960446186580977117854925043439539266'],
  ['1e-38', '0.00000000000000000000000000000000000001'],
])('BIGNUMERIC %s is kept as %s', (text, kept) => expect(read('BIGNUMERIC', text)).toBe(kept))

test.each<[FieldType, string]>([
  ['INT64', '9223372036854775808'],
  ['NUMERIC', '100000000000000000000000000000'],
  ['BIGNUMERIC', '578960446186580977117854925043439539267000'],
  ['BOOL', 'maybe'],
  ['BYTES', 'å'],
  ['FLOAT64', '1,5'],
])('%s %s is refused', (type, text) => expect(() => read(type, text)).toThrow(/Could not convert value to .*Field: x; Value: /))

test('FLOAT64 knows what has no digits', () => {
  expect(['NaN', 'Infinity', '-inf', '1e400'].map(text => read('FLOAT64', text))).toEqual([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ])
  expect(Object.is(read('FLOAT64', '-0'), -0)).toBe(true)
})

test('JSON keeps its numbers as they were written', () => {
  const value = { a: new ExactNumber('12345678901234567890'), b: [new ExactNumber('1.10'), null, 'x'] }
  expect(decode(field('JSON'), value as never, false)).toBe('{"a":12345678901234567890,"b":[1.10,null,"x"]}')
})

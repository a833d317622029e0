import fc from 'fast-check'
import { unscaled } from '../../src/googlesql/decimal.ts'
import { elementOf, type Field, type Value } from '../../src/googlesql/field.ts'
import { dateOf, datetimeOf, timeOf } from '../../src/googlesql/time.ts'

/** Any value of a column's type, the awkward ones often; NULL where the mode allows it. */
export function anyValueOf(field: Field): fc.Arbitrary<Value> {
  if (field.mode === 'REPEATED') return fc.array(scalarOf(elementOf(field)), { maxLength: 3 })
  return field.mode === 'REQUIRED' ? scalarOf(field) : fc.option(scalarOf(field), { freq: 4 })
}

/** Values that often meet: for comparing, grouping and sorting. */
export function closeValueOf(field: Field): fc.Arbitrary<Value> {
  const few = fewOf[field.type]
  return fc.option(
    few === undefined ? scalarOf(field) : fc.oneof({ arbitrary: fc.constantFrom(...few), weight: 5 }, scalarOf(field)),
    { freq: 5 },
  )
}

function scalarOf(field: Field): fc.Arbitrary<Value> {
  switch (field.type) {
    case 'INT64':
      return fc.oneof(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        fc.bigInt(-5n, 5n),
        fc.constantFrom(2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
      )
    case 'FLOAT64':
      return fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 5e-324, 1.7976931348623157e308))
    case 'BOOL':
      return fc.boolean()
    case 'BYTES':
      return fc.uint8Array({ maxLength: 8 }).map(bytes => new Uint8Array(bytes))
    case 'NUMERIC':
      return fc
        .bigInt(-(10n ** 38n) + 1n, 10n ** 38n - 1n)
        .chain(value => fc.constantFrom(unscaled(value, 9), unscaled(value % 1000n, 9), unscaled((value % 50n) * 10n ** 8n, 9)))
    case 'BIGNUMERIC':
      return fc
        .bigInt(-(2n ** 255n), 2n ** 255n - 1n)
        .chain(value => fc.constantFrom(unscaled(value, 38), unscaled(value % 1000n, 38)))
    case 'DATE':
      return fc.integer({ min: -719_162, max: 2_932_896 }).map(dateOf)
    case 'TIME':
      return fc.bigInt(0n, 86_399_999_999n).map(timeOf)
    case 'DATETIME':
      return moment.map(datetimeOf)
    case 'TIMESTAMP':
      return moment.map(micros => `${datetimeOf(micros)}Z`)
    case 'JSON':
      return fc
        .json({ maxDepth: 2 })
        .map(text => JSON.stringify(JSON.parse(text)))
        .filter(text => isCanonical(text))
    case 'RECORD':
      return fc.record(Object.fromEntries((field.fields ?? []).map(each => [each.name, anyValueOf(each)])), {
        noNullPrototype: true,
      })
    default:
      return fc.string({ unit: 'binary', maxLength: 8 })
  }
}

const moment = fc.oneof(
  fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n),
  fc.bigInt(-2_000_000n, 2_000_000n),
  fc.constantFrom(-62_135_596_800_000_000n, 253_402_300_799_999_999n, -1n, 0n),
)

// The evaluator writes JSON in its own form (sorted keys, numbers in their shortest form): only texts that are already so come back the same.
function isCanonical(text: string): boolean {
  return !/[{\\e.-]|[^\x20-\x7e]|\d{15}/i.test(text)
}

const fewOf: Partial<Record<Field['type'], readonly Value[]>> = {
  INT64: [-1n, 0n, 1n, 2n],
  FLOAT64: [Number.NaN, Infinity, -Infinity, -0, 0, 1, 1.5],
  STRING: ['', 'a', 'A', 'b', 'ab', 'æ', 'ø', 'å', '😀', ' ', '\0', 'a\nb', '\u{ffff}'],
  NUMERIC: ['0', '1', '-1', '1.5', '0.000000001'],
  BIGNUMERIC: ['0', '1', '-1', '1.5', '0.00000000000000000000000000000000000001'],
  DATE: ['2024-01-31', '2024-02-01', '0001-01-01'],
  TIMESTAMP: ['2024-01-31T00:00:00Z', '2024-01-31T00:00:00.000001Z', '1969-12-31T23:59:59.999999Z'],
  DATETIME: ['2024-01-31T00:00:00', '2024-01-31T00:00:00.000001'],
  TIME: ['00:00:00', '23:59:59.999999'],
}

import * as fc from 'fast-check'
import type { AnyRow, Column, Rule, Value } from '../domain/column.ts'
import { timestampOf } from '../domain/micros.ts'
import type { Row, RowSchema, Shape } from '../domain/row.ts'
import { keyText } from '../domain/same.ts'

/** Values that a column should often have, by its name: `{ cluster: ['prod-gcp', 'dev-fss'] }`. */
export type Bias = Readonly<Record<string, readonly Value[]>>

/**
 * Sets of rows of a row schema, for property tests: enums, bounds, lengths, patterns and nulls as the schema says, hostile text besides. Each set
 * draws a column's values from a few, so that rows meet in groups; rows with a key have distinct ones.
 */
export function rowsOf<S extends Shape>(
  row: RowSchema<S>,
  options: { readonly bias?: Bias; readonly maxLength?: number } = {},
): fc.Arbitrary<Row<RowSchema<S>>[]> {
  const { bias = {}, maxLength = 20 } = options
  const pools = row.columns.map(column => fc.array(biased(column, bias[column.name]), { minLength: 1, maxLength: 4 }))
  const key = row.columns.filter(column => row.key.includes(column.name))
  const identity = (each: AnyRow) => keyText(key, each)
  const rows = fc.tuple(...pools).chain(values => {
    const one = fc
      .tuple(...values.map(pool => fc.constantFrom(...pool)))
      .map(cells => Object.fromEntries(row.columns.map((column, index) => [column.name, cells[index] ?? null])))
    return key.length === 0 ? fc.array(one, { maxLength }) : fc.uniqueArray(one, { maxLength, selector: identity })
  })
  return rows as unknown as fc.Arbitrary<Row<RowSchema<S>>[]>
}

/** Values of one column. */
export function valuesOf(column: Column): fc.Arbitrary<Value> {
  if (column.mode === 'REPEATED')
    return fc.array(valuesOf({ ...column, mode: 'REQUIRED' }), { maxLength: 3 }) as fc.Arbitrary<Value>
  const values = scalar(column)
  return column.mode === 'NULLABLE' ? fc.option(values, { freq: 4 }) : values
}

function biased(column: Column, values: readonly Value[] | undefined): fc.Arbitrary<Value> {
  if (values === undefined || values.length === 0) return valuesOf(column)
  return fc.oneof({ arbitrary: fc.constantFrom(...values), weight: 3 }, { arbitrary: valuesOf(column), weight: 1 })
}

function scalar(column: Column): fc.Arbitrary<Value> {
  const oneOf = find(column.rules, 'oneOf')
  if (oneOf !== undefined) return fc.constantFrom(...oneOf.values)
  switch (column.type) {
    case 'STRING':
      return text(column)
    case 'INT64':
      return integer(column)
    case 'FLOAT64':
      return float(column)
    case 'BOOL':
      return fc.boolean()
    case 'BYTES':
      return fc.uint8Array({ maxLength: 8 }).map(bytes => new Uint8Array(bytes))
    case 'NUMERIC':
      return decimal(29, 9)
    case 'BIGNUMERIC':
      return decimal(38, 38)
    case 'DATE':
      return micros().map(value => timestampOf(value).slice(0, 10))
    case 'TIME':
      return micros().map(value => timestampOf(value).slice(11, -1))
    case 'DATETIME':
      return micros().map(value => timestampOf(value).slice(0, -1))
    case 'TIMESTAMP':
      return micros().map(timestampOf)
    case 'JSON':
      return fc.json({ maxDepth: 2, noUnicodeString: false } as object)
    case 'GEOGRAPHY':
      return fc.tuple(fc.integer({ min: -180, max: 180 }), fc.integer({ min: -90, max: 90 })).map(([x, y]) => `POINT(${x} ${y})`)
    case 'RECORD':
      return fc.record(Object.fromEntries((column.fields ?? []).map(field => [field.name, valuesOf(field)])), {
        noNullPrototype: true,
      }) as fc.Arbitrary<Value>
  }
}

const hostile = [
  '',
  '-',
  'x-y',
  'æøå',
  "'",
  '"',
  '\\',
  '`',
  '%',
  '_',
  '\n',
  ' ',
  'null',
  'NULL',
  '0',
  '😀',
  '👨‍👩‍👧',
  'Å',
  'A\u030a',
  '\u2028',
]

function text(column: Column): fc.Arbitrary<Value> {
  const pattern = find(column.rules, 'pattern')
  const minLength = find(column.rules, 'minLength')?.value ?? 0
  const most = find(column.rules, 'maxLength')?.value ?? Number.POSITIVE_INFINITY
  const maxLength = Math.min(most, Math.max(12, minLength + 4))
  const fits = (value: string) => [...value].length >= minLength && [...value].length <= most
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern.source, 'u')).filter(fits)
  const known = hostile.filter(fits)
  const any = fc.string({ unit: 'binary', minLength, maxLength })
  return known.length === 0
    ? any
    : fc.oneof(fc.constantFrom(...known), any, fc.string({ unit: 'grapheme-ascii', minLength, maxLength }))
}

function integer(column: Column): fc.Arbitrary<Value> {
  const most = column.bigint === true ? 2n ** 63n - 1n : BigInt(Number.MAX_SAFE_INTEGER)
  const least = column.bigint === true ? -(2n ** 63n) : -most
  const min = bound(column.rules, 'min', least)
  const max = bound(column.rules, 'max', most)
  const step = BigInt(find(column.rules, 'multipleOf')?.value ?? '1')
  const near = fc.bigInt({
    min: min > -100n ? min : max < 100n ? max - 100n : -100n,
    max: max < 100n ? max : min > -100n ? min + 100n : 100n,
  })
  const value = fc
    .oneof(near, fc.bigInt({ min, max }))
    .map(each => each - (each % step))
    .filter(each => each >= min && each <= max)
  return column.bigint === true ? value : value.map(Number)
}

function bound(rules: readonly Rule[], kind: 'min' | 'max', otherwise: bigint): bigint {
  const rule = find(rules, kind)
  if (rule === undefined) return otherwise
  const whole = /^-?\d+$/.test(rule.value)
    ? BigInt(rule.value)
    : BigInt(kind === 'min' ? Math.ceil(Number(rule.value)) : Math.floor(Number(rule.value)))
  return rule.inclusive ? whole : whole + (kind === 'min' ? 1n : -1n)
}

function float(column: Column): fc.Arbitrary<Value> {
  const { rules } = column
  if (rules.length === 0)
    return fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1),
    )
  const [min, max] = [find(rules, 'min'), find(rules, 'max')]
  const step = Number(find(rules, 'multipleOf')?.value ?? 0)
  const bounds = {
    ...(min === undefined ? {} : { min: Number(min.value), minExcluded: !min.inclusive }),
    ...(max === undefined ? {} : { max: Number(max.value), maxExcluded: !max.inclusive }),
  }
  const any = fc.double({ noNaN: true, ...bounds })
  return step === 0 ? any : fc.integer({ min: -1000, max: 1000 }).map(each => each * step)
}

function decimal(whole: number, fraction: number): fc.Arbitrary<string> {
  const scaled = fc.bigInt({ min: -(10n ** BigInt(whole + fraction)) + 1n, max: 10n ** BigInt(whole + fraction) - 1n })
  return fc
    .oneof(
      scaled,
      fc.bigInt({ min: -1000n, max: 1000n }).map(each => each * 10n ** BigInt(fraction)),
    )
    .map(each => {
      const digits = (each < 0n ? -each : each).toString().padStart(fraction + 1, '0')
      const text = `${digits.slice(0, -fraction)}.${digits.slice(-fraction)}`.replace(/\.?0+$/, '')
      return each < 0n ? `-${text}` : text
    })
}

const first = -62_135_596_800_000_000n
const last = 253_402_300_799_999_999n

/** Points in time, mostly in a few days of 2022, also at the ends of what BigQuery has and before 1970. */
function micros(): fc.Arbitrary<bigint> {
  const day = 86_400_000_000n
  const start = 1_642_636_800_000_000n
  return fc.oneof(
    { weight: 6, arbitrary: fc.bigInt({ min: start, max: start + 3n * day }) },
    { weight: 1, arbitrary: fc.bigInt({ min: first, max: last }) },
    { weight: 1, arbitrary: fc.constantFrom(first, last, -1n, 0n, start) },
  )
}

function find<K extends Rule['kind']>(rules: readonly Rule[], kind: K): Extract<Rule, { kind: K }> | undefined {
  return rules.find((rule): rule is Extract<Rule, { kind: K }> => rule.kind === kind)
}

import type { Value } from '../../../googlesql/field.ts'
import type { Field, FieldType } from '../../contract.ts'
import { literal, textLiteral } from '../values.ts'
import { type Argument, type Lower, NotLowered, spoken } from './grammar.ts'
import { textFunctions } from './texts.ts'

/** A call of one of the functions whose DuckDB counterpart is proven equal (test/local/sql/lower). Throws NotLowered for all others. */
export function call(name: string, args: readonly Argument[], result: Field): string {
  const lowerCall = functions[name]
  if (lowerCall === undefined) throw new NotLowered(`the function ${spoken(name)}`)
  return `(${lowerCall(args, result, name)})`
}

/** Types whose values DuckDB compares, groups and sorts as GoogleSQL does. FLOAT64 is not one of them (NaN), BIGNUMERIC isn't either (it lies as text). */
export function isPlain(field: Field): boolean {
  return field.mode !== 'REPEATED' && plain.has(field.type)
}

const plain = new Set<FieldType>(['STRING', 'BYTES', 'INT64', 'BOOL', 'NUMERIC', 'DATE', 'TIME', 'DATETIME', 'TIMESTAMP'])

const compare =
  (operator: string): Lower =>
  ([left, right]) => {
    if (left === undefined || right === undefined || left.field.type !== right.field.type)
      throw new NotLowered(`a comparison of two types`)
    if (isPlain(left.field) && isPlain(right.field)) return `${left.sql} ${operator} ${right.sql}`
    if (left.field.type === 'BIGNUMERIC' && left.field.mode !== 'REPEATED' && (operator === '=' || operator === '<>'))
      return `${left.sql} ${operator} ${right.sql}`
    if (left.field.type === 'FLOAT64' && left.field.mode !== 'REPEATED') {
      // IEEE 754 in GoogleSQL: a comparison with NaN is false, but for !=. DuckDB has NaN equal to itself and above all others.
      const [a, b] = [left.sql, right.sql]
      return `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL WHEN isnan(${a}) OR isnan(${b}) THEN ${operator === '<>'} ELSE ${a} ${operator} ${b} END`
    }
    throw new NotLowered(`comparing ${left.field.mode === 'REPEATED' ? 'arrays' : left.field.type}`)
  }

// GoogleSQL: Operators, "IS DISTINCT FROM": NaN values are not distinct, and neither are the two zeros: so in DuckDB. A BIGNUMERIC's text is canonical.
const distinct =
  (operator: 'IS DISTINCT FROM' | 'IS NOT DISTINCT FROM'): Lower =>
  ([left, right]) => {
    if (
      left === undefined ||
      right === undefined ||
      left.field.type !== right.field.type ||
      !isAtom(left.field) ||
      !isAtom(right.field)
    )
      throw new NotLowered(`${operator} of ${left?.field.mode === 'REPEATED' ? 'arrays' : left?.field.type}`)
    return `${left.sql} ${operator} ${right.sql}`
  }

const isAtom = (field: Field) =>
  isPlain(field) || (field.mode !== 'REPEATED' && (field.type === 'FLOAT64' || field.type === 'BIGNUMERIC'))

const plainOnly =
  (write: (args: readonly string[]) => string): Lower =>
  (args, _result, name) => {
    for (const each of args)
      if (!isPlain(each.field) || each.field.type !== args[0]?.field.type)
        throw new NotLowered(`${spoken(name)} of ${each.field.type}`)
    return write(args.map(each => each.sql))
  }

const ofType =
  (types: readonly FieldType[], write: (args: readonly string[], result: Field) => string): Lower =>
  (args, result, name) => {
    for (const each of args)
      if (!types.includes(each.field.type) || each.field.mode === 'REPEATED')
        throw new NotLowered(`${spoken(name)} of ${each.field.type}`)
    return write(
      args.map(each => each.sql),
      result,
    )
  }

const any =
  (write: (args: readonly string[]) => string): Lower =>
  args =>
    write(args.map(each => each.sql))

const exact: readonly FieldType[] = ['INT64', 'NUMERIC']

const length: Lower = ([argument]) => {
  if (argument?.field.type === 'BYTES') return `octet_length(${argument.sql})`
  if (argument?.field.type === 'STRING') return `length(${argument.sql})`
  throw new NotLowered('LENGTH of this type')
}

// GoogleSQL: REGEXP_CONTAINS uses RE2, and so does DuckDB. A pattern is compiled once there, so only constants are lowered.
const regexpContains: Lower = ([value, pattern]) => {
  if (value?.field.type !== 'STRING' || typeof pattern?.constant !== 'string')
    throw new NotLowered('REGEXP_CONTAINS with this pattern')
  return `regexp_matches(${value.sql}, ${textLiteral(pattern.constant)})`
}

const like: Lower = ([value, pattern]) => {
  if (value?.field.type !== 'STRING' || typeof pattern?.constant !== 'string' || pattern.constant.includes('\\'))
    throw new NotLowered('LIKE with this pattern')
  return `${value.sql} LIKE ${textLiteral(pattern.constant)}`
}

// GoogleSQL: Operators, "IN operators": with UNNEST of an empty or NULL array the answer is FALSE, even for NULL.
const inArray: Lower = ([value, array]) => {
  if (value === undefined || !Array.isArray(array?.constant) || !isPlain(value.field))
    throw new NotLowered('IN UNNEST of this array')
  const elements = array.constant as readonly Value[]
  const element: Field = { ...array.field, mode: 'NULLABLE' }
  if (elements.length === 0) return 'FALSE'
  return `${value.sql} IN (${elements.map(each => literal(each, element)).join(', ')})`
}

const functions: Readonly<Record<string, Lower>> = {
  ...textFunctions,
  $equal: compare('='),
  $not_equal: compare('<>'),
  $less: compare('<'),
  $less_or_equal: compare('<='),
  $greater: compare('>'),
  $greater_or_equal: compare('>='),
  $in: plainOnly(([value, ...list]) => `${value} IN (${list.join(', ')})`),
  $in_array: inArray,
  $between: plainOnly(([value, low, high]) => `${value} BETWEEN ${low} AND ${high}`),
  $is_distinct_from: distinct('IS DISTINCT FROM'),
  $is_not_distinct_from: distinct('IS NOT DISTINCT FROM'),
  $and: any(args => args.join(' AND ')),
  $or: any(args => args.join(' OR ')),
  $not: any(([a]) => `NOT ${a}`),
  $is_null: ([argument]) => {
    if (argument === undefined || argument.field.mode === 'REPEATED') throw new NotLowered('IS NULL of an array')
    return `${argument.sql} IS NULL`
  },
  $is_true: any(([a]) => `${a} IS TRUE`),
  $is_false: any(([a]) => `${a} IS FALSE`),
  if: any(([condition, then, otherwise]) => `CASE WHEN ${condition} THEN ${then} ELSE ${otherwise} END`),
  ifnull: any(args => `COALESCE(${args.join(', ')})`),
  coalesce: any(args => `COALESCE(${args.join(', ')})`),
  nullif: plainOnly(([a, b]) => `NULLIF(${a}, ${b})`),
  $case_no_value: any(args => `CASE ${arms(args)} END`),
  $add: arithmetic('+'),
  $subtract: arithmetic('-'),
  $divide: ofType(
    ['FLOAT64'],
    ([a, b]) => `CASE WHEN ${b} = 0 THEN error('division by zero') ELSE ${finite(`${a} / ${b}`, [a, b])} END`,
  ),
  mod: ofType(
    ['INT64'],
    ([a, b]) =>
      `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL WHEN ${b} = 0 THEN error('division by zero') WHEN ${b} = -1 THEN 0 ELSE ${a} % ${b} END`,
  ),
  abs: ofType(['INT64', 'NUMERIC', 'FLOAT64'], ([a]) => `abs(${a})`),
  round: ofType(['FLOAT64'], args => {
    if (args.length !== 1) throw new NotLowered('ROUND to some digits')
    return `round(${args[0]})`
  }),
  to_base64: ofType(['BYTES'], ([a]) => `to_base64(${a})`),
  $multiply: ofType(['INT64'], ([a, b]) => `${a} * ${b}`),
  $unary_minus: ofType(exact, ([a]) => `-${a}`),
  length,
  char_length: ofType(['STRING'], ([a]) => `length(${a})`),
  byte_length: length8(),
  octet_length: length8(),
  starts_with: ofType(['STRING'], ([a, b]) => `starts_with(${a}, ${b})`),
  ends_with: ofType(['STRING'], ([a, b]) => `ends_with(${a}, ${b})`),
  regexp_contains: regexpContains,
  $like: like,
  date: ofType(['TIMESTAMP'], args => {
    if (args.length !== 1) throw new NotLowered('DATE with a time zone')
    return `CAST(${args[0]} AT TIME ZONE 'UTC' AS DATE)`
  }),
}

function arithmetic(operator: '+' | '-'): Lower {
  return (args, result, name) => {
    if (result.type === 'FLOAT64') {
      return ofType(['FLOAT64'], ([a, b]) => finite(`${a} ${operator} ${b}`, [a, b]))(args, result, name)
    }
    return ofType(exact, ([a, b], { type }) => within(`${a} ${operator} ${b}`, type))(args, result, name)
  }
}

// GoogleSQL: Mathematical functions: a finite result that doesn't fit a FLOAT64 is an error; infinities among the operands are passed on.
function finite(value: string, operands: readonly (string | undefined)[]): string {
  const given = operands.map(each => `isinf(${each})`).join(' OR ')
  return `CASE WHEN isinf(${value}) AND NOT (${given}) THEN error('floating point overflow') ELSE ${value} END`
}

function arms(args: readonly string[]): string {
  const written: string[] = []
  for (let index = 0; index + 1 < args.length; index += 2) written.push(`WHEN ${args[index]} THEN ${args[index + 1]}`)
  if (args.length % 2 === 1) written.push(`ELSE ${args.at(-1)}`)
  return written.join(' ')
}

function length8(): Lower {
  return ([argument]) => {
    if (argument?.field.type === 'STRING') return `octet_length(encode(${argument.sql}))`
    return length([argument as Argument], {} as Field, 'length')
  }
}

// DuckDB's DECIMAL(38,9) has the range of NUMERIC, but its sums may leave it by a few digits before it notices.
function within(sum: string, type: FieldType): string {
  return type === 'NUMERIC' ? `CAST(${sum} AS DECIMAL(38,9))` : sum
}

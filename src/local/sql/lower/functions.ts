import type { Value } from '../../../googlesql/field.ts'
import type { Field, FieldType } from '../../contract.ts'
import { literal, textLiteral } from '../values.ts'
import { NotLowered } from './grammar.ts'

/** An argument: its type, its value where it is a constant, its DuckDB expression (made when asked for; may throw NotLowered). */
export type Argument = { readonly field: Field; readonly constant: Value | undefined; readonly sql: string }

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

type Lower = (args: readonly Argument[], result: Field, name: string) => string

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

// Only where both count alike: from the first character on, to the right.
const substr: Lower = ([value, from, length]) => {
  const isConstant = typeof from?.constant === 'bigint' && from.constant >= 1n && typeof length?.constant === 'bigint'
  if (value?.field.type !== 'STRING' || !isConstant || (length.constant as bigint) < 0n)
    throw new NotLowered('SUBSTR of these arguments')
  return `substr(${value.sql}, ${from.constant}, ${length.constant})`
}

// GoogleSQL: FORMAT, '%g': as C's printf, `nan` without a sign.
const format: Lower = ([pattern, value, ...more]) => {
  if (pattern?.constant !== '%.17g' || value?.field.type !== 'FLOAT64' || value.field.mode === 'REPEATED' || more.length > 0)
    throw new NotLowered('FORMAT of these arguments')
  return `CASE WHEN isnan(${value.sql}) THEN 'nan' ELSE printf('%.17g', ${value.sql}) END`
}

// GoogleSQL: ARRAY_TO_STRING leaves NULLs out, and so does DuckDB, which has no text of an empty list.
const arrayToString: Lower = ([array, delimiter, ...more]) => {
  if (array?.field.type !== 'STRING' || typeof delimiter?.constant !== 'string' || more.length > 0)
    throw new NotLowered('ARRAY_TO_STRING of these arguments')
  return `CASE WHEN ${array.sql} IS NOT NULL THEN COALESCE(array_to_string(${array.sql}, ${textLiteral(delimiter.constant)}), '') END`
}

const functions: Readonly<Record<string, Lower>> = {
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
  to_hex: ofType(['BYTES'], ([a]) => `lower(hex(${a}))`),
  md5: ofType(['STRING', 'BYTES'], ([a]) => `unhex(md5(${a}))`),
  substr,
  format,
  array_length: any(([a]) => `len(${a})`),
  array_to_string: arrayToString,
  $multiply: ofType(['INT64'], ([a, b]) => `${a} * ${b}`),
  $unary_minus: ofType(exact, ([a]) => `-${a}`),
  length,
  char_length: ofType(['STRING'], ([a]) => `length(${a})`),
  byte_length: length8(),
  octet_length: length8(),
  concat: ofType(['STRING'], joined),
  starts_with: ofType(['STRING'], ([a, b]) => `starts_with(${a}, ${b})`),
  ends_with: ofType(['STRING'], ([a, b]) => `ends_with(${a}, ${b})`),
  regexp_contains: regexpContains,
  $like: like,
  date: ofType(['TIMESTAMP'], args => {
    if (args.length !== 1) throw new NotLowered('DATE with a time zone')
    return `CAST(${args[0]} AT TIME ZONE 'UTC' AS DATE)`
  }),
  unix_micros: ofType(['TIMESTAMP'], ([a]) => `epoch_us(${a})`),
  timestamp: ([moment, zone]) => {
    if (moment?.field.type !== 'DATETIME' || zone?.constant !== 'UTC') throw new NotLowered('TIMESTAMP of these arguments')
    return `${moment.sql} AT TIME ZONE 'UTC'`
  },
  datetime: ([day, time, ...more]) => {
    if (day?.field.type !== 'DATE' || time?.field.type !== 'TIME' || more.length > 0)
      throw new NotLowered('DATETIME of these arguments')
    return `${day.sql} + ${time.sql}`
  },
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

// A chain of operators is as deep as it is long, and DuckDB's parser ends at a depth of 1 000: halves of halves.
function joined(args: readonly string[]): string {
  if (args.length <= 2) return args.join(' || ')
  const middle = Math.ceil(args.length / 2)
  return `(${joined(args.slice(0, middle))}) || (${joined(args.slice(middle))})`
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

function spoken(name: string): string {
  return name
    .replace(/^\$/, '')
    .replaceAll('_', name.startsWith('$') ? ' ' : '_')
    .toUpperCase()
}

import type { FieldType } from '../../contract.ts'
import { textLiteral } from '../values.ts'
import { type Lower, NotLowered, spoken } from './grammar.ts'

// Only where both count alike: from the first character on, to the right.
const substr: Lower = ([value, from, length]) => {
  const isConstant = typeof from?.constant === 'bigint' && from.constant >= 1n && typeof length?.constant === 'bigint'
  if (value?.field.type !== 'STRING' || !isConstant || (length.constant as bigint) < 0n)
    throw new NotLowered('SUBSTR of these arguments')
  return `substr(${value.sql}, ${from.constant}, ${length.constant})`
}

// GoogleSQL: ARRAY_TO_STRING leaves NULLs out, and so does DuckDB, which has no text of an empty list.
const arrayToString: Lower = ([array, delimiter, ...more]) => {
  if (array?.field.type !== 'STRING' || typeof delimiter?.constant !== 'string' || more.length > 0)
    throw new NotLowered('ARRAY_TO_STRING of these arguments')
  return `CASE WHEN ${array.sql} IS NOT NULL THEN COALESCE(array_to_string(${array.sql}, ${textLiteral(delimiter.constant)}), '') END`
}

/** Functions that make texts of values, and take them apart: what the hash of a stage is made of. Proven equal in test/local/sql/lower/texts.test.ts. */
export const textFunctions: Readonly<Record<string, Lower>> = {
  concat: of(['STRING'], joined),
  to_hex: of(['BYTES'], ([a]) => `lower(hex(${a}))`),
  md5: of(['STRING', 'BYTES'], ([a]) => `unhex(md5(${a}))`),
  substr,
  array_length: ([array]) => `len(${array?.sql})`,
  array_to_string: arrayToString,
  unix_micros: of(['TIMESTAMP'], ([a]) => `epoch_us(${a})`),
  // GoogleSQL: FORMAT, '%g': as C's printf, `nan` without a sign.
  format: formatted('FLOAT64', '%.17g', value => `CASE WHEN isnan(${value}) THEN 'nan' ELSE printf('%.17g', ${value}) END`),
  format_datetime: formatted('DATETIME', '%E4Y-%m-%d %H:%M:%E6S', value => `strftime(${value}, '%Y-%m-%d %H:%M:%S.%f')`),
  format_time: formatted('TIME', '%H:%M:%E6S', value => `strftime(DATE '1970-01-01' + ${value}, '%H:%M:%S.%f')`),
}

function of(types: readonly FieldType[], write: (args: readonly string[]) => string): Lower {
  return (args, _result, name) => {
    const other = args.find(({ field }) => !types.includes(field.type) || field.mode === 'REPEATED')
    if (other !== undefined) throw new NotLowered(`${spoken(name)} of ${other.field.type}`)
    return write(args.map(each => each.sql))
  }
}

/** A value by the one pattern that is proven equal. */
function formatted(type: FieldType, pattern: string, write: (value: string) => string): Lower {
  return ([given, value, ...more], _result, name) => {
    if (given?.constant !== pattern || value?.field.type !== type || value.field.mode === 'REPEATED' || more.length > 0)
      throw new NotLowered(`${spoken(name)} of these arguments`)
    return write(value.sql)
  }
}

// A chain of operators is as deep as it is long, and DuckDB's parser ends at a depth of 1 000: halves of halves.
function joined(args: readonly string[]): string {
  if (args.length <= 2) return args.join(' || ')
  const middle = Math.ceil(args.length / 2)
  return `(${joined(args.slice(0, middle))}) || (${joined(args.slice(middle))})`
}

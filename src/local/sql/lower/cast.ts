import type { Field } from '../../contract.ts'
import { physicalType } from '../../types.ts'
import { NotLowered } from './grammar.ts'

/** A CAST (or SAFE_CAST, where `safe`) between types whose texts and rounding are the same in both. Throws NotLowered for the others. */
export function cast(value: string, from: Field, to: Field, safe: boolean): string {
  if (from.mode === 'REPEATED' || to.mode === 'REPEATED') throw new NotLowered('a CAST of an array')
  if (from.type === to.type && from.type !== 'RECORD') return value
  const write = casts[`${from.type} ${to.type}`]
  if (write === undefined) throw new NotLowered(`a CAST from ${from.type} to ${to.type}`)
  return write(value, safe, physicalType(to))
}

type Write = (value: string, safe: boolean, type: string) => string

const exact: Write = (value, _safe, type) => `CAST(${value} AS ${type})`

/**
 * What DuckDB raises where a row holds a text that GoogleSQL casts and this lowering can't (an exponent, a hexadecimal number). Outside of a
 * transaction the statement is then tried on the evaluator.
 */
export const beyondCast = 'the local BigQuery casts no texts with an exponent or in hexadecimal on tables of any size'

/** What GoogleSQL takes off a number's text. DuckDB's E'…' has no \v. */
const space = "(E' \\t\\n\\f\\r' || chr(11))"

// The text is checked first, because DuckDB takes more than GoogleSQL does ('1.5' and '1e2' as a BIGINT, '1_000' as any number), and reads long
// mantissas with an exponent wrongly.
const fromText =
  (plain: string, beyond: string, name: string, ...fast: readonly string[]): Write =>
  (value, safe, type) => {
    const text = `trim(${value}, ${space})`
    const bad = safe ? `CAST(NULL AS ${type})` : `error('${name} value: ' || ${value})`
    return [
      `(CASE WHEN ${value} IS NULL THEN NULL`,
      ...fast.map(pattern => `WHEN regexp_full_match(${value}, '${pattern}') THEN CAST(${value} AS ${type})`),
      `WHEN regexp_full_match(${text}, '${plain}') AND TRY_CAST(${text} AS ${type}) IS NOT NULL THEN TRY_CAST(${text} AS ${type})`,
      `WHEN regexp_full_match(${text}, '${beyond}') THEN error('${beyondCast}')`,
      `ELSE ${bad} END)`,
    ].join(' ')
  }

const casts: Readonly<Record<string, Write>> = {
  'INT64 NUMERIC': exact,
  'INT64 FLOAT64': exact,
  'INT64 BIGNUMERIC': exact,
  'NUMERIC BIGNUMERIC': plainDecimal,
  'BIGNUMERIC STRING': value => value,
  // Through the text, because DuckDB divides the digits as a DOUBLE, which rounds twice.
  'NUMERIC FLOAT64': value => `CAST(CAST(${value} AS VARCHAR) AS DOUBLE)`,
  'BIGNUMERIC FLOAT64': exact,
  'INT64 STRING': exact,
  'BOOL STRING': exact,
  'BOOL INT64': exact,
  'STRING INT64': fromText('[+-]?[0-9]+', '[+-]?0[xX][0-9a-fA-F]+', 'Bad int64', '0[xX][0-9a-fA-F]{1,15}'),
  'STRING NUMERIC': fromText(
    '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)',
    '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)[eE][+-]?[0-9]+',
    'Invalid NUMERIC',
  ),
  'NUMERIC STRING': plainDecimal,
  'TIMESTAMP DATE': value => `CAST(${value} AT TIME ZONE 'UTC' AS DATE)`,
  'DATE TIMESTAMP': value => `(CAST(${value} AS TIMESTAMP) AT TIME ZONE 'UTC')`,
  'DATE DATETIME': exact,
  'DATE STRING': exact,
  'TIMESTAMP STRING': value => `(${seconds(`(${value} AT TIME ZONE 'UTC')`, '%Y-%m-%d %H:%M:%S')} || '+00')`,
  'DATETIME STRING': value => seconds(value, '%Y-%m-%d %H:%M:%S'),
  'TIME STRING': value => seconds(`(DATE '1970-01-01' + ${value})`, '%H:%M:%S'),
}

// The canonical text of a DECIMAL(38,9): always with nine digits after the point, taken away where they are zeros.
function plainDecimal(value: string): string {
  return `regexp_replace(regexp_replace(CAST(${value} AS VARCHAR), '0+$', ''), '\\.$', '')`
}

// GoogleSQL: Conversion rules, "CAST AS STRING": the fraction has no digits, three or six.
function seconds(value: string, format: string): string {
  const micros = `(epoch_us(${value}) % 1000000 + 1000000) % 1000000`
  const fraction = `CASE WHEN ${micros} = 0 THEN '' WHEN (${micros}) % 1000 = 0 THEN printf('.%03d', (${micros}) // 1000) ELSE printf('.%06d', ${micros}) END`
  return `(strftime(${value}, '${format}') || ${fraction})`
}

import * as z from 'zod'
import { jsonProblem } from './json.ts'
import { isDate, isDatetime, isDecimal, isTime, isTimestamp } from './text.ts'

/** Types that only BigQuery has; the value in memory stands behind each. */
export const bq = {
  /** INT64 as bigint: all 64 bits. `z.int()` is the same column as a number, safe integers only. */
  int64: () => z.int64(),
  /** NUMERIC as exact decimal text: 29 digits before the point, 9 after it. */
  numeric: () =>
    z.stringFormat(
      'bq.numeric',
      text => isDecimal(text, 29, 9),
      'expected a NUMERIC as text: at most 29 digits before the point and 9 after it',
    ),
  /** BIGNUMERIC as exact decimal text: 38 digits before the point, 38 after it. */
  bignumeric: () =>
    z.stringFormat(
      'bq.bignumeric',
      text => isDecimal(text, 38, 38),
      'expected a BIGNUMERIC as text: at most 38 digits before the point and 38 after it',
    ),
  /** TIMESTAMP as text in UTC with at most six fraction digits: `2024-01-31T06:30:00.000001Z`, years 1 to 9999. */
  timestamp: () =>
    z.stringFormat('bq.timestamp', isTimestamp, "expected a TIMESTAMP as text, such as '2024-01-31T06:30:00.123456Z'"),
  /** DATETIME as text: `2024-01-31T06:30:00.123456`, years 1 to 9999, no zone. */
  datetime: () => z.stringFormat('bq.datetime', isDatetime, "expected a DATETIME as text, such as '2024-01-31T06:30:00.123456'"),
  /** DATE as text, `2024-01-31`; the same as `z.iso.date()`. */
  date: () => z.stringFormat('bq.date', isDate, "expected a DATE as text, such as '2024-01-31'"),
  /** TIME as text with at most six fraction digits: `06:30:00.123456`. */
  time: () => z.stringFormat('bq.time', isTime, "expected a TIME as text, such as '06:30:00.123456'"),
  /** BYTES as Uint8Array. */
  bytes: () => z.custom<Uint8Array>(isBytes, 'expected bytes (a Uint8Array)'),
  /** JSON as its text: 64-bit integers stay exact, and a number that neither 64 bits nor a double hold is refused. */
  json: () =>
    z.stringFormat(
      'bq.json',
      text => jsonProblem(text) === undefined,
      'expected the text of a JSON value whose numbers fit 64 bits or a double',
    ),
  /** GEOGRAPHY as WKT text; passes through unchecked. */
  geography: () => z.stringFormat('bq.geography', text => text !== '', 'expected a geography as WKT text'),
}

/** Known by identity: what `bq.bytes()` is made of. */
export function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array
}

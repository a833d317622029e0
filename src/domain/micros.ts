import { isTimestamp } from './text.ts'

/**
 * Microseconds since 1970 of a TIMESTAMP text in UTC (`…Z`), years 1 to 9999. Exact, also before 1970.
 * @throws RangeError for any other text.
 */
export function microsOf(text: string): bigint {
  if (!isTimestamp(text)) throw new RangeError(`not a timestamp in UTC: ${text}`)
  const seconds = BigInt(Date.parse(`${text.slice(0, 19)}Z`)) / 1000n
  return seconds * 1_000_000n + BigInt(text.slice(20, -1).padEnd(6, '0'))
}

/**
 * The TIMESTAMP text of microseconds since 1970; six fraction digits or none.
 * @throws RangeError outside of the years 1 to 9999 (BigQuery: Timestamp type).
 */
export function timestampOf(micros: bigint): string {
  if (micros < first || micros > last) throw new RangeError(`no timestamp between the years 1 and 9999: ${micros} microseconds`)
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = Number((micros - fraction) / 1_000_000n)
  const text = new Date(seconds * 1000).toISOString().slice(0, 19)
  return fraction === 0n ? `${text}Z` : `${text}.${String(fraction).padStart(6, '0')}Z`
}

const first = -62_135_596_800_000_000n
const last = 253_402_300_799_999_999n

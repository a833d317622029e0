import type { Value } from '../../domain/column.ts'
import { daysIn } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'

/** Each writes a value as Parquet has it, and looks at each character once: what has a place is what domain/text.ts says. False: it has none. */

/** Some years of them: a date stands in many rows. */
const days = new Map<string, number>()

export function putDate(text: Value, to: Bytes): boolean {
  if (typeof text !== 'string' || text.length !== 10) return false
  let day = days.get(text)
  if (day === undefined) {
    day = dayAt(text)
    if (day === none) return false
    if (days.size === 4096) days.clear()
    days.set(text, day)
  }
  to.room(4)
  to.int32(day)
  return true
}

/** Microseconds since 1970. */
export function putTimestamp(text: Value, to: Bytes): boolean {
  if (typeof text !== 'string') return false
  const end = text.length - 1
  return end >= 19 && text.charCodeAt(end) === letterZ && putMoment(text, end, to)
}

export function putDatetime(text: Value, to: Bytes): boolean {
  return typeof text === 'string' && text.length >= 19 && putMoment(text, text.length, to)
}

function putMoment(text: string, end: number, to: Bytes): boolean {
  if (text.charCodeAt(10) !== letterT) return false
  const day = dayAt(text)
  const clock = clockAt(text, 11)
  const micros = fractionAt(text, 19, end)
  if (day === none || clock < 0 || micros < 0) return false
  const seconds = day * 86_400 + clock
  to.room(8)
  if (seconds < safeSeconds && seconds > -safeSeconds) to.int64(seconds * 1e6 + micros)
  else {
    to.bytes.writeBigInt64LE(BigInt(seconds) * 1_000_000n + BigInt(micros), to.used)
    to.used += 8
  }
  return true
}

export function putTime(text: Value, to: Bytes): boolean {
  if (typeof text !== 'string' || text.length < 8) return false
  const clock = clockAt(text, 0)
  const micros = fractionAt(text, 8, text.length)
  if (clock < 0 || micros < 0) return false
  to.room(8)
  to.int64(clock * 1e6 + micros)
  return true
}

const [dash, point, zero, colon, letterT, letterZ] = [45, 46, 48, 58, 84, 90]
/** So many seconds, as microseconds, are safe integers. */
const safeSeconds = 9e9

/** Seconds of the time `06:30:00` that stands there, eight characters; negative if there is none. */
function clockAt(text: string, at: number): number {
  if (text.charCodeAt(at + 2) !== colon || text.charCodeAt(at + 5) !== colon) return -1
  const hour = two(text, at)
  const minute = two(text, at + 3)
  const second = two(text, at + 6)
  return hour > 23 || minute > 59 || second > 59 ? -1 : hour * 3600 + minute * 60 + second
}

/** A point and one to six digits as microseconds, nothing as 0; negative for all else. */
function fractionAt(text: string, from: number, to: number): number {
  if (from === to) return 0
  if (to - from < 2 || to - from > 7 || text.charCodeAt(from) !== point) return -1
  let micros = 0
  for (let index = from + 1; index < to; index++) {
    const digit = (text.charCodeAt(index) - zero) >>> 0
    if (digit > 9) return -1
    micros = micros * 10 + digit
  }
  return micros * (scales[to - from - 1] as number)
}

const scales = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1]

/** No day. */
const none = -(2 ** 30)
let [lastYear, lastMonth, lastStart] = [0, 0, none]

/** Days since 1970 of the date that a text begins with, which has ten characters at least; the beginning of its month is kept for the next one. */
function dayAt(text: string): number {
  if (text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return none
  const century = two(text, 0)
  const rest = two(text, 2)
  const month = two(text, 5)
  const day = two(text, 8)
  const year = century * 100 + rest
  if (century > 99 || rest > 99 || year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return none
  if (year !== lastYear || month !== lastMonth) {
    lastStart = daysBefore(year, month)
    lastYear = year
    lastMonth = month
  }
  return lastStart + day
}

/** Days from 1970 to the last day before a month (H. Hinnant, 'chrono-compatible low-level date algorithms', days_from_civil). */
function daysBefore(of: number, month: number): number {
  const year = of - (month <= 2 ? 1 : 0)
  const era = Math.floor(year / 400)
  const ofEra = year - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5)
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_469
}

/** The number that these two characters write; more than 99 if one is no digit. */
function two(text: string, at: number): number {
  const tens = (text.charCodeAt(at) - zero) >>> 0
  const ones = (text.charCodeAt(at + 1) - zero) >>> 0
  return tens > 9 || ones > 9 ? 100 : tens * 10 + ones
}

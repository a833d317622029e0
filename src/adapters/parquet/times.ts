import { isDate, isDatetime, isTime, isTimestamp } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'

/** Each writes a value's text both as Parquet has it and as the content hash does (domain/content.ts). False: it is none. */

export function putDate(text: string, to: Bytes, line: Bytes): boolean {
  if (!isDate(text)) return false
  to.room(4)
  to.int32(dayOf(text))
  line.room(16)
  line.ascii(text)
  return true
}

/** Microseconds since 1970. */
export function putTimestamp(text: string, to: Bytes, line: Bytes): boolean {
  if (!isTimestamp(text)) return false
  const seconds = secondsOf(text)
  const micros = fractionOf(text, 20, text.length - 1)
  putMicros(seconds, micros, to)
  line.room(32)
  // Before 1970 the fraction counts backwards, as the seconds do.
  const isBackwards = seconds < 0 && micros > 0
  const whole = isBackwards ? seconds + 1 : seconds
  const rest = isBackwards ? 1_000_000 - micros : micros
  if (whole === 0) line.decimal(isBackwards ? -rest : rest)
  else {
    line.decimal(whole)
    line.padded(rest, 6)
  }
  return true
}

export function putDatetime(text: string, to: Bytes, line: Bytes): boolean {
  if (!isDatetime(text)) return false
  const micros = fractionOf(text, 20, text.length)
  putMicros(secondsOf(text), micros, to)
  line.room(32)
  line.ascii(text, 0, 10)
  line.byte(space)
  line.ascii(text, 11, 19)
  line.byte(point)
  line.padded(micros, 6)
  return true
}

export function putTime(text: string, to: Bytes, line: Bytes): boolean {
  if (!isTime(text)) return false
  const micros = fractionOf(text, 9, text.length)
  putMicros(clockOf(text, 0), micros, to)
  line.room(32)
  line.ascii(text, 0, 8)
  line.byte(point)
  line.padded(micros, 6)
  return true
}

const [space, point, zero] = [32, 46, 48]
/** So many seconds, as microseconds, are safe integers. */
const safeSeconds = 9e9

function putMicros(seconds: number, micros: number, to: Bytes): void {
  to.room(8)
  if (seconds < safeSeconds && seconds > -safeSeconds) to.int64(seconds * 1e6 + micros)
  else {
    to.bytes.writeBigInt64LE(BigInt(seconds) * 1_000_000n + BigInt(micros), to.used)
    to.used += 8
  }
}

function secondsOf(text: string): number {
  return dayOf(text) * 86_400 + clockOf(text, 11)
}

function clockOf(text: string, at: number): number {
  return two(text, at) * 3600 + two(text, at + 3) * 60 + two(text, at + 6)
}

/** The digits there as microseconds; none are 0. */
function fractionOf(text: string, from: number, to: number): number {
  let micros = 0
  for (let index = from; index < from + 6; index++) micros = micros * 10 + (index < to ? text.charCodeAt(index) - zero : 0)
  return micros
}

/** Days since 1970 of the date that a text begins with (H. Hinnant, 'chrono-compatible low-level date algorithms', days_from_civil). */
function dayOf(text: string): number {
  const month = two(text, 5)
  const year = two(text, 0) * 100 + two(text, 2) - (month <= 2 ? 1 : 0)
  const era = Math.floor(year / 400)
  const ofEra = year - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + two(text, 8) - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
}

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero
}

import { compile } from '../../domain/compile.ts'
import { dayText } from '../../domain/day-text.ts'
import { int32 } from '../../domain/int32.ts'

/** Days and microseconds count from 2000 in Postgres (src/include/datatype/timestamp.h), from 1970 elsewhere. */
const days2000 = 10_957
const [high2000, low2000] = halves(946_684_800_000_000n)
const first = halves(-62_135_596_800_000_000n)
const last = halves(253_402_300_799_999_999n)
const [firstDay, lastDay] = [-719_162, 2_932_896]

const noDay = 'infinity, or a day outside of the years 1 to 9999'
const noTime = 'infinity, or a time outside of the years 1 to 9999'
const no24 = 'the time 24:00:00'

/** A date as a day since 1970, four bytes, the least significant first. @returns what is wrong. */
export function putDate(from: Buffer, at: number, to: Buffer, place: number): string | undefined {
  const day = int32(from, at) + days2000
  if (day < firstDay || day > lastDay) return noDay
  littleEndian(to, place, day)
  return undefined
}

/** A timestamp, with or without a zone, as microseconds since 1970. @returns what is wrong. */
export function putTimestamp(from: Buffer, at: number, to: Buffer, place: number): string | undefined {
  const low = (int32(from, at + 4) >>> 0) + low2000
  const high = int32(from, at) + high2000 + (low > 0xffffffff ? 1 : 0)
  if (isOutside(high, low >>> 0)) return noTime
  littleEndian(to, place, low)
  littleEndian(to, place + 4, high)
  return undefined
}

/** A time of day as microseconds. @returns what is wrong. */
export function putTime(from: Buffer, at: number, to: Buffer, place: number): string | undefined {
  const [high, low] = [int32(from, at), int32(from, at + 4) >>> 0]
  if (high * 2 ** 32 + low >= 86_400_000_000) return no24
  littleEndian(to, place, low)
  littleEndian(to, place + 4, high)
  return undefined
}

function isOutside(high: number, low: number): boolean {
  return high < first[0] || high > last[0] || (high === first[0] && low < first[1]) || (high === last[0] && low > last[1])
}

/** The day as text; undefined outside of the years 1 to 9999. */
export function dateText(from: Buffer, at: number): string | undefined {
  const day = int32(from, at) + days2000
  return day < firstDay || day > lastDay ? undefined : dayText(day)
}

/** `2024-01-31T06:30:00.000001` and the zone's letter: six fraction digits or none; undefined outside of the years 1 to 9999. */
export function timestampText(from: Buffer, at: number, zone: '' | 'Z'): string | undefined {
  const low = (int32(from, at + 4) >>> 0) + low2000
  const high = int32(from, at) + high2000 + (low > 0xffffffff ? 1 : 0)
  if (isOutside(high, low >>> 0)) return undefined
  // Microseconds are more than a double holds: seconds and what is left of them, from two halves. 2^32 = 4294 × 10^6 + 967 296.
  const micros = high * 967_296 + (low >>> 0)
  const carried = Math.floor(micros / 1_000_000)
  const seconds = high * 4294 + carried
  const day = Math.floor(seconds / 86_400)
  putClock(seconds - day * 86_400, micros - carried * 1_000_000)
  if (day !== dayThere) putDay(day)
  if (zone === '') return hasFraction ? moment() : wholeMoment()
  return hasFraction ? momentZ() : wholeMomentZ()
}

/** `06:30:00.000001`; undefined for 24:00:00. */
export function timeText(from: Buffer, at: number): string | undefined {
  const micros = int32(from, at) * 2 ** 32 + (int32(from, at + 4) >>> 0)
  if (micros >= 86_400_000_000) return undefined
  const seconds = Math.floor(micros / 1_000_000)
  putClock(seconds, micros - seconds * 1_000_000)
  return hasFraction ? clock() : wholeClock()
}

export const outside = { date: noDay, timestamp: noTime, time: no24 }

/** The characters of a moment, each at its place. A text of them is made in half the time that cutting it from a buffer takes. */
const c = new Uint8Array(26)
let dayThere = Number.NaN
let hasFraction = false

function putDay(day: number): void {
  const text = dayText(day)
  for (let index = 0; index < 10; index++) c[index] = text.charCodeAt(index)
  dayThere = day
}

function putClock(seconds: number, micros: number): void {
  const minutes = (seconds / 60) | 0
  const hours = (minutes / 60) | 0
  putTwo(hours, 11)
  putTwo(minutes - hours * 60, 14)
  putTwo(seconds - minutes * 60, 17)
  hasFraction = micros !== 0
  if (!hasFraction) return
  const upper = (micros / 10_000) | 0
  const rest = micros - upper * 10_000
  const middle = (rest / 100) | 0
  putTwo(upper, 20)
  putTwo(middle, 22)
  putTwo(rest - middle * 100, 24)
}

function putTwo(number: number, at: number): void {
  const tens = (number / 10) | 0
  c[at] = zero + tens
  c[at + 1] = zero + number - tens * 10
}

const zero = 48
const [moment, wholeMoment] = [textLike('0000-00-00T00:00:00.000000'), textLike('0000-00-00T00:00:00')]
const [momentZ, wholeMomentZ] = [textLike('0000-00-00T00:00:00.000000Z'), textLike('0000-00-00T00:00:00Z')]
const [clock, wholeClock] = [textLike('00:00:00.000000', 11), textLike('00:00:00', 11)]

/** Makes a text like the pattern with what stands in `c`, from a place there on: one call with all characters (domain/compile.ts). */
function textLike(pattern: string, at = 0): () => string {
  const codes = Array.from(pattern, (sign, index) => (sign === '0' ? `c[${at + index}]` : sign.charCodeAt(0)))
  return compile({ c }, `() => String.fromCharCode(${codes.join(', ')})`)
}

function halves(value: bigint): readonly [number, number] {
  return [Number(value >> 32n), Number(BigInt.asUintN(32, value))]
}

function littleEndian(to: Buffer, place: number, value: number): void {
  to[place] = value
  to[place + 1] = value >>> 8
  to[place + 2] = value >>> 16
  to[place + 3] = value >>> 24
}

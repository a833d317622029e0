import { dayText } from '../../domain/day-text.ts'
import type { Bytes } from './bytes.ts'
import { type Cursor, int32 } from './cursor.ts'

/** Each puts the text of a value on the line as the content hash has it (domain/content.ts), `;` behind it. */

export function dateLine(from: Cursor, line: Bytes): void {
  line.room(16)
  line.ascii(dayText(int32(from.bytes, from.at)))
  from.at += 4
  line.byte(semicolon)
}

/** `2024-01-31 06:30:00.000000` */
export function datetimeLine(from: Cursor, line: Bytes): void {
  const { bytes, at } = from
  from.at = at + 8
  // 2^32 = 4294 × 10^6 + 967 296: microseconds may be more than a double holds.
  const [high, low] = [int32(bytes, at + 4), int32(bytes, at) >>> 0]
  const micros = high * 967_296 + low
  const carried = Math.floor(micros / 1_000_000)
  const seconds = high * 4294 + carried
  const day = Math.floor(seconds / 86_400)
  line.room(32)
  line.ascii(dayText(day))
  line.byte(space)
  putClock(seconds - day * 86_400, micros - carried * 1_000_000, line)
}

/** `06:30:00.000000` */
export function timeLine(from: Cursor, line: Bytes): void {
  const { bytes, at } = from
  from.at = at + 8
  const micros = int32(bytes, at + 4) * 2 ** 32 + (int32(bytes, at) >>> 0)
  const seconds = Math.floor(micros / 1_000_000)
  line.room(32)
  putClock(seconds, micros - seconds * 1_000_000, line)
}

function putClock(seconds: number, micros: number, line: Bytes): void {
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  line.padded(hours, 2)
  line.byte(colon)
  line.padded(minutes - hours * 60, 2)
  line.byte(colon)
  line.padded(seconds - minutes * 60, 2)
  line.byte(point)
  line.padded(micros, 6)
  line.byte(semicolon)
}

const [space, point, colon, semicolon] = [32, 46, 58, 59]

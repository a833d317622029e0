import type { Value } from '../../domain/column.ts'
import { int32 } from '../../domain/int32.ts'
import { isDecimal } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'
import type { Cursor } from './cursor.ts'

const [minus, point, zero, semicolon] = [45, 46, 48, 59]
const [bits22, bits32] = [2 ** 22, 2 ** 32]

/** A NUMERIC's text as Parquet has it: 16 bytes of the number times 10^9, the most significant first. False: it is none. */
export function putNumeric(text: Value, to: Bytes): boolean {
  if (typeof text !== 'string') return false
  const { length } = text
  const isNegative = length > 0 && text.charCodeAt(0) === minus
  const start = isNegative ? 1 : 0
  let at = start
  let whole = 0
  for (; at < length; at++) {
    const digit = (text.charCodeAt(at) - zero) >>> 0
    if (digit > 9) break
    whole = whole * 10 + digit
  }
  const before = at - start
  let fraction = 0
  let behind = 0
  if (at < length) {
    if (text.charCodeAt(at) !== point) return false
    for (at++; at < length; at++, behind++) {
      const digit = (text.charCodeAt(at) - zero) >>> 0
      if (digit > 9) return false
      fraction = fraction * 10 + digit
    }
  }
  // So many digits are exact; most numbers have fewer.
  if (before > 12 || behind > 9) return putLong(text, to)
  if (before + behind === 0) return false
  to.room(16)
  putSmall(whole, fraction * (scales[behind] as number), isNegative, to)
  return true
}

const scales = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1]

/** The same of many digits, or of many zeros. */
function putLong(text: string, to: Bytes): boolean {
  if (!isDecimal(text, 29, 9)) return false
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const scaled = BigInt(whole) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  const value = text.charCodeAt(0) === minus ? -scaled : scaled
  to.room(16)
  to.bytes.writeBigInt64BE(value >> 64n, to.used)
  to.bytes.writeBigUInt64BE(BigInt.asUintN(64, value), to.used + 8)
  to.used += 16
  return true
}

/** whole × 10^9 + fraction in pieces of 22 bits, so that all of it is exact in doubles: whole has at most 12 digits. */
function putSmall(whole: number, fraction: number, isNegative: boolean, to: Bytes): void {
  const upper = Math.floor(whole / bits22)
  const low = (whole - upper * bits22) * 1e9 + fraction
  const carried = Math.floor(low / bits22)
  const high = upper * 1e9 + carried
  const above = Math.floor(high / 1024)
  let word0 = ((high - above * 1024) * bits22 + (low - carried * bits22)) | 0
  let word1 = above | 0
  let word2 = Math.floor(above / bits32) | 0
  let word3 = 0
  if (isNegative) {
    word0 = -word0 | 0
    let carry = word0 === 0 ? 1 : 0
    word1 = (~word1 + carry) | 0
    carry = carry === 1 && word1 === 0 ? 1 : 0
    word2 = (~word2 + carry) | 0
    carry = carry === 1 && word2 === 0 ? 1 : 0
    word3 = (~word3 + carry) | 0
  }
  const { bytes, used } = to
  word(bytes, used, word3)
  word(bytes, used + 4, word2)
  word(bytes, used + 8, word1)
  word(bytes, used + 12, word0)
  to.used = used + 16
}

/** Puts a NUMERIC on the line as its shortest text, which is that of equal numbers, with `;` behind it. */
export function numericLine(from: Cursor, line: Bytes): void {
  const { bytes, at } = from
  from.at = at + 16
  line.room(48)
  const [above, high] = [int32(bytes, at + 4), int32(bytes, at + 8)]
  const number = high * bits32 + (int32(bytes, at + 12) >>> 0)
  // What stands above is its sign only, and it is exact in a double.
  if (int32(bytes, at) === high >> 31 && above === high >> 31 && Number.isSafeInteger(number)) {
    const size = Math.abs(number)
    const whole = Math.floor(size / 1e9)
    if (number < 0) line.byte(minus)
    line.decimal(whole)
    putFraction(size - whole * 1e9, line)
  } else {
    const value = (bytes.readBigInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8)
    const size = value < 0n ? -value : value
    if (value < 0n) line.byte(minus)
    line.ascii(String(size / 1_000_000_000n))
    putFraction(Number(size % 1_000_000_000n), line)
  }
  line.byte(semicolon)
}

function putFraction(fraction: number, line: Bytes): void {
  if (fraction === 0) return
  line.byte(point)
  line.padded(fraction, 9)
  while (line.bytes[line.used - 1] === zero) line.used--
}

function word(to: Buffer, place: number, value: number): void {
  to[place] = value >>> 24
  to[place + 1] = value >>> 16
  to[place + 2] = value >>> 8
  to[place + 3] = value
}

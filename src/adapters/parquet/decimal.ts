import type { Value } from '../../domain/column.ts'
import { isDecimal } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'

const [minus, point, zero, semicolon] = [45, 46, 48, 59]
const [bits22, bits32] = [2 ** 22, 2 ** 32]

/**
 * A NUMERIC's text as Parquet has it, 16 bytes of the number times 10^9, the most significant first; and as its shortest text, which is that of
 * equal numbers, with `;` behind it. False: it is none.
 */
export function putNumeric(text: Value, to: Bytes, line: Bytes): boolean {
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
  if (before > 12 || behind > 9) return putLong(text, to, line)
  if (before + behind === 0) return false
  to.room(16)
  putSmall(whole, fraction * (scales[behind] as number), isNegative, to)
  line.room(48)
  if (isNegative && (whole > 0 || fraction > 0)) line.byte(minus)
  line.decimal(whole)
  if (fraction > 0) {
    while (fraction % 10 === 0) {
      fraction /= 10
      behind--
    }
    line.byte(point)
    line.padded(fraction, behind)
  }
  line.byte(semicolon)
  return true
}

const scales = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1]

/** The same of many digits, or of many zeros. */
function putLong(text: string, to: Bytes, line: Bytes): boolean {
  if (!isDecimal(text, 29, 9)) return false
  const isNegative = text.charCodeAt(0) === minus
  let start = isNegative ? 1 : 0
  while (text.charCodeAt(start) === zero) start++
  const found = text.indexOf('.')
  const end = found < 0 ? text.length : found
  let last = text.length
  if (found < 0) last = end
  else while (text.charCodeAt(last - 1) === zero) last--
  if (last === end + 1) last = end
  const fraction = Number(text.slice(end + 1, last).padEnd(9, '0'))
  line.room(48)
  if (isNegative && (end > start || last > end)) line.byte(minus)
  if (end === start) line.byte(zero)
  line.ascii(text, start, last)
  line.byte(semicolon)
  to.room(16)
  putLarge(text, start, end, fraction, isNegative, to)
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

function putLarge(text: string, start: number, end: number, fraction: number, isNegative: boolean, to: Bytes): void {
  const scaled = BigInt(text.slice(start, end)) * 1_000_000_000n + BigInt(fraction)
  const value = isNegative ? -scaled : scaled
  to.bytes.writeBigInt64BE(value >> 64n, to.used)
  to.bytes.writeBigUInt64BE(BigInt.asUintN(64, value), to.used + 8)
  to.used += 16
}

function word(to: Buffer, place: number, value: number): void {
  to[place] = value >>> 24
  to[place + 1] = value >>> 16
  to[place + 2] = value >>> 8
  to[place + 3] = value
}

/** A double as C's `%.17g` writes it: all of its digits. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  if (value === 0) return '0'
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value)
  const [mantissa = '', power = ''] = rounded(value).split('e')
  const exponent = Number(power)
  const sign = value < 0 ? '-' : ''
  const digits = mantissa.replace('-', '').replace('.', '').replace(/0+$/, '')
  if (exponent < -4 || exponent >= 17) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : ''
    return `${sign}${digits[0]}${rest}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const rest = digits.slice(exponent + 1)
  return rest === '' ? `${sign}${whole}` : `${sign}${whole}.${rest}`
}

/** 17 digits and a power of ten. In the very middle of two, JavaScript takes the upper one and C the even one. */
function rounded(value: number): string {
  const text = value.toExponential(16)
  const more = value.toExponential(40)
  const from = more.indexOf('.') + 17
  if (!/^50*e/.test(more.slice(from))) return text
  const isOdd = (more.charCodeAt(from - 1) & 1) === 1
  return isOdd ? text : `${more.slice(0, from)}${more.slice(more.indexOf('e'))}`
}

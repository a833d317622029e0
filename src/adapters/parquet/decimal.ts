import { isDecimal } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'

const [point, zero, minus] = [46, 48, 45]
const [bits22, bits32] = [2 ** 22, 2 ** 32]

/**
 * A NUMERIC's text as Parquet has it, 16 bytes of the number times 10^9, the most significant first; and as its shortest text, which is that of
 * equal numbers. False: it is none.
 */
export function putNumeric(text: string, to: Bytes, line: Bytes): boolean {
  if (!isDecimal(text, 29, 9)) return false
  const isNegative = text.charCodeAt(0) === minus
  let at = isNegative ? 1 : 0
  while (text.charCodeAt(at) === zero) at++
  const start = at
  let whole = 0
  for (; at < text.length && text.charCodeAt(at) !== point; at++) whole = whole * 10 + text.charCodeAt(at) - zero
  const end = at
  let fraction = 0
  let last = end
  let behind = end + 1
  for (let scale = 1e8; behind < text.length; behind++, scale /= 10) {
    const digit = text.charCodeAt(behind) - zero
    // Behind nine digits all are zeros.
    if (digit !== 0) {
      last = behind + 1
      fraction += digit * scale
    }
  }
  line.room(48)
  if (isNegative && (end > start || last > end)) line.byte(minus)
  if (end === start) line.byte(zero)
  line.ascii(text, start, end)
  if (last > end) line.ascii(text, end, last)
  to.room(16)
  if (end - start <= 12) putSmall(whole, fraction, isNegative, to)
  else putLarge(text, start, end, fraction, isNegative, to)
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

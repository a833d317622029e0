/**
 * Postgres' numeric on the wire (src/backend/utils/adt/numeric.c, numeric_send): number of digits, weight of the first, sign, scale, then digits to
 * base 10 000.
 */
const [negative, nan, plusInfinity, minusInfinity] = [0x4000, 0xc000, 0xd000, 0xf000]

/** A sentence's part about a value that no NUMERIC is. */
export type Problem = string

/**
 * Writes a NUMERIC as Parquet has it: 16 bytes, the number times 10^9, the most significant first.
 * @returns what is wrong; undefined if it fits.
 */
export function putNumeric(from: Buffer, at: number, to: Buffer, place: number): Problem | undefined {
  const sign = uint16(from, at + 4)
  if (sign >= nan) return special(sign)
  const count = uint16(from, at)
  const weight = int16(from, at + 2)
  let [whole, fraction] = [0, 0]
  if (weight > 2) return putLarge(numericText(from, at), to, place)
  for (let index = 0; index < count; index++) {
    const digit = uint16(from, at + 8 + 2 * index)
    const power = weight - index
    if (power >= 0) whole = whole * 10_000 + digit
    else if (power === -1) fraction += digit * 100_000
    else if (power === -2) fraction += digit * 10
    else if (power === -3 && digit % 1000 === 0) fraction += digit / 1000
    else if (digit !== 0) return tooFine
  }
  for (let power = weight - count; power >= 0; power--) whole *= 10_000
  // whole × 10^9 + fraction in pieces of 22 bits, so that all of it is exact in doubles: whole has at most 12 digits.
  const upper = Math.floor(whole / bits22)
  const low = (whole - upper * bits22) * 1e9 + fraction
  const carried = Math.floor(low / bits22)
  const high = upper * 1e9 + carried
  const above = Math.floor(high / 1024)
  let word0 = ((high % 1024) * bits22 + (low - carried * bits22)) >>> 0
  let word1 = above >>> 0
  let word2 = Math.floor(above / bits32)
  let word3 = 0
  if (sign === negative) {
    word0 = (~word0 + 1) >>> 0
    let carry = word0 === 0 ? 1 : 0
    word1 = (~word1 + carry) >>> 0
    carry = carry === 1 && word1 === 0 ? 1 : 0
    word2 = (~word2 + carry) >>> 0
    carry = carry === 1 && word2 === 0 ? 1 : 0
    word3 = (~word3 + carry) >>> 0
  }
  word(to, place, word3)
  word(to, place + 4, word2)
  word(to, place + 8, word1)
  word(to, place + 12, word0)
  return undefined
}

const bits22 = 2 ** 22
const bits32 = 2 ** 32
const tooFine = 'a number with more than 9 digits after the point'
const tooLarge = 'a number with more than 29 digits before the point'

function putLarge(text: string, to: Buffer, place: number): Problem | undefined {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  if (whole.length > 29) return tooLarge
  if (fraction.length > 9) return tooFine
  let value = BigInt(whole + fraction.padEnd(9, '0'))
  if (text.startsWith('-')) value = -value
  to.writeBigInt64BE(value >> 64n, place)
  to.writeBigUInt64BE(BigInt.asUintN(64, value), place + 8)
  return undefined
}

/** What a NUMERIC or a BIGNUMERIC has no place for; undefined if all is well. `text` is that of `numericText`. */
export function numericProblem(text: string, type: 'NUMERIC' | 'BIGNUMERIC'): Problem | undefined {
  if (text === 'NaN' || text === 'infinity') return text
  // Most are short.
  if (text.length <= 10) return undefined
  const point = text.indexOf('.')
  const whole = (point < 0 ? text.length : point) - (text.startsWith('-') ? 1 : 0)
  const [before, after] = type === 'NUMERIC' ? [29, 9] : [38, 38]
  if (whole > before) return `a number with more than ${before} digits before the point`
  return point >= 0 && text.length - point - 1 > after ? `a number with more than ${after} digits after the point` : undefined
}

/** The shortest decimal text; of NaN and the infinities, what they are called. */
export function numericText(from: Buffer, at: number): string {
  const sign = uint16(from, at + 4)
  if (sign >= nan) return special(sign)
  const count = uint16(from, at)
  const weight = int16(from, at + 2)
  // Most have at most eight digits before the point and four behind it.
  if (weight <= 1 && weight >= -1 && count <= weight + 2) return shortText(from, at + 8, count, weight, sign)
  let whole = ''
  for (let index = 0; index <= weight; index++) {
    const digit = index < count ? uint16(from, at + 8 + 2 * index) : 0
    whole += index === 0 ? String(digit) : padded(digit)
  }
  let fraction = ''
  // Digits right behind the point that are zero are not sent.
  for (let power = -1; power > weight && count > 0; power--) fraction += '0000'
  for (let index = Math.max(0, weight + 1); index < count; index++) fraction += padded(uint16(from, at + 8 + 2 * index))
  let end = fraction.length
  while (end > 0 && fraction.charCodeAt(end - 1) === 48) end--
  const text = end === 0 ? whole || '0' : `${whole || '0'}.${fraction.slice(0, end)}`
  return sign === negative && text !== '0' ? `-${text}` : text
}

/** Text that is put together of two short ones is in one piece at once. */
function shortText(from: Buffer, digits: number, count: number, weight: number, sign: number): string {
  let whole = 0
  for (let index = 0; index <= weight; index++) whole = whole * 10_000 + (index < count ? uint16(from, digits + 2 * index) : 0)
  const fraction = count === weight + 2 ? uint16(from, digits + 2 * (weight + 1)) : 0
  const text = fraction === 0 ? String(whole) : whole + (fractions[fraction] ?? fractionText(fraction))
  return sign === negative && (whole !== 0 || fraction !== 0) ? `-${text}` : text
}

/** Four digits behind the point, without zeros at the end. */
const fractions = new Array<string | undefined>(10_000)

function fractionText(fraction: number): string {
  const text = `.${padded(fraction).replace(/0+$/, '')}`
  fractions[fraction] = text
  return text
}

function special(sign: number): string {
  return sign === plusInfinity || sign === minusInfinity ? 'infinity' : 'NaN'
}

function padded(digit: number): string {
  return digit >= 1000 ? String(digit) : digit >= 100 ? `0${digit}` : digit >= 10 ? `00${digit}` : `000${digit}`
}

function uint16(from: Buffer, at: number): number {
  return ((from[at] as number) << 8) | (from[at + 1] as number)
}

function int16(from: Buffer, at: number): number {
  return (uint16(from, at) << 16) >> 16
}

function word(to: Buffer, place: number, value: number): void {
  to[place] = value >>> 24
  to[place + 1] = value >>> 16
  to[place + 2] = value >>> 8
  to[place + 3] = value
}

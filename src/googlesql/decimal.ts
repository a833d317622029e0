/** Digits after the point of NUMERIC and BIGNUMERIC. */
export const scales = { NUMERIC: 9, BIGNUMERIC: 38 } as const

/** Decimal text as an integer scaled by 10^scale. Throws RangeError for text that isn't a plain decimal or has more digits after the point. */
export function scaled(text: string, scale: number): bigint {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (parts === null || `${parts[2]}${parts[3] ?? ''}` === '') throw new RangeError(`not a decimal: ${text}`)
  const fraction = (parts[3] ?? '').replace(/0+$/, '')
  if (fraction.length > scale) throw new RangeError(`more than ${scale} digits after the point: ${text}`)
  const digits = BigInt(`${parts[2]}${fraction.padEnd(scale, '0')}` || '0')
  return parts[1] === '-' ? -digits : digits
}

/** The canonical text of an integer scaled by 10^scale: no exponent, no trailing zeros, '-' only before a non-zero. */
export function unscaled(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** Little-endian two's complement, as few bytes as hold the sign: how the evaluator writes NUMERIC and BIGNUMERIC. */
export function toBytes(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const byte = Number(rest & 0xffn)
    bytes.push(byte)
    rest >>= 8n
    if ((rest === 0n && byte < 0x80) || (rest === -1n && byte >= 0x80)) return Buffer.from(bytes)
  }
}

/** The integer of such bytes. */
export function fromBytes(bytes: Uint8Array): bigint {
  let value = 0n
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0)
  return BigInt.asIntN(bytes.length * 8, value)
}

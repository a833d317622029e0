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

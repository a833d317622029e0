/**
 * Why BigQuery could not keep a JSON text as it is, or undefined if it can. A JSON column's numbers are 64-bit integers or doubles, and PARSE_JSON refuses
 * those that would change (BigQuery: JSON functions, wide_number_mode 'exact').
 */
export function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text)
  } catch {
    return 'no JSON'
  }
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    if (!token.startsWith('"') && !fits(token)) return 'a number that neither 64 bits nor a double hold'
  }
  return undefined
}

function fits(token: string): boolean {
  if (/^-?\d+$/.test(token)) {
    const value = BigInt(token)
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return true
  }
  const double = Number(token)
  return Number.isFinite(double) && canonical(token) === canonical(String(double))
}

/** Digits and exponent of a decimal, so that 1.50e3 and 1500 are one text. */
function canonical(decimal: string): string {
  const [mantissa = '', exponent = '0'] = decimal.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const power = Number(exponent) - fraction.length + (digits.length - significant.length)
  return `${mantissa.startsWith('-') ? '-' : ''}${significant}e${power}`
}

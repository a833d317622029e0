/** The shortest text of a decimal: equal numbers have equal texts, and so equal hashes. */
export function shortest(text: string): string {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  const rest = fraction.replace(/0+$/, '')
  const plain = rest === '' ? digits : `${digits}.${rest}`
  return text.startsWith('-') && plain !== '0' ? `-${plain}` : plain
}

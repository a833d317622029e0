import { compile } from '../../domain/compile.ts'

/** Texts up to so many bytes are worth being looked for; so many are kept. */
const [longest, places] = [24, 512]
/** Of so many that were looked for, a half must have been there; else the next ones of that column, sixteen times as many, are made at once. */
const tried = 1024

/**
 * Makes what reads the texts of one column. A status, a name of a place or a code stands in thousands of rows: the text that was made for the last one is
 * given again, which costs a quarter of making it.
 */
export function texts(): (from: Buffer, at: number, size: number) => string {
  const known = new Array<string>(places).fill('')
  let [asked, found, skip] = [0, 0, 0]
  return (from, at, size) => {
    if (size > longest) return textOf(from, at, size)
    if (skip > 0) {
      skip--
      return textOf(from, at, size)
    }
    if (++asked === tried) {
      if (2 * found < tried) skip = 16 * tried
      asked = 0
      found = 0
    }
    let place = size
    for (let index = at; index < at + size; index++) place = (Math.imul(place, 31) + (from[index] as number)) | 0
    place = (place ^ (place >>> 15)) & (places - 1)
    const last = known[place] as string
    if (isSame(last, from, at, size)) {
      found++
      return last
    }
    const text = textOf(from, at, size)
    known[place] = text
    return text
  }
}

/** Never of a text that is not ASCII: its characters are others than its bytes. */
function isSame(text: string, from: Buffer, at: number, size: number): boolean {
  if (text.length !== size) return false
  for (let index = 0; index < size; index++) {
    const code = text.charCodeAt(index)
    if (code !== from[at + index] || code > 127) return false
  }
  return true
}

/** More characters are cut from the buffer as quickly. */
const many = 40
const makers: ((from: Uint8Array, at: number) => string)[] = []

/** Of so many characters, each a byte, by one call with all of them (domain/compile.ts): half of what cutting takes. */
function make(from: Uint8Array, at: number, count: number): string {
  let maker = makers[count]
  if (maker === undefined) {
    const codes = Array.from({ length: count }, (_, index) => `from[at + ${index}]`)
    maker = compile<(from: Uint8Array, at: number) => string>({}, `(from, at) => String.fromCharCode(${codes.join(', ')})`)
    makers[count] = maker
  }
  return maker(from, at)
}

const latin = new Uint8Array(many)

function textOf(from: Buffer, at: number, size: number): string {
  if (size > many) return from.toString('utf8', at, at + size)
  let all = 0
  for (let index = at; index < at + size; index++) all |= from[index] as number
  if (all < 0x80) return make(from, at, size)
  // æ, ø and å, and all else up to ÿ, are two bytes, the first C2 or C3.
  let count = 0
  for (let index = at; index < at + size; index++) {
    const byte = from[index] as number
    if (byte < 0x80) latin[count++] = byte
    else if (byte === 0xc2 || byte === 0xc3) latin[count++] = ((byte & 3) << 6) | ((from[++index] as number) & 63)
    else return from.toString('utf8', at, at + size)
  }
  return make(latin, 0, count)
}

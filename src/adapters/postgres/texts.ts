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
    if (size > longest || skip > 0) {
      if (skip > 0) skip--
      return from.toString('utf8', at, at + size)
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
    const text = from.toString('utf8', at, at + size)
    known[place] = text
    return text
  }
}

/** Never of a text that is not ASCII: its characters are others than its bytes. */
function isSame(text: string, from: Buffer, at: number, size: number): boolean {
  if (text.length !== size) return false
  for (let index = 0; index < size; index++)
    if (text.charCodeAt(index) !== from[at + index] || text.charCodeAt(index) > 127) return false
  return true
}

/**
 * The texts of a column. Many columns say few things again and again: a short text that was made lately is looked up by its bytes instead of being made
 * again, which takes a tenth of the time and leaves no garbage. Where looking up finds too little, it is given up.
 */
export function strings(offsets: DataView, data: Uint8Array): (row: number) => string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length)
  const view = viewOf(data)
  const texts = new Array<string>(slots).fill('')
  const starts = new Int32Array(slots)
  const lengths = new Int32Array(slots).fill(-1)
  let [found, made] = [0, 0]
  return row => {
    const from = offsets.getInt32(4 * row, true)
    const to = offsets.getInt32(4 * row + 4, true)
    const length = to - from
    if (length > longest || (made > trial && made > found)) return bytes.toString('utf8', from, to)
    const slot = slotOf(view, from, length)
    if (lengths[slot] === length && isSame(view, starts[slot] as number, from, length)) {
      found++
      return texts[slot] as string
    }
    made++
    starts[slot] = from
    lengths[slot] = length
    const text = bytes.toString('utf8', from, to)
    texts[slot] = text
    return text
  }
}

/** A buffer's numbers, wherever it begins: a typed array wants a multiple of their size, and the buffer copied for it. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const slotBits = 10
const slots = 1 << slotBits
const longest = 40
const trial = 2000
/** 2^32 by the golden ratio: the highest bits of a product with it depend on all bits. */
const spread = 0x9e3779b1

/** By four bytes at a time; the last four may have been taken before. */
function slotOf(view: DataView, from: number, length: number): number {
  let hash = length
  const last = from + length - 4
  for (let at = from; at < last; at += 4) hash = Math.imul(hash ^ view.getInt32(at, true), spread)
  hash ^= length < 4 ? few(view, from, length) : view.getInt32(last, true)
  return Math.imul(hash, spread) >>> (32 - slotBits)
}

function isSame(view: DataView, one: number, other: number, length: number): boolean {
  if (length < 4) return few(view, one, length) === few(view, other, length)
  const last = length - 4
  for (let at = 0; at < last; at += 4) if (view.getInt32(one + at, true) !== view.getInt32(other + at, true)) return false
  return view.getInt32(one + last, true) === view.getInt32(other + last, true)
}

/** Less than four bytes as one number. */
function few(view: DataView, from: number, length: number): number {
  let word = 0
  for (let at = from; at < from + length; at++) word = (word << 8) | view.getUint8(at)
  return word
}

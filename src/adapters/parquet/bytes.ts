const [minus, zero] = [45, 48]
/** The digits of 0 to 99. */
const pairs = Uint8Array.from(
  { length: 200 },
  (_, index) => zero + (index % 2 === 0 ? Math.floor(index / 20) : (index >> 1) % 10),
)

/** What `write` calls, without its looking at what it was given: half of the time of a short text. */
type Writing = Buffer & { utf8Write(text: string, at: number): number }

/** Bytes that grow, are given away and used again. What is put must have been given room, but for `text`. */
export class Bytes {
  bytes: Buffer
  used = 0
  /** So many, or these until they are too few. */
  constructor(bytes: number | Buffer) {
    this.bytes = typeof bytes === 'number' ? Buffer.allocUnsafeSlow(bytes) : bytes
  }

  /** Makes sure that so many bytes can be put. */
  room(size: number): void {
    if (this.used + size <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.used + size, 2 * this.bytes.length))
    this.bytes.copy(larger, 0, 0, this.used)
    this.bytes = larger
  }

  byte(value: number): void {
    this.bytes[this.used++] = value
  }

  /** Characters of ASCII. */
  ascii(text: string, from = 0, to = text.length): void {
    const { bytes } = this
    let at = this.used
    for (let index = from; index < to; index++) bytes[at++] = text.charCodeAt(index)
    this.used = at
  }

  /** UTF-8, makes its own room. @returns how many bytes; -1, and nothing is put, for half of a surrogate pair, which has no UTF-8. */
  text(text: string): number {
    const { length } = text
    this.room(3 * length)
    const { bytes, used } = this
    let at = used
    // A call costs more than a few characters.
    const end = length < 24 ? length : 0
    let index = 0
    for (; index < end; index++) {
      const code = text.charCodeAt(index)
      if (code < 0x80) bytes[at++] = code
      else if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6)
        bytes[at++] = 0x80 | (code & 63)
      } else break
    }
    if (index < length) {
      if (!text.isWellFormed()) return -1
      at = used + (bytes as Writing).utf8Write(text, used)
    }
    this.used = at
    return at - used
  }

  /** Some of another's; makes its own room. */
  copy(from: Uint8Array, start: number, end: number): void {
    this.room(end - start)
    const { bytes } = this
    if (end - start < 48) {
      let at = this.used
      for (let index = start; index < end; index++) bytes[at++] = from[index] as number
      this.used = at
    } else {
      bytes.set(from.subarray(start, end), this.used)
      this.used += end - start
    }
  }

  /** A safe integer as decimal text: at most 17 bytes. */
  decimal(value: number): void {
    if (value < 0) {
      this.byte(minus)
      this.decimal(-value)
    } else if (value < 1e9) this.padded(value, value < 10 ? 1 : value < 1000 ? (value < 100 ? 2 : 3) : widthOf(value))
    else {
      const above = Math.floor(value / 1e9)
      this.decimal(above)
      this.padded(value - above * 1e9, 9)
    }
  }

  /** A number below 10^9 as so many digits. */
  padded(value: number, width: number): void {
    const { bytes, used } = this
    let rest = value | 0
    let at = used + width - 1
    for (; at > used; at -= 2) {
      const above = (rest / 100) | 0
      const pair = 2 * (rest - above * 100)
      bytes[at] = pairs[pair + 1] as number
      bytes[at - 1] = pairs[pair] as number
      rest = above
    }
    if (at === used) bytes[at] = zero + (rest % 10)
    this.used = used + width
  }

  /** Four bytes, the least significant first. */
  int32(value: number): void {
    const { bytes, used } = this
    bytes[used] = value
    bytes[used + 1] = value >>> 8
    bytes[used + 2] = value >>> 16
    bytes[used + 3] = value >>> 24
    this.used = used + 4
  }

  /** Eight bytes of a safe integer, the least significant first. */
  int64(value: number): void {
    const high = Math.floor(value / 2 ** 32)
    this.int32((value - high * 2 ** 32) | 0)
    this.int32(high | 0)
  }
}

function widthOf(value: number): number {
  let width = 4
  for (let limit = 10_000; value >= limit; limit *= 10) width++
  return width
}

import type { Vector } from '../../ports/vectors.ts'

/** Gathers the values of one column, to be given away as a Vector and then used again: what grew once stays. */
export class Builder {
  /** Where values are written; may be another after `room`. */
  bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  used = 0
  #rows = 0
  #present: Uint8Array<ArrayBuffer> = new Uint8Array(1024)
  #hasNull = false
  #lengths: Uint32Array<ArrayBuffer> | null
  constructor(isRepeated: boolean) {
    this.#lengths = isRepeated ? new Uint32Array(1024) : null
  }

  /** Makes sure that so many bytes can be written. */
  room(size: number): void {
    if (this.used + size <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.used + size, 2 * this.bytes.length))
    this.bytes.copy(larger, 0, 0, this.used)
    this.bytes = larger
  }

  /** Makes sure that so many rows can be noted. */
  roomForRows(more: number): void {
    const needed = this.#rows + more
    if (needed > this.#present.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#present.length))
      larger.set(this.#present)
      this.#present = larger
    }
    if (this.#lengths !== null && needed > this.#lengths.length) {
      const larger = new Uint32Array(Math.max(needed, 2 * this.#lengths.length))
      larger.set(this.#lengths)
      this.#lengths = larger
    }
  }

  value(): void {
    this.#present[this.#rows++] = 1
  }

  null(): void {
    this.#present[this.#rows++] = 0
    this.#hasNull = true
  }

  list(length: number): void {
    if (this.#lengths !== null) this.#lengths[this.#rows++] = length
  }

  vector(): Vector {
    return {
      values: this.bytes.subarray(0, this.used),
      present: this.#hasNull ? this.#present.subarray(0, this.#rows) : null,
      lengths: this.#lengths?.subarray(0, this.#rows) ?? null,
    }
  }

  reset(): void {
    this.used = 0
    this.#rows = 0
    this.#hasNull = false
  }
}

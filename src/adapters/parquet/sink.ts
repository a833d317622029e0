import type { Vector } from '../../ports/vectors.ts'
import { Bytes } from './bytes.ts'

/** The values of one column of a page, to be given away as a Vector and then used again: what grew once stays. */
export class Sink {
  readonly values = new Bytes(1024)
  #rows = 0
  #hasNull = false
  // Most columns have no NULL, and then no room for where they are.
  #present = new Uint8Array(0)
  #lengths: Uint32Array<ArrayBuffer> | null
  constructor(isRepeated: boolean) {
    this.#lengths = isRepeated ? new Uint32Array(64) : null
  }

  value(): void {
    if (this.#hasNull) this.#note(1)
    else this.#rows++
  }

  null(): void {
    if (!this.#hasNull) {
      this.#hasNull = true
      this.#grow()
      this.#present.fill(1, 0, this.#rows)
    }
    this.#note(0)
  }

  list(length: number): void {
    let lengths = this.#lengths as Uint32Array<ArrayBuffer>
    if (this.#rows === lengths.length) {
      const larger = new Uint32Array(2 * lengths.length)
      larger.set(lengths)
      this.#lengths = lengths = larger
    }
    lengths[this.#rows++] = length
  }

  vector(): Vector {
    return {
      values: this.values.bytes.subarray(0, this.values.used),
      present: this.#hasNull ? this.#present.subarray(0, this.#rows) : null,
      lengths: this.#lengths?.subarray(0, this.#rows) ?? null,
    }
  }

  reset(): void {
    this.values.used = 0
    this.#rows = 0
    this.#hasNull = false
  }

  #note(flag: number): void {
    if (this.#rows === this.#present.length) this.#grow()
    this.#present[this.#rows++] = flag
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(64, 2 * this.#rows, this.#present.length))
    larger.set(this.#present)
    this.#present = larger
  }
}

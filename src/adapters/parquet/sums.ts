import type { Column } from '../../domain/column.ts'
import { contentMark } from '../../domain/content.ts'
import { Bytes } from './bytes.ts'
import { addLine, type Batch, openBatch } from './md5/batch.ts'
import { startBehind } from './md5/module.ts'

/** Adds up what the content hash of rows is made of, as BigQuery does over a stage of them (domain/content.ts): two numbers of 60 bits of each row's MD5. */
export class Sums {
  /** The text of the next row is put there. */
  readonly line: Bytes
  readonly #batch: Batch
  readonly #lines: Buffer
  readonly #ends: Uint32Array
  // Lines of the batch, and where the next one begins.
  #count = 0
  #start = 0
  #rows = 0

  constructor(batch = openBatch()) {
    this.#batch = batch
    this.#lines = batch.lines
    this.#ends = batch.ends
    this.line = new Bytes(batch.lines)
  }

  /** Adds the row that is on the line. @returns how many bytes its text had. */
  add(): number {
    const { line } = this
    const size = line.used - this.#start
    this.#rows++
    // A line that had no room has moved to bytes of its own.
    if (line.bytes !== this.#lines) this.#addAlone(size)
    else {
      this.#ends[this.#count++] = line.used
      line.used = this.#start = startBehind(line.used)
      if (this.#start > this.#lines.length - lineRoom) this.#hash()
    }
    return size
  }

  /** The hash of all. */
  hashOf(columns: readonly Column[]): string {
    this.#hash()
    const [a = 0n, b = 0n, c = 0n, d = 0n] = this.#batch.sums
    return `${contentMark(columns)}${this.#rows}-${(a << 30n) + b}-${(c << 30n) + d}`
  }

  #addAlone(size: number): void {
    const { line } = this
    addLine(this.#batch.sums, line.bytes.subarray(this.#start, line.used))
    this.#hash()
    // After a long row another one is likely.
    if (size <= lineRoom) line.bytes = this.#lines
  }

  #hash(): void {
    if (this.#count > 0) this.#batch.add(this.#count)
    this.line.used = this.#start = this.#count = 0
  }
}

/** Bytes that every row finds in a batch at least. */
const lineRoom = 32 * 1024

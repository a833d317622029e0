import type { Column } from '../../domain/column.ts'
import { contentMark } from '../../domain/content.ts'
import { Bytes } from './bytes.ts'
import { addLine, type Batch, openBatch } from './md5/batch.ts'
import { startBehind } from './md5/module.ts'

/** Rows, and the sums of the first 30 bits of their MD5, the next ones, and so on; those of parts add up. */
export type Totals = { readonly rows: number; readonly sums: readonly bigint[] }

/** The hash of all rows of some parts. */
export function hashOf(columns: readonly Column[], parts: readonly Totals[]): string {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const [a, b, c, d] = [0, 1, 2, 3].map(index => parts.reduce((sum, { sums }) => sum + (sums[index] ?? 0n), 0n)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  return `${contentMark(columns)}${rows}-${(a << 30n) + b}-${(c << 30n) + d}`
}

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

  /** Of all that were added. */
  totals(): Totals {
    this.#hash()
    return { rows: this.#rows, sums: [...this.#batch.sums] }
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

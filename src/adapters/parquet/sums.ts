import { hash } from 'node:crypto'
import type { Column } from '../../domain/column.ts'
import { contentMark } from '../../domain/content.ts'
import type { Bytes } from './bytes.ts'

/** Adds up what the content hash of rows is made of, as BigQuery does over a stage of them (domain/content.ts): two numbers of 60 bits of each row's MD5. */
export class Sums {
  #rows = 0
  #first = 0n
  #second = 0n
  // Halves of 30 bits: the sums of some million are exact in doubles.
  #halves: [number, number, number, number] = [0, 0, 0, 0]

  /** A row, by the text that is made of it. */
  add(line: Bytes): void {
    const digest = hash('md5', line.bytes.subarray(0, line.used), 'binary')
    const byte = (index: number) => digest.charCodeAt(index)
    const middle = byte(7)
    const halves = this.#halves
    halves[0] += (byte(0) << 22) | (byte(1) << 14) | (byte(2) << 6) | (byte(3) >> 2)
    halves[1] += ((byte(3) & 3) << 28) | (byte(4) << 20) | (byte(5) << 12) | (byte(6) << 4) | (middle >> 4)
    halves[2] += ((middle & 15) << 26) | (byte(8) << 18) | (byte(9) << 10) | (byte(10) << 2) | (byte(11) >> 6)
    halves[3] += ((byte(11) & 63) << 24) | (byte(12) << 16) | (byte(13) << 8) | byte(14)
    if ((++this.#rows & 0xfffff) === 0) this.#carry()
  }

  /** The hash of all. */
  hashOf(columns: readonly Column[]): string {
    this.#carry()
    return `${contentMark(columns)}${this.#rows}-${this.#first}-${this.#second}`
  }

  #carry(): void {
    const [a, b, c, d] = this.#halves.map(BigInt) as [bigint, bigint, bigint, bigint]
    this.#first += (a << 30n) + b
    this.#second += (c << 30n) + d
    this.#halves = [0, 0, 0, 0]
  }
}

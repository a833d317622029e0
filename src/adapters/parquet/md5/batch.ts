import { hash } from 'node:crypto'
import { blockSize, writeAdded } from './block.ts'
import { endsAt, linesAt, linesSize, md5Module, startBehind, sumsAt } from './module.ts'

/** Lines whose MD5 are taken at once and added up. The first begins at 0, the others at `startBehind` the end of the one before. */
export interface Batch {
  readonly lines: Buffer
  /** Where each line ends. */
  readonly ends: Uint32Array
  /** Of all lines that were ever added: the first 30 bits of their MD5, the next ones, and so on. */
  readonly sums: BigUint64Array
  /** Adds the first so many lines. What lies between lines is overwritten. */
  add(count: number): void
}

/** By WebAssembly where there is one with SIMD, as Node has on x64 and arm64. */
export function openBatch(): Batch {
  try {
    return wasmBatch()
  } catch {
    // x64 before SSE4.1 has no SIMD, and a limit of the address space (ulimit -v) leaves no room for its memory, which takes gigabytes of addresses.
    return cryptoBatch()
  }
}

/** What is used of it; Node's types have none. */
interface Wasm {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (
    module: object,
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly main: Batch['add'] } }
}

let compiled: object | undefined

/** Eight lines at a time. Throws where there is no WebAssembly, no SIMD in it, or no memory for it. */
export function wasmBatch(): Batch {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  compiled ??= new Module(md5Module())
  const { memory, main } = new Instance(compiled).exports
  const { buffer } = memory
  writeAdded(buffer)
  return {
    lines: Buffer.from(buffer, linesAt, linesSize),
    ends: new Uint32Array(buffer, endsAt, linesSize / blockSize),
    sums: new BigUint64Array(buffer, sumsAt, 4),
    add: main,
  }
}

/** One line after the other. */
export function cryptoBatch(): Batch {
  const lines = Buffer.allocUnsafeSlow(linesSize)
  const ends = new Uint32Array(linesSize / blockSize)
  const sums = new BigUint64Array(4)
  return {
    lines,
    ends,
    sums,
    add(count) {
      const halves: Halves = [0, 0, 0, 0]
      let start = 0
      for (let index = 0; index < count; index++) {
        const end = ends[index] as number
        addDigest(halves, lines.subarray(start, end))
        start = startBehind(end)
      }
      carry(halves, sums)
    },
  }
}

/** Adds a line that is in no batch. */
export function addLine(sums: BigUint64Array, line: Uint8Array): void {
  const halves: Halves = [0, 0, 0, 0]
  addDigest(halves, line)
  carry(halves, sums)
}

/** As numbers, which hold those of some million lines exactly. */
type Halves = [number, number, number, number]

function addDigest(halves: Halves, line: Uint8Array): void {
  const digest = hash('md5', line, 'binary')
  const byte = (index: number) => digest.charCodeAt(index)
  const middle = byte(7)
  halves[0] += (byte(0) << 22) | (byte(1) << 14) | (byte(2) << 6) | (byte(3) >> 2)
  halves[1] += ((byte(3) & 3) << 28) | (byte(4) << 20) | (byte(5) << 12) | (byte(6) << 4) | (middle >> 4)
  halves[2] += ((middle & 15) << 26) | (byte(8) << 18) | (byte(9) << 10) | (byte(10) << 2) | (byte(11) >> 6)
  halves[3] += ((byte(11) & 63) << 24) | (byte(12) << 16) | (byte(13) << 8) | byte(14)
}

function carry(halves: Halves, sums: BigUint64Array): void {
  for (let index = 0; index < 4; index++) sums[index] = (sums[index] as bigint) + BigInt(halves[index] as number)
}

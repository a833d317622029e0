// Makes of the pages that press.ts shares with it what the file and the hash need, one after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { zstdCompressSync } from 'node:zlib'
import type { Column } from '../../domain/column.ts'
import { pageHasher } from './lines.ts'
import { pageOf, sizeOf } from './page.ts'
import { type SharedPage, seen } from './share.ts'
import { Sums } from './sums.ts'
import { zstdOptions } from './zstd.ts'

/** Results up to so many bytes lie in memory that node gives to others as well. */
const pooled = 64 * 1024

const { columns, isHashed } = workerData as { readonly columns: readonly Column[]; readonly isHashed: boolean }
const hash = pageHasher(columns)
const sums = new Sums()
// Both are used again and again, so that nobody has to collect them: here almost nothing else is made that would make somebody collect.
/** Where the pieces of a column are put together. */
let whole = Buffer.allocUnsafeSlow(64 * 1024)
/** Where the results lie until the next page comes. */
let results = new Uint8Array(new SharedArrayBuffer(64 * 1024))
let used = 0

parentPort?.on('message', ({ page: shared }: { readonly page?: SharedPage }) => {
  if (shared === undefined) {
    parentPort?.postMessage(sums.totals())
    return
  }
  const page = seen(shared)
  if (isHashed) hash(page, sums)
  const parts = page.columns.map((vector, index) => pageOf(columns[index] as Column, vector, page.rows))
  const sizes = parts.map(({ pieces }) => sizeOf(pieces))
  used = 0
  const ends = parts.map(({ pieces }, index) => compress(pieces, sizes[index] as number))
  parentPort?.postMessage({ results, ends, sizes, entries: parts.map(({ entries }) => entries) })
})

/** @returns where the result ends. */
function compress(pieces: readonly Uint8Array[], size: number): number {
  if (size > whole.length) whole = Buffer.allocUnsafeSlow(size + (size >> 2))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  const body = zstdCompressSync(whole.subarray(0, size), { ...zstdOptions(size), chunkSize: size + 1024 })
  if (used + body.length > results.length) {
    const larger = new Uint8Array(new SharedArrayBuffer(2 * (used + body.length)))
    larger.set(results.subarray(0, used))
    results = larger
  }
  results.set(body, used)
  used += body.length
  // Given back at once. Small ones lie in memory that node gives to others as well.
  if (body.buffer.byteLength > pooled) (body.buffer as ArrayBuffer).transfer(0)
  return used
}

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
/** Where the pieces of a column are put together: nothing here that somebody has to collect, since so little else is made that nobody would. */
let whole = Buffer.allocUnsafeSlow(64 * 1024)

parentPort?.on('message', ({ page: shared }: { readonly page?: SharedPage }) => {
  if (shared === undefined) {
    parentPort?.postMessage(sums.totals())
    return
  }
  const page = seen(shared)
  if (isHashed) hash(page, sums)
  const parts = page.columns.map((vector, index) => pageOf(columns[index] as Column, vector, page.rows))
  const sizes = parts.map(({ pieces }) => sizeOf(pieces))
  const bodies = parts.map(({ pieces }, index) => compressed(pieces, sizes[index] as number))
  parentPort?.postMessage(
    { bodies, sizes, entries: parts.map(({ entries }) => entries) },
    bodies.map(({ buffer }) => buffer as ArrayBuffer),
  )
})

function compressed(pieces: readonly Uint8Array[], size: number): Uint8Array {
  if (size > whole.length) whole = Buffer.allocUnsafeSlow(size + (size >> 2))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  // In one piece, which is handed over; what is not written of it is no memory.
  const body = zstdCompressSync(whole.subarray(0, size), { ...zstdOptions(size), chunkSize: size + 1024 })
  return body.buffer.byteLength > pooled ? body : Uint8Array.from(body)
}

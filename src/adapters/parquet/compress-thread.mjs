// Compresses what compress.ts puts into the common memory, part after part. It is JavaScript, since a thread that takes types out of its file needs 40 MiB for that.
import { parentPort } from 'node:worker_threads'
import { zstdCompressSync } from 'node:zlib'

/** Results up to so many bytes lie in memory that node gives to others as well. */
const pooled = 64 * 1024

parentPort?.on('message', ({ common, options }) => {
  let at = 0
  const bodies = options.map(one => {
    const body = zstdCompressSync(common.subarray(at, at + one.pledgedSrcSize), one)
    at += one.pledgedSrcSize
    return body.buffer.byteLength > pooled ? body : Uint8Array.from(body)
  })
  // Handed over: here nothing would collect them, since so little else is made.
  parentPort?.postMessage(
    bodies,
    bodies.map(({ buffer }) => buffer),
  )
})

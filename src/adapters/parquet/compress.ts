import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { zstdCompress } from 'node:zlib'
import { EtlError } from '../../domain/error.ts'
import { zstdOptions } from './zstd.ts'

/** Compresses by zstd, beside what else the process does. */
export type Compressor = {
  /** What is given, each in pieces, may be used again when this returns. At most one call at a time. */
  all(parts: readonly (readonly Uint8Array[])[]): Promise<readonly Uint8Array[]>
  /** Ends its thread; may be repeated. */
  close(): Promise<void>
}

/**
 * So many bytes are compressed on libuv's threads, which cost the main one as much as the work itself; more are worth a thread that keeps what it needs (30 ms, some MiB).
 */
const few = 8 * 1024 * 1024

export function createCompressor(): Compressor {
  let bytes = 0
  let thread: Thread | undefined
  return {
    all(parts) {
      bytes += parts.reduce((sum, pieces) => sum + sizeOf(pieces), 0)
      if (bytes <= few) return byLibuv(parts.map(pieces => Buffer.concat(pieces)))
      thread ??= startThread()
      return thread.all(parts)
    },
    async close() {
      await thread?.end()
      thread = undefined
    },
  }
}

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}

const one = promisify(zstdCompress)

/** Two at a time: each has working memory of its own. */
async function byLibuv(parts: readonly Buffer[]): Promise<readonly Buffer[]> {
  const bodies: Buffer[] = []
  const next = parts.entries()
  const work = async () => {
    for (const [index, part] of next) bodies[index] = await one(part, zstdOptions(part.length))
  }
  await Promise.all([work(), work()])
  return bodies
}

type Thread = { readonly all: Compressor['all']; end(): Promise<unknown> }

function startThread(): Thread {
  const worker = new Worker(new URL('./compress-thread.mjs', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
  })
  // It keeps the process from ending only while it is at work.
  worker.unref()
  // Memory of both threads, that nobody has to collect.
  let common = new Uint8Array(new SharedArrayBuffer(1024))
  let answer: PromiseWithResolvers<readonly Uint8Array[]> | undefined
  const settle = (how: (answer: PromiseWithResolvers<readonly Uint8Array[]>) => void) => {
    worker.unref()
    if (answer !== undefined) how(answer)
    answer = undefined
  }
  worker.on('message', (bodies: readonly Uint8Array[]) => settle(({ resolve }) => resolve(bodies)))
  worker.on('error', cause => settle(({ reject }) => reject(ended(cause))))
  worker.on('exit', () => settle(({ reject }) => reject(ended())))
  return {
    all(parts) {
      const sizes = parts.map(sizeOf)
      const size = sizes.reduce((sum, each) => sum + each, 0)
      if (size > common.length) common = new Uint8Array(new SharedArrayBuffer(size + (size >> 2)))
      let at = 0
      for (const piece of parts.flat()) {
        common.set(piece, at)
        at += piece.length
      }
      answer = Promise.withResolvers()
      worker.ref()
      worker.postMessage({ common, options: sizes.map(size => ({ ...zstdOptions(size), chunkSize: size + 1024 })) })
      return answer.promise
    },
    end: () => worker.terminate(),
  }
}

function ended(cause?: unknown): EtlError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new EtlError('bug', `the thread that compresses what is staged ended${why}.`, { cause })
}

import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { zstdCompress } from 'node:zlib'
import type { Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import type { VectorPage } from '../../ports/vectors.ts'
import { pageHasher } from './lines.ts'
import { pageOf } from './page.ts'
import { share } from './share.ts'
import { hashOf, Sums, type Totals } from './sums.ts'
import { zstdOptions } from './zstd.ts'

/** What is written of the columns of a page: compressed by zstd, bytes before that, and values with NULLs. */
type Pressed = {
  readonly bodies: readonly Uint8Array[]
  readonly sizes: readonly number[]
  readonly entries: readonly number[]
}

/** Makes of pages what the files and the content hash need, beside what else the process does. */
export type Press = {
  /** The page may be used again when this returns, and what it gives holds until the next call. At most one call at a time. */
  page(page: VectorPage): Promise<Pressed>
  /** The hash of all pages (domain/content.ts). */
  hash(): Promise<string>
  /** Ends its thread; may be repeated. */
  close(): Promise<void>
}

/**
 * So many bytes are pressed without a thread of our own: node's asynchronous zstd costs the main one as much as the work itself, but a thread takes 50 ms and some MiB.
 */
const few = 8 * 1024 * 1024

/** Of columns that are no records. `isHashed`: `hash` will be asked. */
export function createPress(columns: readonly Column[], { isHashed }: { readonly isHashed: boolean }): Press {
  let bytes = 0
  let here: ReturnType<typeof pressHere> | undefined
  let thread: Thread | undefined
  return {
    page(page) {
      bytes += page.columns.reduce((sum, { values }) => sum + values.length, 0)
      if (bytes <= few) {
        here ??= pressHere(columns, isHashed)
        return here.page(page)
      }
      thread ??= startThread(columns, isHashed)
      return thread.page(page)
    },
    async hash() {
      const totals = [here?.sums?.totals(), await thread?.totals()]
      return hashOf(
        columns,
        totals.filter(each => each !== undefined),
      )
    },
    async close() {
      await thread?.end()
      thread = undefined
    },
  }
}

const compress = promisify(zstdCompress)

function pressHere(columns: readonly Column[], isHashed: boolean) {
  const sums = isHashed ? new Sums() : undefined
  const hash = pageHasher(columns)
  return {
    sums,
    async page(page: VectorPage): Promise<Pressed> {
      const parts = page.columns.map((vector, index) => pageOf(columns[index] as Column, vector, page.rows))
      const whole = parts.map(({ pieces }) => Buffer.concat(pieces))
      if (sums !== undefined) hash(page, sums)
      const bodies: Buffer[] = []
      const next = whole.entries()
      const work = async () => {
        for (const [index, part] of next) bodies[index] = await compress(part, zstdOptions(part.length))
      }
      // Two at a time: each has working memory of its own.
      await Promise.all([work(), work()])
      return { bodies, sizes: whole.map(part => part.length), entries: parts.map(({ entries }) => entries) }
    },
  }
}

/** What the thread answers: the bodies lie one behind the other. */
type InThread = Omit<Pressed, 'bodies'> & { readonly results: Uint8Array; readonly ends: readonly number[] }
type Thread = { page: Press['page']; totals(): Promise<Totals>; end(): Promise<unknown> }

function startThread(columns: readonly Column[], isHashed: boolean): Thread {
  const worker = new Worker(new URL('./press-thread.ts', import.meta.url), {
    workerData: { columns: columns.map(({ name, type, mode }) => ({ name, type, mode })), isHashed },
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
  })
  // It keeps the process from ending only while it is at work.
  worker.unref()
  let answer: PromiseWithResolvers<unknown> | undefined
  const settle = (how: (answer: PromiseWithResolvers<unknown>) => void) => {
    worker.unref()
    if (answer !== undefined) how(answer)
    answer = undefined
  }
  worker.on('message', value => settle(({ resolve }) => resolve(value)))
  // One that has ended between two questions answers nothing, and no message to it fails.
  let end: EtlError | undefined
  const over = (cause?: unknown) => {
    const why = end ?? ended(cause)
    end = why
    settle(({ reject }) => reject(why))
  }
  worker.on('error', over)
  worker.on('exit', () => over())
  const ask = async <T>(question: unknown): Promise<T> => {
    if (end !== undefined) throw end
    answer = Promise.withResolvers()
    worker.ref()
    worker.postMessage(question)
    return answer.promise as Promise<T>
  }
  const shared = share()
  return {
    async page(page) {
      const { results, ends, ...rest } = await ask<InThread>({ page: shared(page) })
      return { bodies: ends.map((end, index) => results.subarray(ends[index - 1] ?? 0, end)), ...rest }
    },
    totals: () => ask<Totals>({}),
    end: () => worker.terminate(),
  }
}

function ended(cause?: unknown): EtlError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new EtlError('bug', `the thread that writes what is staged ended${why}.`, { cause })
}

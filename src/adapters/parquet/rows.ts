import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyRow, Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { Misfit } from '../../domain/misfit.ts'
import type { SpoolWriter } from '../../ports/spool.ts'
import { rowEncoder } from './encode.ts'
import { createParquet, type ParquetFile } from './file.ts'
import { openFolder, safely } from './folder.ts'
import { createPress } from './press.ts'
import { Sink } from './sink.ts'

/** Bytes of the rows of one file before they are compressed, about: one upload each. */
const partBytes = 64 * 1024 * 1024

/** A page is written with the first row that makes it so large. */
const [pageRows, pageBytes] = [16_384, 4 * 1024 * 1024]

/** Can rows of these columns be written without an engine? Records can't. */
export function areFlat(columns: readonly Column[]): boolean {
  return columns.every(({ type }) => type !== 'RECORD')
}

/** Writes rows as Parquet, in a folder of its own under `directory`, and hashes them: each value is looked at once, and becomes no object. */
export async function openRows(
  columns: readonly Column[],
  options: { readonly directory: string; readonly partBytes?: number },
): Promise<SpoolWriter> {
  const encode = rowEncoder(columns)
  const sinksOf = () => columns.map(({ mode }) => new Sink(mode === 'REPEATED'))
  // One page is written while the next one fills.
  let [sinks, away] = [sinksOf(), sinksOf()]
  const folder = await openFolder(options.directory)
  const press = createPress(columns, { isHashed: true })
  const files: string[] = []
  let file: ParquetFile | undefined
  let [rows, inPage, inPart, size, writing] = [0, 0, 0, 0, Promise.resolve()]

  const put = (row: AnyRow) => {
    try {
      size = encode(row, sinks)
    } catch (error) {
      if (!(error instanceof Misfit)) throw error
      throw new EtlError('row', `row ${rows + 1} of the result › ${error.at}: ${error.problem}.`)
    }
    rows++
    inPage++
  }
  const append = async (vectors: ReturnType<Sink['vector']>[], count: number, last: boolean) => {
    if (file === undefined) {
      const path = join(folder, `part-${files.length + 1}.parquet`)
      file = await createParquet(path, columns, press)
      files.push(path)
    }
    await file.write({ rows: count, columns: vectors })
    if (!last) return
    await file.close()
    file = undefined
  }
  /** Returns once the page before is written. */
  const endPage = async () => {
    await safely(() => writing)
    inPart += size
    const isLast = inPart >= (options.partBytes ?? partBytes)
    if (isLast) inPart = 0
    writing = append(
      sinks.map(sink => sink.vector()),
      inPage,
      isLast,
    )
    // The next page, or the end, hears of it.
    writing.catch(() => {})
    ;[sinks, away] = [away, sinks]
    for (const sink of sinks) sink.reset()
    inPage = 0
  }
  return {
    async write(more) {
      for (const row of more) {
        put(row)
        if (inPage === pageRows || size >= pageBytes) await endPage()
      }
    },
    async finish() {
      if (inPage > 0) await endPage()
      const contentHash = await safely(async () => {
        await writing
        await file?.close()
        file = undefined
        return press.hash()
      })
      await press.close()
      return { files, rows, contentHash }
    },
    async discard() {
      await writing.catch(() => {})
      await file?.close().catch(() => {})
      file = undefined
      await press.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

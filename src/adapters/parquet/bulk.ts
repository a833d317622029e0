import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Column } from '../../domain/column.ts'
import type { BulkWriter } from '../../ports/spool.ts'
import type { VectorPage } from '../../ports/vectors.ts'
import { createParquet, type ParquetFile } from './file.ts'
import { openFolder, safely } from './folder.ts'
import { createPress } from './press.ts'

/** Bytes of one file, about: an upload and a load job each. */
const partBytes = 128 * 1024 * 1024

/** Writes vectors as Parquet, in a folder of its own under `directory`: no engine, and what is compressed is compressed beside the reading. */
export async function openBulk(
  columns: readonly Column[],
  options: { readonly directory: string; readonly partBytes?: number },
): Promise<BulkWriter> {
  const folder = await openFolder(options.directory)
  const press = createPress(columns, { isHashed: false })
  const files: string[] = []
  let file: ParquetFile | undefined
  let [rows, writing] = [0, Promise.resolve()]
  const append = async (page: VectorPage) => {
    if (file === undefined) {
      const path = join(folder, `part-${files.length + 1}.parquet`)
      file = await createParquet(path, columns, press)
      files.push(path)
    }
    await file.write(page)
    if (file.size < (options.partBytes ?? partBytes)) return
    await file.close()
    file = undefined
  }
  return {
    async write(page) {
      await safely(() => writing)
      writing = append(page)
      // The next write, or the end, hears of it.
      writing.catch(() => {})
      rows += page.rows
    },
    async finish() {
      await safely(async () => {
        await writing
        await file?.close()
        file = undefined
      })
      await press.close()
      return { files, rows, contentHash: null }
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

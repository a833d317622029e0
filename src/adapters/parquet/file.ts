import { type FileHandle, open } from 'node:fs/promises'
import type { Column } from '../../domain/column.ts'
import type { VectorPage } from '../../ports/vectors.ts'
import { sizeOf } from './page.ts'
import type { Press } from './press.ts'
import { type Physical, physicalOf, schemaOf } from './schema.ts'
import { type ThriftStruct, thrift } from './thrift.ts'

const [plain, rle, zstd, dataPage] = [0, 3, 6, 0]
const magic = Buffer.from('PAR1')

/** A Parquet file that is written row group by row group; each page given is one. */
export type ParquetFile = {
  /** The page may be used again when this returns; at most one may be on its way. */
  write(page: VectorPage): Promise<void>
  /** Bytes so far. */
  readonly size: number
  close(): Promise<void>
}

/** @throws what the file system says. */
export async function createParquet(path: string, columns: readonly Column[], press: Press): Promise<ParquetFile> {
  const handle = await open(path, 'wx')
  let size = 0
  let rows = 0
  const groups: ThriftStruct[] = []
  const append = async (pieces: readonly Uint8Array[]) => {
    await writeAll(handle, pieces)
    size += sizeOf(pieces)
  }
  await append([magic])
  return {
    async write(page) {
      const count = page.rows
      const { bodies, sizes, entries } = await press.page(page)
      const chunks: ThriftStruct[] = []
      let total = 0
      const parts: Uint8Array[] = []
      let place = size
      for (const [index, body] of bodies.entries()) {
        const before = sizes[index] as number
        const values = entries[index] as number
        const header = thrift({
          1: { i32: dataPage },
          2: { i32: before },
          3: { i32: body.length },
          5: { struct: { 1: { i32: values }, 2: { i32: plain }, 3: { i32: rle }, 4: { i32: rle } } },
        })
        parts.push(header, body)
        const compressed = header.length + body.length
        const uncompressed = header.length + before
        chunks.push(columnChunk(columns[index] as Column, values, place, compressed, uncompressed))
        place += compressed
        total += uncompressed
      }
      await append(parts)
      groups.push({ 1: { list: chunks.map(struct => ({ struct })) }, 2: { i64: total }, 3: { i64: count } })
      rows += count
    },
    get size() {
      return size
    },
    close: () => finish(handle, columns, groups, rows),
  }
}

function columnChunk(column: Column, entries: number, place: number, compressed: number, uncompressed: number): ThriftStruct {
  const path = column.mode === 'REPEATED' ? [column.name, 'list', 'element'] : [column.name]
  return {
    2: { i64: place },
    3: {
      struct: {
        1: { i32: (physicalOf(column) as Physical).type },
        2: { list: [{ i32: plain }, { i32: rle }] },
        3: { list: path.map(text => ({ text })) },
        4: { i32: zstd },
        5: { i64: entries },
        6: { i64: uncompressed },
        7: { i64: compressed },
        9: { i64: place },
      },
    },
  }
}

async function finish(
  handle: FileHandle,
  columns: readonly Column[],
  groups: readonly ThriftStruct[],
  rows: number,
): Promise<void> {
  const footer = thrift({
    1: { i32: 1 },
    2: { list: schemaOf(columns).map(struct => ({ struct })) },
    3: { i64: rows },
    4: { list: groups.map(struct => ({ struct })) },
    6: { text: 'nais-etl' },
  })
  const size = Buffer.alloc(4)
  size.writeUInt32LE(footer.length)
  try {
    await writeAll(handle, [footer, size, magic])
  } finally {
    await handle.close()
  }
}

/** A disk that becomes full takes what it has room for and fails with the next write only: that may never come. */
async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const { bytesWritten } = await handle.writev(pieces)
  if (bytesWritten < sizeOf(pieces)) throw Object.assign(new Error('a part was written only'), { code: 'ENOSPC' })
}

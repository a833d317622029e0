import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type * as duckdb from '@duckdb/node-api'
import type { AnyRow, Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { Misfit } from '../../domain/misfit.ts'
import type { Spool, Spooled, SpoolWriter } from '../../ports/spool.ts'
import { added, hashOf, noSums, sumsSql } from './content.ts'
import { type Database, openDatabase } from './database.ts'
import { type Encode, encoder } from './encode.ts'
import { toEtlError } from './errors.ts'
import { sizeOf } from './size.ts'
import { duckType, quoted } from './types.ts'

/** Bytes of the rows of one Parquet file before they are compressed, about: one upload each, and all that is ever held of the rows. */
const partBytes = 64 * 1024 * 1024

/** Bytes of the dictionaries of all columns of a file together: the writer takes as much for each as it may, also for a few rows. */
const dictionaryBytes = 16 * 1024 * 1024

/** Rows that DuckDB takes at once; also its largest chunk. */
const chunkRows = 2048

/** Bytes of so many rows, about: DuckDB works on `chunkRows` of a part at once, and holds all of their long values while it does. */
const chunkBytes = 4 * 1024 * 1024

/** The appender holds this many rows outside of DuckDB's memory limit. */
const flushRows = 8 * chunkRows

/** Rows on disk by DuckDB, in a folder of its own under `directory` for each writer. */
export function createSpool(options: { readonly directory: string; readonly partBytes?: number }): Pick<Spool, 'open'> {
  return { open: columns => openWriter(columns, options.directory, options.partBytes ?? partBytes) }
}

async function openWriter(columns: readonly Column[], directory: string, size: number): Promise<SpoolWriter> {
  const folder = await mkdir(directory, { recursive: true })
    .then(() => mkdtemp(join(directory, 'etl-')))
    .catch(error => {
      throw toEtlError(error)
    })
  const parts = opening(folder)
  try {
    return await writer(parts, columns, folder, size)
  } catch (error) {
    await parts.discard()
    throw toEtlError(error)
  }
}

/** What is open of a spool so far, and how it is closed: each part on its own, so that one that fails keeps no other open. */
function opening(folder: string) {
  let database: Database | undefined
  let appender: duckdb.DuckDBAppender | undefined
  const close = async () => {
    const [opened, filled] = [database, appender]
    database = undefined
    appender = undefined
    try {
      filled?.closeSync()
    } finally {
      await opened?.close()
    }
  }
  return {
    database: (made: Database) => {
      database = made
      return made
    },
    appender: (made: duckdb.DuckDBAppender) => {
      appender = made
      return made
    },
    /** May be repeated. */
    close,
    /** Closes and deletes all, also what was half made; may be repeated. */
    discard: async () => {
      await close().catch(() => {})
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function writer(
  parts: ReturnType<typeof opening>,
  columns: readonly Column[],
  folder: string,
  size: number,
): Promise<SpoolWriter> {
  const duck = await import('@duckdb/node-api')
  const encoders = columns.map(column => encoder(duck, column))
  const { connection } = parts.database(await openDatabase(folder, leavesOf(columns)))
  await connection.run(`CREATE TABLE spool (${columns.map(column => `${quoted(column.name)} ${duckType(column)}`).join(', ')})`)
  // Transactions that are never committed: what is appended goes straight to the file, not to a log first.
  await connection.run('BEGIN TRANSACTION')
  const appender = parts.appender(await connection.createAppender('spool'))
  const types = columns.map((_, index) => appender.columnType(index))
  // One chunk for all: each has memory of DuckDB's that JavaScript's collector knows nothing of.
  const data = duck.DuckDBDataChunk.create(types, chunkRows)
  const files: string[] = []
  let sums = noSums
  let [rows, written, bytes] = [0, 0, 0]
  let recent = { rows: 0, bytes: 0 }

  const append = (chunk: readonly AnyRow[]) => {
    data.reset()
    data.rowCount = chunk.length
    columns.forEach((column, index) => {
      data.setColumnValues(index, encodeColumn(chunk, column, encoders[index] as Encode, rows))
    })
    appender.appendDataChunk(data)
    rows += chunk.length
    if (rows % flushRows < chunkRows) appender.flushSync()
  }
  /** Hashes and writes the rows that are there, and forgets them. */
  const endPart = async () => {
    appender.flushSync()
    const [found] = (await connection.runAndReadAll(sumsSql(columns, 'spool'))).getRows()
    sums = added(sums, found)
    const file = join(folder, `part-${files.length + 1}.parquet`)
    await connection.run(copySql(file, leavesOf(columns)))
    files.push(file)
    await connection.run('ROLLBACK')
    await connection.run('BEGIN TRANSACTION')
    written = rows
    bytes = 0
    recent = { rows: 0, bytes: 0 }
  }
  /** Rows of long values make small parts, so that no work on one needs more memory than there is. */
  const add = async (chunk: readonly AnyRow[]): Promise<void> => {
    const more = columns.reduce((sum, column) => sum + sizeOf(chunk, column), 0)
    if (more > chunkBytes && chunk.length > 1) {
      const half = chunk.length >> 1
      await add(chunk.slice(0, half))
      return add(chunk.slice(half))
    }
    append(chunk)
    bytes += more
    recent = recent.rows >= chunkRows ? { rows: 0, bytes: 0 } : recent
    recent = { rows: recent.rows + chunk.length, bytes: recent.bytes + more }
    if (bytes >= size || recent.bytes >= 2 * chunkBytes) await endPart()
  }

  return {
    async write(more) {
      try {
        for (let start = 0; start < more.length; start += chunkRows) await add(more.slice(start, start + chunkRows))
      } catch (error) {
        throw toEtlError(error)
      }
    },
    async finish(): Promise<Spooled> {
      try {
        if (rows > written) await endPart()
        await parts.close()
        return { files, rows, contentHash: hashOf(columns, sums) }
      } catch (error) {
        throw toEtlError(error)
      }
    },
    discard: parts.discard,
  }
}

function encodeColumn(chunk: readonly AnyRow[], column: Column, encode: Encode, before: number): duckdb.DuckDBValue[] {
  let index = 0
  try {
    const values: duckdb.DuckDBValue[] = new Array(chunk.length)
    for (; index < chunk.length; index++) values[index] = encode((chunk[index] as AnyRow)[column.name])
    return values
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    throw new EtlError('row', `row ${before + index + 1} of the result › ${error.at}: ${error.problem}.`)
  }
}

/** Columns that hold buffers: the scalar ones, those inside of records too; an array's lengths are one of their own. */
function leavesOf(columns: readonly Column[]): number {
  return columns.reduce(
    (sum, { mode, fields }) => sum + (mode === 'REPEATED' ? 1 : 0) + (fields === undefined ? 1 : leavesOf(fields)),
    0,
  )
}

function copySql(file: string, leaves: number): string {
  // DuckDB's own limit is a mebibyte.
  const dictionary = Math.min(1024 * 1024, Math.floor(dictionaryBytes / leaves))
  return `COPY spool TO '${file.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440, ROW_GROUP_SIZE_BYTES '8MB', STRING_DICTIONARY_PAGE_SIZE_LIMIT ${dictionary})`
}

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { toEtlError } from './errors.ts'

/** A DuckDB database of one spool, in a folder of its own. */
export type Database = {
  readonly connection: DuckDBConnection
  /** Closes it and deletes its files; may be repeated. */
  close(): Promise<void>
}

/**
 * Memory of the engine itself, in MB; what does not fit goes to the folder. Each column holds buffers that can't go there, whatever the number of
 * rows: up to 0.6 MB were seen for a column of text (1.5.6, 300 of them).
 */
const memoryLimit = (leaves: number) => 64 + Math.ceil(0.75 * Math.max(0, leaves - 50))

/**
 * Opens a database on disk for rows of so many scalar columns, those inside of records counted too. DuckDB is loaded here, so that a run without
 * rows of its own never loads it. One thread: a job has one core, and every thread holds buffers.
 */
export async function openDatabase(folder: string, leaves: number): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const file = join(folder, 'spool.duckdb')
  let instance: Awaited<ReturnType<typeof DuckDBInstance.create>> | undefined
  try {
    const opened = await DuckDBInstance.create(file, {
      memory_limit: `${memoryLimit(leaves)}MB`,
      threads: '1',
      temp_directory: join(folder, 'spill'),
    })
    instance = opened
    const connection = await opened.connect()
    // Row groups go to the file one by one and not by the five, and what is free goes back to the system at once: neither is in DuckDB's own limit.
    await connection.run(
      "SET write_buffer_row_group_count = 1; SET allocator_flush_threshold = '1MB'; SET allocator_bulk_deallocation_flush_threshold = '1MB'",
    )
    // Looking for common parts takes the square of the number of columns, and the hash's text has none.
    await connection.run(
      "SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET disabled_optimizers = 'common_subexpressions'; SET autoinstall_known_extensions = false; SET autoload_known_extensions = false",
    )
    let open = true
    return {
      connection,
      async close() {
        if (!open) return
        open = false
        try {
          connection.closeSync()
        } finally {
          opened.closeSync()
        }
        await rm(file, { force: true })
        await rm(`${file}.wal`, { force: true })
      },
    }
  } catch (error) {
    instance?.closeSync()
    throw toEtlError(error)
  }
}

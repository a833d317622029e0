import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { createCatalogue } from './catalogue.ts'
import { createCommitted } from './committed.ts'
import type { Catalogue, Kept, Store } from './contract.ts'
import { openPartitionTimes } from './partitions.ts'
import { createWrites } from './writes.ts'

/** The open DuckDB file of one data directory. */
export type Database = Store & {
  readonly dir: string
  /** Runs work on a connection of its own and closes it afterwards. */
  use<T>(work: (catalogue: Catalogue) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Opens (or makes) the database in `dir`. Throws a plain Error with a sentence when another process has it open. */
export async function openDatabase(dir: string, options: { readonly memoryLimit?: string } = {}): Promise<Database> {
  mkdirSync(dir, { recursive: true })
  rmSync(join(dir, 'tmp'), { recursive: true, force: true })
  const instance = await openInstance(dir, options.memoryLimit ?? '1GB')
  const setUp = await instance.connect()
  for (const statement of foundations) await setUp.run(statement)
  const partitionTimes = await openPartitionTimes(setUp)
  setUp.closeSync()
  const kept: Kept = { tables: createCommitted(), datasets: createCommitted(), sizes: createCommitted(), writes: createWrites() }

  const connect = async () => createCatalogue(await instance.connect(), { partitionTimes, kept })
  return {
    dir,
    connect,
    async use(work) {
      const catalogue = await connect()
      try {
        return await work(catalogue)
      } finally {
        catalogue.connection.closeSync()
      }
    },
    async close() {
      const last: DuckDBConnection = await instance.connect()
      await partitionTimes.close(last)
      const log = statSync(join(dir, 'bigquery.duckdb.wal'), { throwIfNoEntry: false })?.size ?? 0
      if (log > longLog) await last.run('CHECKPOINT').catch(() => undefined)
      last.closeSync()
      instance.closeSync()
    },
  }
}

/** Bytes of a write-ahead log that is worth a checkpoint: the next start would read some 20 MB of it a second. */
const longLog = 2_000_000

async function openInstance(dir: string, memoryLimit: string): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(join(dir, 'bigquery.duckdb'), {
      memory_limit: memoryLimit,
      temp_directory: join(dir, 'tmp'),
    })
  } catch (error) {
    if (!(error instanceof Error) || !/lock/i.test(error.message)) throw error
    throw new Error(
      `The data directory ${dir} is in use by another local BigQuery. Stop that one, or choose another directory with --dir.`,
    )
  }
}

const foundations = [
  "SET GLOBAL TimeZone = 'UTC'",
  // What is committed lies in the write-ahead log, which the next start reads, as after a kill.
  'PRAGMA disable_checkpoint_on_shutdown',
  'CREATE SCHEMA IF NOT EXISTS _catalogue',
  'CREATE SCHEMA IF NOT EXISTS _rows',
  'CREATE SCHEMA IF NOT EXISTS _results',
  `CREATE TABLE IF NOT EXISTS _catalogue.datasets (
     project VARCHAR, dataset VARCHAR, etag VARCHAR, created BIGINT, modified BIGINT, body VARCHAR, PRIMARY KEY (project, dataset))`,
  `CREATE TABLE IF NOT EXISTS _catalogue.tables (
     project VARCHAR, dataset VARCHAR, name VARCHAR, physical VARCHAR, etag VARCHAR, created BIGINT, modified BIGINT, body VARCHAR,
     PRIMARY KEY (project, dataset, name))`,
  `CREATE TABLE IF NOT EXISTS _catalogue.partitions (physical VARCHAR, id VARCHAR, n BIGINT, content VARCHAR, modified BIGINT)`,
  'CREATE TABLE IF NOT EXISTS _catalogue.written (physical VARCHAR, modified BIGINT)',
  `CREATE TABLE IF NOT EXISTS _catalogue.jobs (
     project VARCHAR, id VARCHAR, created BIGINT, state VARCHAR, request VARCHAR, expires BIGINT, resource VARCHAR, outcome VARCHAR,
     PRIMARY KEY (project, id))`,
]

import type { AnyRow, Column } from '../domain/column.ts'
import type { VectorPage } from './vectors.ts'

/** Rows on disk, as Parquet files that a load job takes. */
export type Spooled = {
  readonly files: readonly string[]
  readonly rows: number
  /** The hash of domain/content.ts: the same rows in any order have the same, here and in a stage. */
  readonly contentHash: string
}

/** Takes rows and writes them to `/tmp`, with bounded memory. */
export type Spool = {
  /** Opens a spool for rows of these columns. Throws EtlError `row` for a value that has no place in its column. */
  open(columns: readonly Column[]): Promise<SpoolWriter>
  /** Opens a spool for vectors of these columns, none of them a record. */
  openBulk(columns: readonly Column[]): Promise<BulkWriter>
}

export type SpoolWriter = {
  write(rows: readonly AnyRow[]): Promise<void>
  /** Closes the files. After this only `discard`. */
  finish(): Promise<Spooled>
  /** Deletes the files; may be repeated. */
  discard(): Promise<void>
}

/** A copy in bulk. It has no hash: the text of every row would have to be made for it. What is staged is counted and hashed by the audit. */
export type BulkWriter = {
  /** Returns once the page before is written. */
  write(page: VectorPage): Promise<void>
  /** Closes the files. After this only `discard`. */
  finish(): Promise<Omit<Spooled, 'contentHash'> & { readonly contentHash: null }>
  /** Deletes the files; may be repeated. */
  discard(): Promise<void>
}

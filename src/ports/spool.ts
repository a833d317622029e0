import type { AnyRow, Column } from '../domain/column.ts'

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
}

export type SpoolWriter = {
  write(rows: readonly AnyRow[]): Promise<void>
  /** Closes the files. After this only `discard`. */
  finish(): Promise<Spooled>
  /** Deletes the files; may be repeated. */
  discard(): Promise<void>
}

/**
 * Some rows, column by column, as bytes: what a bulk copy passes on, so that no row becomes an object. `values` are those that are there, one behind
 * the other, in Parquet's PLAIN encoding (parquet.apache.org/docs/file-format/data-pages/encodings/) of the physical type of their column
 * (adapters/parquet/schema.ts); but a BOOL is a byte.
 */
export type Vector = {
  readonly values: Uint8Array
  /** A byte for each row, 0 where the column is NULL; null: it is nowhere. */
  readonly present: Uint8Array | null
  /** REPEATED only: how many elements each row has. */
  readonly lengths: Uint32Array | null
}

/** A page holds until the next but one is asked for. */
export type VectorPage = { readonly rows: number; readonly columns: readonly Vector[] }

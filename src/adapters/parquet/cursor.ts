/** Where the next value of a column lies, in Parquet's PLAIN encoding. */
export type Cursor = { readonly bytes: Buffer; at: number }

/** Four bytes, the least significant first. */
export function int32(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

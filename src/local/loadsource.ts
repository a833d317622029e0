import type { Field } from './contract.ts'

/** Rows to load, and how they fit a schema. */
export type LoadSource = {
  /** What the file says itself; absent where only a schema can tell. */
  readonly schema?: readonly Field[]
  /** Columns of the file that a schema doesn't have. */
  unknown(schema: readonly Field[]): string[]
  /** A SELECT of the rows in the columns of the schema, in their physical types. Throws the problems of the rows. */
  select(schema: readonly Field[]): Promise<string>
}

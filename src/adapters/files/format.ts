import type { AnyRow, Column } from '../../domain/column.ts'

/** Rows a page. */
export const pageRows = 2048

/** How files of one format are read. Both throw EtlError: `notFound` with similar names, `schema` for a missing column, `row` with file, row and column. */
export type Format = {
  /** `known` is every column of the row schema, `columns` those that are read. */
  pages(root: string, path: string, columns: readonly Column[], known: readonly Column[]): AsyncGenerator<readonly AnyRow[]>
  /** The columns that the file names, with types where it has them. */
  columns(root: string, path: string): Promise<readonly { readonly name: string; readonly type?: string }[]>
}

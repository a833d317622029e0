import type { Name } from './env.ts'
import { EtlError } from './error.ts'
import type { RowSchema, Shape } from './row.ts'

/** A BigQuery table or view: `project.dataset.table`, or `dataset.table` in the job's own project. Only the row's columns are read. */
export type TableSource<S extends Shape = Shape> = { readonly kind: 'table'; readonly row: RowSchema<S>; readonly table: Name }

/** A file of the project; the path starts at the project's folder. */
export type FileSource<S extends Shape = Shape> = {
  readonly kind: 'file'
  readonly row: RowSchema<S>
  readonly path: Name
  readonly format: 'csv'
}

/** Where rows come from. */
export type Source<S extends Shape = Shape> = TableSource<S> | FileSource<S>

/** The sources of a pipeline by their names. */
export type Sources = Readonly<Record<string, Source>>

/**
 * Reads a BigQuery table or view, the named columns only.
 * @throws EtlError `pipeline` for a name that is no table's.
 */
export function table<S extends Shape>(row: RowSchema<S>, name: Name): TableSource<S> {
  for (const text of typeof name === 'string' ? [name] : Object.values(name.names)) tableRef(text, 'own-project')
  return { kind: 'table', row, table: name }
}

/** Reads a CSV file of the project, with a header line. */
export function file<S extends Shape>(row: RowSchema<S>, path: Name): FileSource<S> {
  return { kind: 'file', row, path, format: 'csv' }
}

/** A table's full name. */
export type TableRef = { readonly project: string; readonly dataset: string; readonly table: string }

/**
 * Takes `project.dataset.table` or `dataset.table` apart.
 * @throws EtlError `pipeline`.
 */
export function tableRef(name: string, ownProject: string): TableRef {
  const parts = /^(?:((?:[a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]*)\.)?([A-Za-z0-9_]+)\.([\w\u0080-\uffff-]+)$/.exec(name)
  if (parts === null)
    throw new EtlError('pipeline', `${JSON.stringify(name)} is no table.`, {
      hint: "write 'project.dataset.table', or 'dataset.table' in your own project",
    })
  return { project: parts[1] ?? ownProject, dataset: parts[2] ?? '', table: parts[3] ?? '' }
}

/** `project.dataset.table`. */
export function tableName(ref: TableRef): string {
  return `${ref.project}.${ref.dataset}.${ref.table}`
}

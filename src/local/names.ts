import { BigQueryError, type DatasetRef, type TableRef } from './contract.ts'

/** `project:dataset.table`, as the service writes it in its messages. */
export const nameOf = (ref: TableRef) => `${ref.project}:${ref.dataset}.${ref.table}`

export const noSuchTable = (ref: TableRef) => new BigQueryError('notFound', `Not found: Table ${nameOf(ref)}`)
export const noSuchDataset = (ref: DatasetRef) =>
  new BigQueryError('notFound', `Not found: Dataset ${ref.project}:${ref.dataset}`)
export const tableExists = (ref: TableRef) => new BigQueryError('duplicate', `Already Exists: Table ${nameOf(ref)}`)
/** A table of another kind than the operation takes, e.g. DML on a snapshot. */
export const notForKind = (ref: TableRef, kind: string) =>
  new BigQueryError('invalid', `${nameOf(ref)} is not allowed for this operation because it is currently a ${kind}.`)
export const datasetExists = (ref: DatasetRef) =>
  new BigQueryError('duplicate', `Already Exists: Dataset ${ref.project}:${ref.dataset}`)

/** BigQuery: Datasets, 'Name datasets': letters, numbers and underscores, at most 1,024. */
export function checkDatasetName(name: string): void {
  if (/^[A-Za-z0-9_]{1,1024}$/.test(name)) return
  throw new BigQueryError(
    'invalid',
    `Invalid dataset ID "${name}". Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.`,
  )
}

/** BigQuery: Tables, 'Table naming': Unicode of the categories L, M, N, Pc, Pd, Zs, at most 1,024 bytes. */
export function checkTableName(name: string): void {
  if (name.includes('$')) {
    throw new BigQueryError(
      'notImplemented',
      `The local BigQuery has no partition decorators (${name}). Write to the table itself, or try this on BigQuery.`,
    )
  }
  if (/^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]+$/u.test(name) && Buffer.byteLength(name) <= 1024) return
  throw new BigQueryError(
    'invalid',
    `Invalid table ID "${name}". Table IDs must be letters, marks, numbers, connectors, dashes or spaces, at most 1024 bytes long.`,
  )
}

import { parts } from '../../googlesql/tables.ts'
import { BigQueryError, type DatasetRef, type TableRef } from '../contract.ts'

/**
 * The table that a path names: `project.dataset.table`, `dataset.table`, or `table` in the default dataset; any part may be quoted together with
 * others. Throws BigQueryError for a table without a dataset and for names of views that BigQuery makes itself.
 */
export function resolve(path: readonly string[], project: string, defaultDataset?: DatasetRef): TableRef {
  const names = parts(path)
  if (names.some(name => name.toUpperCase() === 'INFORMATION_SCHEMA')) {
    throw new BigQueryError(
      'notImplemented',
      `INFORMATION_SCHEMA is not supported by the local BigQuery (${names.join('.')}). Read tables.list and tables.get of the API instead.`,
      'query',
    )
  }
  const table = names.pop() ?? ''
  if (table.includes('*') || table.startsWith('__')) {
    throw new BigQueryError(
      'notImplemented',
      `Wildcard and meta tables are not supported by the local BigQuery (${table}). Name one table.`,
      'query',
    )
  }
  const dataset = names.pop()
  if (dataset === undefined) {
    if (defaultDataset === undefined)
      throw new BigQueryError('invalid', `Table "${table}" must be qualified with a dataset (e.g. dataset.table).`, 'query')
    return { ...defaultDataset, table }
  }
  // A project of a domain has a dot in its own name: `example.com:project`.
  return { project: names.length > 0 ? names.join('.') : (defaultDataset?.project ?? project), dataset, table }
}

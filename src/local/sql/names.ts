import { parts } from '../../googlesql/tables.ts'
import { BigQueryError, type DatasetRef, type TableRef } from '../contract.ts'

/**
 * The tables that paths name, each once, whether they can be read here or not; views that BigQuery makes itself are none. Throws BigQueryError for a table
 * without a dataset.
 */
export function resolveAll(
  paths: readonly (readonly string[])[],
  { project, defaultDataset }: { readonly project: string; readonly defaultDataset?: DatasetRef },
): TableRef[] {
  const found = paths.map(parts).flatMap(names => (isView(names) ? [] : [placed(names, project, defaultDataset)]))
  return [...new Map(found.map(ref => [`${ref.project}.${ref.dataset}.${ref.table}`, ref])).values()]
}

/**
 * The table that a path names: `project.dataset.table`, `dataset.table`, or `table` in the default dataset; any part may be quoted together with
 * others. Throws BigQueryError for a table without a dataset and for names of views that BigQuery makes itself.
 */
export function resolve(path: readonly string[], project: string, defaultDataset?: DatasetRef): TableRef {
  const names = parts(path)
  if (isView(names)) {
    throw new BigQueryError(
      'notImplemented',
      `INFORMATION_SCHEMA is not supported by the local BigQuery (${names.join('.')}). Read tables.list and tables.get of the API instead.`,
      'query',
    )
  }
  const table = names.at(-1) ?? ''
  if (table.includes('*') || table.startsWith('__')) {
    throw new BigQueryError(
      'notImplemented',
      `Wildcard and meta tables are not supported by the local BigQuery (${table}). Name one table.`,
      'query',
    )
  }
  return placed(names, project, defaultDataset)
}

const isView = (names: readonly string[]) => names.some(name => name.toUpperCase() === 'INFORMATION_SCHEMA')

function placed(names: readonly string[], project: string, defaultDataset?: DatasetRef): TableRef {
  const [table = '', dataset, ...rest] = names.toReversed()
  if (dataset === undefined) {
    if (defaultDataset === undefined)
      throw new BigQueryError('invalid', `Table "${table}" must be qualified with a dataset (e.g. dataset.table).`, 'query')
    return { ...defaultDataset, table }
  }
  // A project of a domain has a dot in its own name: `example.com:project`.
  return { project: rest.length > 0 ? rest.reverse().join('.') : (defaultDataset?.project ?? project), dataset, table }
}

import type { Column } from '../../domain/column.ts'
import { EtlError, nearest } from '../../domain/error.ts'
import { typeText } from '../../domain/shape.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import { type Api, failed } from './api.ts'
import { failureOf } from './errors.ts'
import { columnOfField, type Field, sameType } from './types.ts'

/** tables.get, as far as we look. */
export type TableResource = {
  readonly type?: string
  readonly location?: string
  readonly schema?: { readonly fields?: readonly Field[] }
  readonly numRows?: string
  readonly numBytes?: string
  readonly requirePartitionFilter?: boolean
  readonly streamingBuffer?: unknown
  readonly timePartitioning?: {
    readonly type?: string
    readonly field?: string
    readonly requirePartitionFilter?: boolean
    readonly expirationMs?: string
  }
  readonly rangePartitioning?: { readonly field?: string }
  readonly clustering?: { readonly fields?: readonly string[] }
  /** Milliseconds since 1970: the table is deleted then. */
  readonly expirationTime?: string
  /** Its rows lie in Cloud Storage (BigQuery REST: Table.biglakeConfiguration). */
  readonly biglakeConfiguration?: unknown
}

/** undefined if there is no such table; is its dataset there, `datasetExists` says. Throws EtlError for anything else. */
export async function findTable(api: Api, ref: TableRef): Promise<TableResource | undefined> {
  try {
    return await api.repeat<TableResource>({ path: tablePath(ref) })
  } catch (error) {
    if (failureOf(error).status === 404) return undefined
    throw failed(api, error, `table ${tableName(ref)}`)
  }
}

/** Is there a dataset of this name? Throws EtlError where nobody may say. */
export async function datasetExists(api: Api, project: string, dataset: string): Promise<boolean> {
  try {
    await api.repeat({ path: `${project}/datasets/${dataset}` })
    return true
  } catch (error) {
    if (failureOf(error).status === 404) return false
    throw failed(api, error, `dataset ${project}.${dataset}`)
  }
}

/** The error for a source that is not there: what is missing, and the names that look like it. */
export async function missingTable(api: Api, ref: TableRef): Promise<EtlError> {
  if (await datasetExists(api, ref.project, ref.dataset)) {
    const names = await listed(api, `${ref.project}/datasets/${ref.dataset}/tables`, 'tables', 'tableReference', 'tableId')
    return new EtlError('notFound', `table ${tableName(ref)} does not exist.`, {
      hint: similar(ref.table, names, `the dataset ${ref.dataset} has`),
    })
  }
  const names = await listed(api, `${ref.project}/datasets`, 'datasets', 'datasetReference', 'datasetId')
  return new EtlError('notFound', `dataset ${ref.dataset} does not exist in the project ${ref.project}.`, {
    hint: similar(ref.dataset, names, `the project ${ref.project} has`),
  })
}

/**
 * Checks a table's columns against what we read or write. A NULLABLE column there is fine under a required one of ours: rows are checked.
 * @returns problems as sentences, none if all fit.
 */
export function schemaProblems(wanted: readonly Column[], found: readonly Field[]): string[] {
  const columns = found.map(columnOfField)
  return wanted.flatMap(column => {
    const other = columns.find(candidate => candidate.name.toLowerCase() === column.name.toLowerCase())
    if (other === undefined) {
      const guess = nearest(
        column.name,
        columns.map(candidate => candidate.name),
      )
      return [`there is no column ${column.name}${guess === undefined ? '' : ` (did you mean ${guess}?)`}`]
    }
    return sameType(column, other)
      ? []
      : [`column ${column.name} is ${typeText(other)} there, the row schema says ${typeText(column)}`]
  })
}

/** The columns that a table has, for a hint. */
export function columnsText(fields: readonly Field[]): string {
  return fields.map(field => `${field.name} ${typeText(columnOfField(field))}`).join(', ')
}

export function tablePath({ project, dataset, table }: TableRef): string {
  return `${project}/datasets/${dataset}/tables/${encodeURIComponent(table)}`
}

function similar(wanted: string, names: readonly string[], has: string): string {
  const guess = nearest(wanted, names)
  const some = names.slice(0, 8).join(', ')
  const rest = names.length > 8 ? `, … (${names.length})` : ''
  return `${guess === undefined ? '' : `did you mean ${guess}? `}${names.length === 0 ? `${has} none.` : `${has} ${some}${rest}.`}`
}

/** Names by a list method; none where listing isn't allowed: it is only for a hint. */
async function listed(api: Api, path: string, list: string, reference: string, id: string): Promise<readonly string[]> {
  try {
    const body = await api.repeat<Record<string, readonly Record<string, Record<string, string>>[] | undefined>>({
      path,
      query: { maxResults: 1000 },
    })
    return (body[list] ?? []).map(item => item[reference]?.[id] ?? '').sort()
  } catch {
    return []
  }
}

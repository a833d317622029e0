import { type TableRef, tableName } from '../../domain/source.ts'
import type { DatasetFacts, Examiner, TableFacts } from '../../ports/doctor.ts'
import { type Api, failed, type Options, openApi } from './api.ts'
import { dryRun } from './dryrun.ts'
import { failureOf } from './errors.ts'
import { tablePath } from './tables.ts'
import type { Field } from './types.ts'

/** datasets.get and tables.get, as far as a doctor looks (BigQuery REST: Dataset, Table). */
type DatasetResource = {
  readonly location?: string
  readonly defaultTableExpirationMs?: string
  readonly defaultPartitionExpirationMs?: string
}
type TaggedField = Field & {
  readonly policyTags?: { readonly names?: readonly string[] }
  readonly fields?: readonly TaggedField[]
}
type TableResource = {
  readonly location?: string
  readonly streamingBuffer?: unknown
  readonly requirePartitionFilter?: boolean
  readonly timePartitioning?: { readonly field?: string }
  readonly rangePartitioning?: { readonly field?: string }
  readonly expirationTime?: string
  readonly schema?: { readonly fields?: readonly TaggedField[] }
}

/** Looks at BigQuery through the same client as a run; only reads. Nothing is sent yet. */
export async function createExaminer(options: Options): Promise<Examiner> {
  const api = await openApi(options)
  return {
    async credentials() {
      if (api.local) return null
      const { user } = await dryRun(api, 'SELECT 1 AS one', 'the credentials')
      return user ?? 'somebody whom BigQuery does not name'
    },
    async project() {
      await api.repeat({ path: `${api.project}/datasets`, query: { maxResults: 1 } }).catch(error => {
        throw failed(api, error, `the project ${api.project}`)
      })
    },
    async dataset(project, dataset) {
      const found = await there<DatasetResource>(api, `${project}/datasets/${dataset}`, `dataset ${project}.${dataset}`)
      return found === null ? null : datasetFacts(found)
    },
    async table(ref) {
      const found = await there<TableResource>(api, tablePath(ref), `table ${tableName(ref)}`)
      return found === null ? null : tableFacts(found)
    },
    rowPolicies: ref => rowPolicies(api, ref),
    dryRun: async sql => (await dryRun(api, sql, `the dry run of ${sql.split(/[(\n]/)[0]?.slice(0, 120).trim()}`)).bytes,
  }
}

async function there<T>(api: Api, path: string, what: string): Promise<T | null> {
  try {
    return await api.repeat<T>({ path })
  } catch (error) {
    if (failureOf(error).status === 404) return null
    throw failed(api, error, what)
  }
}

function datasetFacts(found: DatasetResource): DatasetFacts {
  const { location, defaultTableExpirationMs: table, defaultPartitionExpirationMs: partition } = found
  return {
    location,
    tableExpiration: table === undefined ? null : Number(table),
    partitionExpiration: partition === undefined ? null : Number(partition),
  }
}

function tableFacts(found: TableResource): TableFacts {
  const column = found.timePartitioning?.field ?? found.rangePartitioning?.field ?? '_PARTITIONTIME'
  return {
    location: found.location,
    streaming: found.streamingBuffer !== undefined,
    filterOn: found.requirePartitionFilter === true ? column : null,
    tagged: tagged(found.schema?.fields ?? []),
    expires: found.expirationTime === undefined ? null : new Date(Number(found.expirationTime)).toISOString(),
  }
}

function tagged(fields: readonly TaggedField[], path = ''): string[] {
  return fields.flatMap(field => [
    ...((field.policyTags?.names ?? []).length > 0 ? [`${path}${field.name}`] : []),
    ...tagged(field.fields ?? [], `${path}${field.name}.`),
  ])
}

/** BigQuery REST: rowAccessPolicies.list needs a right of its own; whoever lacks it sees nothing. */
async function rowPolicies(api: Api, ref: TableRef): Promise<number | null> {
  try {
    const { rowAccessPolicies = [] } = await api.once<{ rowAccessPolicies?: readonly unknown[] }>({
      path: `${tablePath(ref)}/rowAccessPolicies`,
    })
    return rowAccessPolicies.length
  } catch {
    return null
  }
}

import {
  BigQueryError,
  type Field,
  type QueryOutcome,
  type QueryParameter,
  type QueryRequest,
  type SqlEngine,
  type TableRef,
} from './contract.ts'
import { quoted } from './duck.ts'
import type { Done, JobContext, Work } from './jobs.ts'
import { array, integer, type Json, type JsonObject, object, optional, text } from './json.ts'
import { readTarget, writeTable } from './load.ts'
import { resultsDataset } from './results.ts'
import { fieldsToRest, typeFromRest } from './schema.ts'
import type { Database } from './store.ts'

export type Engine = () => Promise<SqlEngine>
type BeforeCommit = (jobId: string) => Promise<void>

/** The work of a query job. */
export function queryWork(database: Database, engine: Engine, beforeCommit: BeforeCommit): Work {
  return async context => {
    const config = object(context.configuration.query, 'configuration.query')
    const request = readQuery(context, config)
    const sql = await engine()
    if (config.destinationTable && (await sql.run({ ...request, dryRun: true })).statementType !== 'SELECT') {
      throw new BigQueryError('invalidQuery', 'Cannot set destination table in jobs with DML or DDL statements, or with scripts')
    }
    const outcome = await sql.run({
      ...request,
      async beforeCommit() {
        await beforeCommit(context.jobId)
        if (context.signal.aborted) throw context.signal.reason
      },
    })
    const done = describe(context, config, outcome)
    const { rows } = outcome
    if (!config.destinationTable || !rows) return done
    const schema = outcome.schema.map(nullable)
    return database.use(catalogue =>
      writeTable(catalogue, {
        ...readTarget({ writeDisposition: 'WRITE_EMPTY', ...config }),
        wish: { schema },
        ignoreUnknown: false,
        source: {
          schema,
          unknown: into => schema.map(field => field.name).filter(name => !into.some(field => isNamed(field, name))),
          select: async into => `SELECT ${into.map(field => chosen(field, schema)).join(', ')} FROM ${rows}`,
        },
        context,
        beforeCommit,
        done: () => done,
      }),
    )
  }
}

/** A dry run: nothing is kept, not even a job. */
export async function dryRun(engine: Engine, project: string, location: string, configuration: JsonObject): Promise<Done> {
  const config = object(configuration.query, 'configuration.query')
  const { signal } = new AbortController()
  const outcome = await (await engine()).run({
    ...readQuery({ project, location, jobId: 'dry_run', signal }, config),
    dryRun: true,
  })
  const { statistics } = describe(undefined, config, outcome)
  const query = { ...object(statistics.query ?? {}), schema: { fields: fieldsToRest(outcome.schema) as Json[] } }
  return { statistics: { ...statistics, query } as JsonObject, outcome: { schema: outcome.schema, totalRows: 0 } }
}

function readQuery(context: Pick<JobContext, 'project' | 'location' | 'jobId' | 'signal'>, config: JsonObject): QueryRequest {
  if (config.useLegacySql !== false) {
    throw new BigQueryError(
      'notImplemented',
      'The local BigQuery has no legacy SQL: set useLegacySql to false (it is true by default in the REST API).',
    )
  }
  for (const [name, why] of Object.entries(refused)) {
    const value = config[name]
    if (value !== undefined && value !== null && value !== false)
      throw new BigQueryError('notImplemented', `The local BigQuery ${why} ('${name}').`)
  }
  const dataset = optional(config.defaultDataset, object, 'defaultDataset')
  const { project, location, jobId, signal } = context
  const limit = optional(config.maximumBytesBilled, integer, 'maximumBytesBilled')
  const defaultProject = optional(dataset?.projectId, text) ?? project
  return {
    jobId,
    project,
    location,
    sql: text(config.query, 'query'),
    parameters: readParameters(config),
    dryRun: false,
    signal,
    ...(limit === undefined ? {} : { maximumBytesBilled: limit }),
    ...(dataset
      ? { defaultDataset: { project: defaultProject, dataset: text(dataset.datasetId, 'defaultDataset.datasetId') } }
      : {}),
  }
}

const refused = {
  createSession: 'has no sessions',
  connectionProperties: 'has no connection properties or sessions',
  tableDefinitions: 'has no external tables',
  userDefinedFunctionResources: 'has no functions from Cloud Storage',
  timePartitioning: 'makes no partitioned tables from queries; create the table first',
  clustering: 'makes no clustered tables from queries; create the table first',
}

function readParameters(config: JsonObject): QueryParameter[] {
  const parameters = array(config.queryParameters ?? [], 'queryParameters').map(json => object(json, 'a query parameter'))
  const isPositional = optional(config.parameterMode, text)?.toUpperCase() === 'POSITIONAL'
  return parameters.map((parameter, index) => {
    const name = isPositional ? String(index + 1) : text(parameter.name, 'name of a query parameter')
    const type = parameterType(name, object(parameter.parameterType, `parameterType of ${name}`))
    return { name, type, value: parameterValue(object(parameter.parameterValue ?? {}, `parameterValue of ${name}`)) }
  })
}

function parameterType(name: string, json: JsonObject): Field {
  const type = text(json.type, `parameterType.type of ${name}`)
  if (type === 'ARRAY') return { ...parameterType(name, object(json.arrayType, `arrayType of ${name}`)), mode: 'REPEATED' }
  if (type !== 'STRUCT') return { name, type: typeFromRest(type), mode: 'NULLABLE' }
  const fields = array(json.structTypes ?? [], `structTypes of ${name}`).map((field, index) => {
    const each = object(field, 'a struct type')
    return parameterType(optional(each.name, text) ?? `_field_${index + 1}`, object(each.type, 'type of a struct field'))
  })
  return { name, type: 'RECORD', mode: 'NULLABLE', fields }
}

function parameterValue(json: JsonObject): QueryParameter['value'] {
  if (Array.isArray(json.arrayValues)) {
    return json.arrayValues.map((element: Json) => parameterValue(object(element, 'an array value')))
  }
  const struct = optional(json.structValues, object)
  if (struct)
    return Object.fromEntries(Object.entries(struct).map(([name, value]) => [name, parameterValue(object(value ?? {}))]))
  const value = json.value ?? null
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new BigQueryError('invalid', 'Invalid value of a query parameter: it must be a string.')
}

/** Statistics, and for rows the name of the place where they lie. BigQuery REST, JobStatistics2. */
function describe(context: JobContext | undefined, config: JsonObject, outcome: QueryOutcome): Done {
  const bytes = String(outcome.bytesProcessed)
  const { dml, ddl } = outcome
  const query: JsonObject = {
    statementType: outcome.statementType,
    totalBytesProcessed: bytes,
    totalBytesBilled: '0',
    cacheHit: false,
    ...(outcome.dmlAffectedRows === undefined ? {} : { numDmlAffectedRows: String(outcome.dmlAffectedRows) }),
    ...(dml
      ? {
          dmlStats: {
            insertedRowCount: String(dml.inserted),
            updatedRowCount: String(dml.updated),
            deletedRowCount: String(dml.deleted),
          },
        }
      : {}),
    ...(outcome.referenced ? { referencedTables: outcome.referenced.map(tableReference) } : {}),
    ...(ddl
      ? {
          ddlOperationPerformed: ddl.operation,
          ddlTargetTable: tableReference(ddl.table),
        }
      : {}),
  }
  const children = outcome.children > 0 ? { numChildJobs: String(outcome.children) } : {}
  const { schema, rows, totalRows } = outcome
  const place = context && rows && !config.destinationTable
  const destinationTable = { projectId: context?.project ?? '', datasetId: resultsDataset, tableId: context?.jobId ?? '' }
  return {
    statistics: { totalBytesProcessed: bytes, ...children, query },
    outcome: { schema: schema.map(nullable), totalRows, ...(rows ? { rows } : {}) },
    ...(place ? { configuration: { ...context.configuration, query: { ...config, destinationTable } } } : {}),
  }
}

const tableReference = ({ project, dataset, table }: TableRef) => ({ projectId: project, datasetId: dataset, tableId: table })
const nullable = (field: Field): Field => (field.mode === 'REQUIRED' ? { ...field, mode: 'NULLABLE' } : field)
const isNamed = (field: Field, name: string) => field.name.toLowerCase() === name.toLowerCase()
const chosen = (field: Field, from: readonly Field[]) =>
  from.some(each => isNamed(each, field.name)) ? quoted(field.name) : field.mode === 'REPEATED' ? '[]' : 'NULL'

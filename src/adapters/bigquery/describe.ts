import type { Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { TargetTables } from '../../domain/run.ts'
import { schemaHash } from '../../domain/shape.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import type { TargetState } from '../../ports/warehouse.ts'
import type { Api } from './api.ts'
import { createHead, createHistory, createRuns, createTarget, keepsHistory, opColumn, versionColumn } from './bootstrap.ts'
import { headOf, ledgerOf, stateQuery } from './ledger.ts'
import { checkDatasetLocation, checkLocation } from './location.ts'
import { ask } from './query.ts'
import { columnsText, datasetExists, findTable, schemaProblems, type TableResource } from './tables.ts'

/** What exists of a target: one tables.get and one query where all is there and the schema is the one that was published last. */
export async function describe(api: Api, pipeline: NamedPipeline, tables: TargetTables, run: string): Promise<TargetState> {
  const [target, { there, rows }] = await Promise.all([
    findTable(api, tables.target),
    stateOf(api, tables, run).catch(error => locationOr(api, tables, error)),
  ])
  const first = rows.find(row => row.part === 'head')
  const heads = rows.filter(row => row.part === 'head').length
  if (first === undefined || heads > 1) throw notOneHead(tables, heads)
  const head = there.head ? headOf(first) : null
  // The last publication of this very schema wrote to the history: it is there, and it fits.
  const isKnown = head !== null && head.schemaHash === schemaHash(pipeline)
  const history = isKnown || !keepsHistory(pipeline) ? undefined : await findTable(api, tables.history)
  if (!there.runs || !there.head || target === undefined) await checkDatasets(api, pipeline.name, tables)
  if (target !== undefined) checkTarget(api, pipeline, tables.target, target, [...pipeline.to.row.columns, versionColumn])
  if (history !== undefined) checkColumns(tables.history, history, [...pipeline.to.row.columns, versionColumn, opColumn])
  const missing = [
    ...(there.runs ? [] : [createRuns(tables)]),
    ...(there.head ? [] : [createHead(tables)]),
    ...(target === undefined ? [createTarget(pipeline, tables)] : []),
    ...(history === undefined && !isKnown && keepsHistory(pipeline) ? [createHistory(pipeline, tables)] : []),
  ]
  return { now: first.now as string, missing, head, ledger: ledgerOf(rows) }
}

/** The answer of the one question; where a table is missing, it is asked again without. */
async function stateOf(api: Api, tables: TargetTables, run: string) {
  const question = async (there: { head: boolean; runs: boolean }) => {
    const what = `the state of ${tableName(tables.target)}`
    return { there, ...(await ask(api, stateQuery(tables, run, there), what)) }
  }
  try {
    return await question({ head: true, runs: true })
  } catch (error) {
    if (!(error instanceof EtlError) || error.kind !== 'notFound') throw error
  }
  const [head, runs] = await Promise.all([findTable(api, tables.head), findTable(api, tables.runs)])
  return question({ head: head !== undefined, runs: runs !== undefined })
}

function notOneHead(tables: TargetTables, heads: number): EtlError {
  return new EtlError(
    'schema',
    `the head table ${tableName(tables.head)} has ${heads} rows instead of one: nothing can be published.`,
    {
      hint: 'somebody changed it by hand: leave the row with the largest seq, delete the others; if there is none, drop the table and run again',
    },
  )
}

async function checkDatasets(api: Api, name: string, tables: TargetTables): Promise<void> {
  for (const { project, dataset } of [tables.target, tables.head]) {
    if (await datasetExists(api, project, dataset)) {
      await checkDatasetLocation(api, project, dataset)
      continue
    }
    throw new EtlError('notFound', `dataset ${dataset} not found in project ${project}.`, {
      hint: api.local
        ? `\`npm run etl -- run ${name} --local\` makes it, with the sources from the fixtures, in a throwaway local BigQuery, and so does \`npm start\` in .etl/demo for the example; in this one, any BigQuery client can make it (datasets.insert).`
        : 'it is made by naisjob.yaml: deploy once, then run again.',
    })
  }
}

/** To the service a dataset of another location does not exist: its own answer would send people looking for the wrong thing. */
async function locationOr(api: Api, tables: TargetTables, error: unknown): Promise<never> {
  for (const { project, dataset } of [tables.target, tables.head]) await checkDatasetLocation(api, project, dataset)
  throw error
}

function checkTarget(api: Api, pipeline: NamedPipeline, ref: TableRef, table: TableResource, wanted: readonly Column[]): void {
  checkLocation(api, `the target ${tableName(ref)}`, table.location)
  checkColumns(ref, table, wanted)
  if (table.streamingBuffer !== undefined) {
    throw new EtlError(
      'schema',
      `${tableName(ref)} has rows in its streaming buffer: BigQuery changes none of them for 30 minutes.`,
      {
        hint: 'stop what streams into it (insertAll); nobody but this pipeline may write to a target',
      },
    )
  }
  const { write } = pipeline
  if (write.mode !== 'partition' || (table.timePartitioning?.field === write.column && table.timePartitioning.type === 'DAY'))
    return
  const has =
    table.timePartitioning === undefined
      ? 'has no partitions'
      : `has partitions by ${table.timePartitioning.field ?? 'the time of loading'}`
  throw new EtlError('schema', `${tableName(ref)} ${has}; the pipeline writes partitions by day of ${write.column}.`, {
    hint: 'a table never changes its partitions: choose another table name',
  })
}

/** A column that is required there and nullable here would refuse our NULLs; one that is required there and unknown here, every row. */
function checkColumns(ref: TableRef, table: TableResource, wanted: readonly Column[]): void {
  const fields = table.schema?.fields ?? []
  const problems = schemaProblems(wanted, fields)
  for (const field of fields.filter(candidate => candidate.mode === 'REQUIRED')) {
    const column = wanted.find(candidate => candidate.name.toLowerCase() === field.name.toLowerCase())
    if (column === undefined) problems.push(`column ${field.name} is required there, and the row schema lacks it`)
    else if (column.mode === 'NULLABLE') problems.push(`column ${field.name} is required there, and the row schema says nullable`)
  }
  if (problems.length === 0) return
  throw new EtlError('schema', `${tableName(ref)} has another schema than the pipeline: ${problems.join('; ')}.`, {
    hint: `it has ${columnsText(fields)}. Change the row schema back, or choose another table name; changing a published table comes later`,
  })
}

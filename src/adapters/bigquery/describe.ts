import type { Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { TargetTables } from '../../domain/run.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import type { TargetState } from '../../ports/warehouse.ts'
import type { Api } from './api.ts'
import { createHead, createHistory, createRuns, createTarget, opColumn, versionColumn } from './bootstrap.ts'
import type { Jobs } from './jobs.ts'
import { headOf, ledgerOf, ledgerQueries } from './ledger.ts'
import { ask } from './query.ts'
import { columnsText, datasetExists, findTable, schemaProblems, type TableResource } from './tables.ts'

/** What exists of a target; four tables.get and three small queries at once where all is there. */
export async function describe(
  api: Api,
  jobs: Jobs,
  pipeline: NamedPipeline,
  tables: TargetTables,
  run: string,
): Promise<TargetState> {
  const [runs, head, target, history] = await Promise.all(
    [tables.runs, tables.head, tables.target, tables.history].map(ref => findTable(api, ref)),
  )
  if ([runs, head, target, history].includes(undefined)) await checkDatasets(api, pipeline.name, tables)
  if (target !== undefined) checkTarget(pipeline, tables.target, target, [...pipeline.to.row.columns, versionColumn])
  if (history !== undefined) checkColumns(tables.history, history, [...pipeline.to.row.columns, versionColumn, opColumn])
  const missing = [
    ...(runs === undefined ? [createRuns(tables)] : []),
    ...(head === undefined ? [createHead(tables)] : []),
    ...(target === undefined ? [createTarget(pipeline, tables)] : []),
    ...(history === undefined ? [createHistory(pipeline, tables)] : []),
  ]
  const name = `etl-describe-${tables.target.table}`
  const question = (sql: string) => ask(api, jobs, name, sql, `the state of ${tableName(tables.target)}`)
  const [published, ofRun] = ledgerQueries(tables, run)
  const nothing = { columns: [], rows: [] }
  const [now, ledgerPublished, ledgerOfRun] = await Promise.all([
    question(
      head === undefined
        ? 'SELECT CURRENT_TIMESTAMP() AS now'
        : `SELECT CURRENT_TIMESTAMP() AS now, h.* FROM ${literal.table(tables.head)} AS h`,
    ),
    runs === undefined ? nothing : question(published),
    runs === undefined ? nothing : question(ofRun),
  ])
  const first = now.rows[0]
  if (first === undefined || now.rows.length > 1) {
    throw new EtlError(
      'schema',
      `the head table ${tableName(tables.head)} has ${now.rows.length} rows instead of one: nothing can be published.`,
      {
        hint: 'somebody changed it by hand: leave the row with the largest seq, delete the others; if there is none, drop the table and run again',
      },
    )
  }
  return {
    now: first.now as string,
    missing,
    head: head === undefined ? null : headOf(first),
    ledger: ledgerOf(ledgerPublished.rows, ledgerOfRun.rows, run),
  }
}

async function checkDatasets(api: Api, name: string, tables: TargetTables): Promise<void> {
  for (const { project, dataset } of [tables.target, tables.head]) {
    if (await datasetExists(api, project, dataset)) continue
    throw new EtlError('notFound', `dataset ${dataset} not found in project ${project}.`, {
      hint: api.local
        ? `\`npm run etl -- run ${name} --local\` makes it, with the sources from the fixtures, in a throwaway local BigQuery, and so does \`npm start\` in .etl/demo for the example; in this one, any BigQuery client can make it (datasets.insert).`
        : 'it is made by naisjob.yaml: deploy once, then run again.',
    })
  }
}

function checkTarget(pipeline: NamedPipeline, ref: TableRef, table: TableResource, wanted: readonly Column[]): void {
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

import { stageLifetime } from '../../domain/audit.ts'
import type { Column } from '../../domain/column.ts'
import { literal } from '../../domain/literal.ts'
import type { Stage, TargetTables } from '../../domain/run.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import type { StageFrom } from '../../ports/warehouse.ts'
import { type Api, failed } from './api.ts'
import type { Jobs } from './jobs.ts'
import { isDuplicate, labels } from './jobs.ts'
import { queryConfiguration } from './query.ts'
import { stageColumn, toStage } from './staged.ts'
import { tablePath } from './tables.ts'
import { fieldOf } from './types.ts'
import { upload } from './upload.ts'

/** merge: what a row does; NULL adds or changes. */
const opOfStage: Column = { name: '_op', type: 'STRING', mode: 'NULLABLE', rules: [] }

/** Parts on their way at once: one is sent while the service works on another. Each holds one request's bytes. */
const atOnce = 2

/**
 * Fills a stage of the attempt's own. The answer says what was sent: the audit asks for the rows and the hash (domain/content.ts) of what lies there. Of a
 * query's rows only their number is known before.
 */
export async function stage(
  api: Api,
  jobs: Jobs,
  tables: TargetTables,
  columns: readonly Column[],
  from: StageFrom,
  attempt: string,
  options: { readonly op?: boolean } = {},
): Promise<Stage> {
  const table = await create(api, tables, options.op === true ? [...columns, opOfStage] : columns, attempt)
  const name = `etl-stage-${tables.target.table}-${attempt}`
  const what = `the stage ${tableName(table)}`
  if (from.kind === 'query') {
    const names = columns.map(column => literal.name(column.name)).join(', ')
    const sql = `INSERT INTO ${literal.table(table)} (${names})\nSELECT ${columns.map(toStage).join(', ')} FROM (\n${from.sql}\n)`
    const { statistics } = await jobs.run(name, queryConfiguration(sql, [], from.maxBytes ?? null), what)
    return { table, rows: Number(statistics?.query?.numDmlAffectedRows), contentHash: null }
  }
  const parts = from.files.entries()
  const load = async () => {
    for (const [part, path] of parts) await loadPart(api, jobs, table, columns, path, `${name}-p${part + 1}`)
  }
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, load))
  const failed = ended.find(end => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return { table, rows: from.rows, contentHash: from.contentHash }
}

/** Each part is a load job of its own, which adds to the stage whole or not at all. */
async function loadPart(
  api: Api,
  jobs: Jobs,
  table: TableRef,
  columns: readonly Column[],
  path: string,
  name: string,
): Promise<void> {
  const load = {
    sourceFormat: 'PARQUET',
    parquetOptions: { enableListInference: true },
    destinationTable: { projectId: table.project, datasetId: table.dataset, tableId: table.table },
    schema: { fields: columns.map(stageColumn).map(fieldOf) },
    createDisposition: 'CREATE_NEVER',
    writeDisposition: 'WRITE_APPEND',
  }
  const submit = (id: string, onDoubt: () => void) => upload(api, id, { labels, load }, path, onDoubt)
  await jobs.runBy(name, submit, { load }, `the stage ${tableName(table)}`)
}

/** A stage of a name that was never used: a table dropped and made again under one name is not seen everywhere at once. */
async function create(api: Api, tables: TargetTables, columns: readonly Column[], attempt: string): Promise<TableRef> {
  const { project, dataset } = tables.runs
  for (let number = 1; ; number++) {
    const table = `stage__${tables.target.table}__${attempt}${number === 1 ? '' : `_${number}`}`
    const body = {
      tableReference: { projectId: project, datasetId: dataset, tableId: table },
      schema: { fields: columns.map(stageColumn).map(fieldOf) },
      expirationTime: String(api.clock.now().getTime() + stageLifetime),
      labels,
    }
    try {
      await api.repeat({ method: 'POST', path: `${project}/datasets/${dataset}/tables`, body })
      return { project, dataset, table }
    } catch (error) {
      if (!isDuplicate(error) || number === 50) throw failed(api, error, `the stage ${project}.${dataset}.${table}`)
    }
  }
}

/** Deletes a stage; one that can't be deleted expires. */
export async function drop(api: Api, table: TableRef): Promise<void> {
  await api.once({ method: 'DELETE', path: tablePath(table) }).catch(() => {})
}

import type { Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import type { Stage, TargetTables } from '../../domain/run.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import type { StageFrom } from '../../ports/warehouse.ts'
import { type Api, failed } from './api.ts'
import type { Jobs } from './jobs.ts'
import { isDuplicate, labels } from './jobs.ts'
import { ask, queryConfiguration } from './query.ts'
import { stageColumn, toStage } from './staged.ts'
import { tablePath } from './tables.ts'
import { fieldOf } from './types.ts'
import { upload } from './upload.ts'

/** Two days: longer than any retry, short enough that forgotten stages cost nothing. */
const lifetime = 2 * 24 * 60 * 60 * 1000

/** merge: what a row does; NULL adds or changes. */
const opOfStage: Column = { name: '_op', type: 'STRING', mode: 'NULLABLE', rules: [] }

/** Fills a stage of the attempt's own and counts what came. */
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
    await jobs.run(name, queryConfiguration(sql), what)
    return { table, rows: await count(api, table), contentHash: null }
  }
  for (const [part, path] of from.files.entries()) {
    const load = {
      sourceFormat: 'PARQUET',
      parquetOptions: { enableListInference: true },
      destinationTable: { projectId: table.project, datasetId: table.dataset, tableId: table.table },
      schema: { fields: columns.map(stageColumn).map(fieldOf) },
      createDisposition: 'CREATE_NEVER',
      writeDisposition: 'WRITE_APPEND',
    }
    const submit = (id: string, onDoubt: () => void) => upload(api, id, { labels, load }, path, onDoubt)
    await jobs.runBy(`${name}-p${part + 1}`, submit, { load }, what)
  }
  const rows = await count(api, table)
  if (rows !== from.rows) throw new EtlError('bug', `${what} has ${rows} rows, ${from.rows} were sent.`)
  return { table, rows, contentHash: from.contentHash }
}

/** A stage of a name that was never used: a table dropped and made again under one name is not seen everywhere at once. */
async function create(api: Api, tables: TargetTables, columns: readonly Column[], attempt: string): Promise<TableRef> {
  const { project, dataset } = tables.runs
  for (let number = 1; ; number++) {
    const table = `stage__${tables.target.table}__${attempt}${number === 1 ? '' : `_${number}`}`
    const body = {
      tableReference: { projectId: project, datasetId: dataset, tableId: table },
      schema: { fields: columns.map(stageColumn).map(fieldOf) },
      expirationTime: String(api.clock.now().getTime() + lifetime),
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

async function count(api: Api, table: TableRef): Promise<number> {
  const answer = await ask(api, `SELECT COUNT(*) AS n FROM ${literal.table(table)}`, `the stage ${tableName(table)}`)
  return Number(answer.rows[0]?.n)
}

/** Deletes a stage; one that can't be deleted expires. */
export async function drop(api: Api, table: TableRef): Promise<void> {
  await api.once({ method: 'DELETE', path: tablePath(table) }).catch(() => {})
}

import type { Column } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Answer, TargetTables } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Warehouse } from '../ports/warehouse.ts'

/** A version as the ledger has it. `slices` is null where everything was replaced. Times are TIMESTAMP text. */
export type PublishedVersion = {
  readonly version: string
  readonly slot: string | null
  readonly run: string
  readonly attempt: string
  readonly rows: number | null
  readonly slices: readonly string[] | null
  readonly contentHash: string | null
  readonly codeSha: string | null
  readonly publishedAt: string
}

/** The rows that consumers see, in the order of the key, each with its version. At most `limit`. The columns carry the row schema's marks. */
export async function currentRows(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
  limit: number,
): Promise<Answer> {
  const { key } = pipeline.to.row
  const columns = [...pipeline.to.row.columns, versionColumn]
  const names = columns.map(column => column.name)
  const order = key.length === 0 ? [] : [`ORDER BY ${key.map(literal.name).join(', ')}`]
  const { rows } = await asked(
    warehouse,
    tables,
    [
      `SELECT ${names.map(literal.name).join(', ')}`,
      `FROM ${literal.from(tables.target, names)}`,
      ...order,
      `LIMIT ${literal.number(String(limit))}`,
    ].join('\n'),
  )
  return { columns, rows }
}

const versionColumn: Column = { name: 'version', type: 'TIMESTAMP', mode: 'REQUIRED', rules: [] }

/** The ledger's published versions of a target, newest first, at most 200. */
export async function publishedVersions(
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
): Promise<readonly PublishedVersion[]> {
  const { rows } = await asked(
    warehouse,
    tables,
    [
      'SELECT version, slot, run, attempt, rows_written, scope, content_hash, code_sha, logged_at',
      `FROM ${literal.table(tables.runs)}`,
      `WHERE event = 'published' AND target = ${literal.string(tableName(tables.target))}`,
      'ORDER BY version DESC',
      'LIMIT 200',
    ].join('\n'),
  )
  return rows.map(row => ({
    version: String(row.version),
    slot: row.slot === null ? null : String(row.slot),
    run: String(row.run),
    attempt: String(row.attempt),
    rows: row.rows_written === null ? null : Number(row.rows_written),
    slices: JSON.parse(String(row.scope ?? 'null')) as readonly string[] | null,
    contentHash: row.content_hash as string | null,
    codeSha: row.code_sha as string | null,
    publishedAt: String(row.logged_at),
  }))
}

/** A table that is missing here has not been made by a run yet. */
async function asked(warehouse: Pick<Warehouse, 'ask'>, tables: TargetTables, sql: string): Promise<Answer> {
  try {
    return await warehouse.ask(sql)
  } catch (error) {
    if (!(error instanceof EtlError) || error.kind !== 'notFound') throw error
    throw new EtlError('notFound', `${tableName(tables.target)} is not there: nothing has been published yet.`, {
      hint: 'the first run makes it: `npm run etl -- run NAME`',
      cause: error,
    })
  }
}

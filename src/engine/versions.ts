import { literal } from '../domain/literal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Answer, TargetTables } from '../domain/run.ts'
import type { Warehouse } from '../ports/warehouse.ts'

/** The rows that consumers see, in the order of the key, each with its version. At most `limit`. */
export function currentRows(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
  limit: number,
): Promise<Answer> {
  const { columns, key } = pipeline.to.row
  const names = [...columns.map(column => column.name), 'version'].map(literal.name)
  const order = key.length === 0 ? [] : [`ORDER BY ${key.map(literal.name).join(', ')}`]
  return warehouse.ask(
    [
      `SELECT ${names.join(', ')}`,
      `FROM ${literal.table(tables.target)}`,
      ...order,
      `LIMIT ${literal.number(String(limit))}`,
    ].join('\n'),
  )
}

/** The ledger's published versions of a target, newest first. */
export function publishedVersions(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
): Promise<Answer> {
  return warehouse.ask(
    [
      'SELECT version, slot, run, attempt, rows_written, scope, content_hash, code_sha, logged_at AS published_at',
      `FROM ${literal.table(tables.runs)}`,
      `WHERE event = 'published' AND target = ${literal.string(pipeline.to.table)}`,
      'ORDER BY version DESC',
      'LIMIT 200',
    ].join('\n'),
  )
}

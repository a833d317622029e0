import type { Column } from '../domain/column.ts'
import { literal } from '../domain/literal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Answer, TargetTables } from '../domain/run.ts'
import type { Warehouse } from '../ports/warehouse.ts'
import { asked } from './asked.ts'
import { stateAt } from './state.ts'
import type { Versions } from './versions.ts'
import { checkWhole } from './whole.ts'

const versionColumn: Column = { name: 'version', type: 'TIMESTAMP', mode: 'REQUIRED', rules: [] }

/** The rows that consumers see, in the order of the key, each with the version it comes from. At most `limit`. The columns carry the row schema's marks. */
export function currentRows(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
  limit: number,
): Promise<Answer> {
  const names = [...pipeline.to.row.columns, versionColumn].map(column => column.name)
  return inOrder(pipeline, tables, warehouse, literal.from(tables.target, names), limit)
}

/** The same as they were at a version. Throws EtlError `notFound` where it can't be read any more. */
export async function rowsAt(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
  at: { readonly versions: Versions; readonly version: string },
  limit: number,
): Promise<Answer> {
  const state = stateAt(pipeline, tables, at.versions, at.version)
  await checkWhole(pipeline, tables, at.versions, at.version, warehouse)
  return inOrder(pipeline, tables, warehouse, `(\n${state}\n)`, limit)
}

async function inOrder(
  { to }: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
  from: string,
  limit: number,
): Promise<Answer> {
  const columns = [...to.row.columns, versionColumn]
  const order = to.row.key.length === 0 ? [] : [`ORDER BY ${to.row.key.map(literal.name).join(', ')}`]
  const { rows } = await asked(
    warehouse,
    tables,
    [
      `SELECT ${columns.map(column => literal.name(column.name)).join(', ')}`,
      `FROM ${from}`,
      ...order,
      `LIMIT ${literal.number(String(limit))}`,
    ].join('\n'),
  )
  return { columns, rows }
}

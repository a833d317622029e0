import type { Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { type Change, columnChanges, refusedByNulls } from '../../domain/evolution.ts'
import { type Layout, layoutChanges } from '../../domain/layout.ts'
import { literal } from '../../domain/literal.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { Answer } from '../../domain/run.ts'
import type { Shape } from '../../domain/shape.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import { clusterColumns, partitionColumn, versionColumn } from './bootstrap.ts'
import { columnsText, type TableResource } from './tables.ts'
import { columnOfField } from './types.ts'

/** How a target that exists differs from what the pipeline declares; columns in the order of the row schema, the table as a whole first. */
export function targetChanges(pipeline: NamedPipeline, table: TableResource, last: Shape | null): readonly Change[] {
  const { to, write } = pipeline
  const declared = {
    mode: write.mode,
    key: to.row.key,
    partitionBy: partitionColumn(pipeline),
    clusters: clusterColumns(pipeline),
  }
  const found = columnsOf(table)
  const wanted = [...to.row.columns, versionColumn]
  return [...layoutChanges(declared, layoutOf(table), last), ...columnChanges({ role: 'target', wanted, found, last })]
}

/** A column that takes no NULL any more, where rows with NULL stay: replace leaves none. */
export async function withNulls(
  pipeline: NamedPipeline,
  ref: TableRef,
  table: TableResource,
  changes: readonly Change[],
  ask: (sql: string) => Promise<Answer>,
): Promise<readonly Change[]> {
  const tightened = changes.filter(change => change.kind === 'tighten')
  if (tightened.length === 0 || pipeline.write.mode === 'replace') return changes
  const counts = tightened.map(({ column }, index) => `COUNTIF(${literal.name(column)} IS NULL) AS n${index}`)
  const { rows } = await ask(`SELECT ${counts.join(', ')} FROM ${literal.table(ref)}${everything(table)}`)
  return changes.map(change => {
    const count = rows[0]?.[`n${tightened.indexOf(change)}`] as bigint | undefined
    return count === undefined || count === 0n ? change : refusedByNulls(change, count)
  })
}

/** A filter that every row passes, for a table that demands one: ` WHERE …`, or nothing. */
export function everything(table: TableResource): string {
  const { partition, requiresFilter } = layoutOf(table)
  const column = columnsOf(table).find(candidate => candidate.name === partition?.column)
  if (!requiresFilter || column === undefined) return ''
  const first = { DATE: literal.date('0001-01-01'), TIMESTAMP: literal.timestamp('0001-01-01T00:00:00Z') }[column.type as string]
  const name = literal.name(column.name)
  return first === undefined ? '' : ` WHERE ${name} >= ${first} OR ${name} IS NULL`
}

/**
 * Refuses what is breaking, column by column, with the way on.
 * @throws EtlError `schema`.
 */
export function refuseBreaking(pipeline: NamedPipeline, ref: TableRef, table: TableResource, changes: readonly Change[]): void {
  const breaking = changes.filter(change => change.class === 'breaking')
  if (breaking.length === 0) return
  throw new EtlError(
    'schema',
    `${tableName(ref)} has another schema than the pipeline: ${breaking.map(change => change.sentence).join('; ')}.`,
    {
      hint: `its readers rely on it, so it is never changed like this. Change the pipeline back, or \`npm run etl -- evolve ${pipeline.name} --as ${nextName(pipeline.to.table)}\` makes a new table beside it and writes the notice to its readers. It has ${columnsText(table.schema?.fields ?? [])}`,
    },
  )
}

/** `t` → `t_v2` → `t_v3`: how NAV names a table that follows another one. */
export function nextName(table: string): string {
  const [, base = table, number] = /^(.*)_v(\d+)$/.exec(table) ?? []
  return `${base}_v${number === undefined ? 2 : Number(number) + 1}`
}

/** The columns of a table, as a row schema has them. */
export function columnsOf(table: TableResource): readonly Column[] {
  return (table.schema?.fields ?? []).map(columnOfField)
}

/** How a table lies. */
export function layoutOf(table: TableResource): Layout {
  const { timePartitioning: time, rangePartitioning: range, clustering } = table
  const partition =
    time !== undefined
      ? { column: time.field ?? '', type: time.type ?? 'DAY' }
      : range === undefined
        ? null
        : { column: range.field ?? '', type: 'range' }
  return {
    partition,
    requiresFilter: table.requirePartitionFilter === true || time?.requirePartitionFilter === true,
    clusters: clustering?.fields ?? [],
  }
}

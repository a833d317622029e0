import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import type { Past } from '../../domain/replay.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import type { Modified } from '../../ports/reader.ts'
import type { Api } from './api.ts'
import { ask } from './query.ts'
import type { TableResource } from './tables.ts'

/**
 * When each partition of a table was last written to. BigQuery: PARTITIONS view: `partition_id` is yyyymmdd for a day, __NULL__ for rows without a date, and
 * __UNPARTITIONED__ for rows that are still in the streaming buffer: they modify the partition that they get into. A query of it is billed as 10 MB.
 */
export async function modified(
  api: Api,
  { ref, table }: { readonly ref: TableRef; readonly table: TableResource },
  column: string,
  signal?: AbortSignal,
): Promise<Modified> {
  const why = whyNot(table, column)
  if (why !== undefined) return { kind: 'guess', why }
  const query = `SELECT partition_id AS id, last_modified_time AS modified FROM ${literal.partitions(ref)} WHERE table_name = ${literal.string(ref.table)}`
  try {
    const { rows } = await ask(api, query, `the partitions of ${tableName(ref)}`, [], signal)
    const days = rows.flatMap(({ id, modified }): [string, string][] => {
      const day = /^(\d{4})(\d\d)(\d\d)$/.exec(String(id))
      return day === null ? [] : [[day.slice(1).join('-'), String(modified)]]
    })
    return { kind: 'known', at: new Map(days) }
  } catch (error) {
    // It takes bigquery.tables.list of the dataset; reading its tables doesn't.
    if (error instanceof EtlError && error.kind === 'denied')
      return { kind: 'guess', why: `INFORMATION_SCHEMA.PARTITIONS of ${ref.dataset} may not be read` }
    throw error
  }
}

/** Why the partitions of a table say nothing of the slices; undefined if they do. */
function whyNot({ type = 'TABLE', timePartitioning }: TableResource, column: string): string | undefined {
  if (type !== 'TABLE') return `it is ${kindOf(type)}`
  if (timePartitioning?.field?.toLowerCase() !== column.toLowerCase()) return `it is not partitioned by ${column}`
  // BigQuery REST: TimePartitioning.type
  return timePartitioning.type === 'DAY' ? undefined : `its partitions are not days (${timePartitioning.type})`
}

/** How a table keeps what it held. */
export function pastOf({ type = 'TABLE', timePartitioning, biglakeConfiguration }: TableResource): Past {
  // BigQuery: Introduction to table snapshots: "Table snapshots are read-only".
  if (type === 'SNAPSHOT') return { kind: 'fixed' }
  // BigQuery: Access historical data: "The table must be stored in BigQuery".
  if (biglakeConfiguration !== undefined)
    return { kind: 'none', why: 'is a table in Cloud Storage: it shows what lies there now' }
  if (type !== 'TABLE') return { kind: 'none', why: `is ${kindOf(type)}: it shows what lies behind it now` }
  const { field, expirationMs } = timePartitioning ?? {}
  // BigQuery REST: TimePartitioning.expirationMs: so long after the partition's own date; 0 and none are never.
  const milliseconds = Number(expirationMs ?? 0)
  return { kind: 'table', partitionedBy: field ?? null, days: milliseconds === 0 ? null : milliseconds / 86_400_000 }
}

/** `a view`, `an external`. BigQuery REST: Table.type. */
function kindOf(type: string): string {
  const word = type.toLowerCase().replace('_', ' ')
  return word === 'external' ? 'an external table' : `a ${word}`
}

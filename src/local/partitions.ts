import type { DuckDBConnection } from '@duckdb/node-api'
import { now } from './clock.ts'
import type { Field, TableMeta } from './contract.ts'
import { inTransaction, quoted } from './duck.ts'

/**
 * Notes which partitions of a table hold other rows than when they were last looked at: they are modified now. To be called after whatever writes to it has
 * committed. A partition that is written again as it was counts as untouched, and so do columns that were added; the service knows better.
 */
export async function noteModified(connection: DuckDBConnection, table: TableMeta): Promise<void> {
  if (table.kind !== 'TABLE' || table.partition === undefined) return
  await inTransaction(connection, async () => {
    await connection.run(`CREATE OR REPLACE TEMP TABLE _seen AS
      SELECT ${partitionId(table)} AS id, count(*) AS n, sum(${rowHash(table.schema)}::HUGEINT)::VARCHAR AS content
      FROM ${table.physical} GROUP BY 1`)
    const same = 'seen.id = known.id AND seen.n = known.n AND seen.content = known.content'
    await connection.run(
      `DELETE FROM _catalogue.partitions AS known WHERE physical = $1 AND NOT EXISTS (SELECT 1 FROM _seen AS seen WHERE ${same})`,
      [table.physical],
    )
    await connection.run(
      `INSERT INTO _catalogue.partitions SELECT $1, id, n, content, $2 FROM _seen AS seen
       WHERE NOT EXISTS (SELECT 1 FROM _catalogue.partitions AS known WHERE physical = $1 AND ${same})`,
      [table.physical, BigInt(now())],
    )
    await connection.run('DROP TABLE _seen')
  })
}

/** BigQuery: Managing partitioned tables, 'Partition IDs': yyyymmddhh, yyyymmdd, yyyymm or yyyy, and __NULL__. */
function partitionId({ partition }: TableMeta): string {
  const format = { HOUR: '%Y%m%d%H', DAY: '%Y%m%d', MONTH: '%Y%m', YEAR: '%Y' }[partition?.type ?? 'DAY']
  return `coalesce(strftime(${quoted(partition?.column ?? '')}, '${format}'), '__NULL__')`
}

/** The same for a row whose further columns are NULL: a column that is added changes no row. */
function rowHash(schema: readonly Field[]): string {
  const columns = schema.map(({ name, mode }) => {
    const value = quoted(name)
    const isNothing = mode === 'REPEATED' ? `len(${value}) = 0` : `${value} IS NULL`
    return `if(${isNothing}, 0, hash('${name.toLowerCase().replaceAll("'", "''")}', ${value}) // 65536)`
  })
  return `hash(${columns.join(' + ')})`
}

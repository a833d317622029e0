import type { DuckDBConnection } from '@duckdb/node-api'
import { now } from './clock.ts'
import type { Catalogue, Field, PartitionTimes, TableMeta } from './contract.ts'
import { inTransaction, quoted, rowsOf } from './duck.ts'
import { keyedLock } from './lock.ts'

/**
 * Reads what an earlier process knew of when partitions were modified. Which partitions a write has changed takes a scan of the whole table: that is done
 * only for tables whose partitions somebody has asked for. Of the others the time of the last write is enough, and that lies in memory.
 */
export async function openPartitionTimes(connection: DuckDBConnection): Promise<PartitionTimes> {
  const started = now()
  const asked = new Map<string, number>()
  for (const { physical } of await rowsOf(connection, 'SELECT DISTINCT physical FROM _catalogue.partitions'))
    asked.set(String(physical), 0)
  const written = new Map<string, number>()
  for (const { physical, modified } of await rowsOf(connection, 'SELECT * FROM _catalogue.written'))
    written.set(String(physical), Number(modified))
  // After a kill it would no longer be true.
  if (written.size > 0) await connection.run('DELETE FROM _catalogue.written')
  const oneAtATime = keyedLock()

  return {
    async wrote(catalogue, { ref, kind, partition, physical }, since) {
      if (kind !== 'TABLE' || partition === undefined) return
      const first = asked.get(physical)
      if (first === undefined) {
        written.set(physical, now())
        return
      }
      const table = await catalogue.find(ref)
      if (table?.physical !== physical) return
      await oneAtATime(physical, async () => {
        await note(catalogue, table, now())
        // The first question may have seen the rows and not have known of the write.
        if (first >= since) await touchAll(catalogue.connection, physical)
      })
    },
    async ask(catalogue, table) {
      const { physical, createdAt } = table
      await oneAtATime(physical, async () => {
        if (asked.has(physical)) return note(catalogue, table, now())
        // Later than the truth for most partitions, sooner for none.
        const last = written.get(physical) ?? (createdAt < started ? started : now())
        asked.set(physical, now())
        try {
          await note(catalogue, table, last)
        } catch (error) {
          asked.delete(physical)
          written.set(physical, now())
          throw error
        }
        written.delete(physical)
      })
    },
    async close(connection) {
      if (written.size === 0) return
      const values = [...written].flat()
      const rows = [...written].map((_, index) => `($${2 * index + 1}, $${2 * index + 2})`)
      await rowsOf(connection, `INSERT INTO _catalogue.written VALUES ${rows.join(', ')}`, values)
    },
  }
}

/**
 * Notes which partitions hold other rows than when they were last looked at: they were modified at this time. A partition that is written again as it was
 * counts as untouched, and so do columns that were added; the service knows better. A row without an id says that the table is looked at, also while it has no rows.
 */
async function note({ connection }: Catalogue, table: TableMeta, time: number): Promise<void> {
  await inTransaction(connection, async () => {
    await connection.run(`CREATE OR REPLACE TEMP TABLE _seen AS
      SELECT ${partitionId(table)} AS id, count(*) AS n, sum(${rowHash(table.schema)}::HUGEINT)::VARCHAR AS content
      FROM ${table.physical} GROUP BY 1 UNION ALL SELECT NULL, 0, NULL`)
    const same = 'seen.id IS NOT DISTINCT FROM known.id AND seen.n = known.n AND seen.content IS NOT DISTINCT FROM known.content'
    await connection.run(
      `DELETE FROM _catalogue.partitions AS known WHERE physical = $1 AND NOT EXISTS (SELECT 1 FROM _seen AS seen WHERE ${same})`,
      [table.physical],
    )
    await connection.run(
      `INSERT INTO _catalogue.partitions SELECT $1, id, n, content, $2 FROM _seen AS seen
       WHERE NOT EXISTS (SELECT 1 FROM _catalogue.partitions AS known WHERE physical = $1 AND ${same})`,
      [table.physical, BigInt(time)],
    )
    await connection.run('DROP TABLE _seen')
  })
}

async function touchAll(connection: DuckDBConnection, physical: string): Promise<void> {
  await inTransaction(connection, () =>
    rowsOf(connection, 'UPDATE _catalogue.partitions SET modified = $2 WHERE physical = $1', [physical, now()]),
  )
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

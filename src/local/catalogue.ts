import { randomBytes } from 'node:crypto'
import type { DuckDBConnection } from '@duckdb/node-api'
import { now } from './clock.ts'
import type { Catalogue, DatasetRef, NewTable, TableMeta, TableRef } from './contract.ts'
import { inTransaction, quoted, type Row, rowsOf } from './duck.ts'
import { evolve } from './evolve.ts'
import { nameOf, noSuchDataset, noSuchTable, tableExists } from './names.ts'
import { physicalType } from './types.ts'

type Shared = Pick<Catalogue, 'partitionTimes' | 'kept'>

/** The catalogue of tables as one connection sees it. */
export function createCatalogue(connection: DuckDBConnection, { partitionTimes, kept }: Shared): Catalogue {
  const find = async (ref: TableRef): Promise<TableMeta | undefined> => {
    const table = await kept.tables.find(connection, nameOf(ref), () => look(ref))
    return table && isAlive(table) ? table : undefined
  }
  const look = async (ref: TableRef) => {
    const [row] = await rowsOf(connection, `SELECT * FROM _catalogue.tables WHERE ${isTable}`, [
      ref.project,
      ref.dataset,
      ref.table,
    ])
    return row && read(row)
  }
  const existing = async (ref: TableRef): Promise<TableMeta> => {
    const table = await find(ref)
    if (!table) throw noSuchTable(ref)
    return table
  }
  const hasDataset = async (ref: DatasetRef) =>
    (
      await rowsOf(connection, 'SELECT 1 FROM _catalogue.datasets WHERE project = $1 AND dataset = $2', [
        ref.project,
        ref.dataset,
      ])
    ).length > 0
  const remove = async (ref: TableRef, physical: string) => {
    kept.tables.changing(connection, nameOf(ref))
    await connection.run(`DELETE FROM _catalogue.tables WHERE ${isTable}`, [ref.project, ref.dataset, ref.table])
    if (physical) await connection.run(`DROP TABLE IF EXISTS ${physical}`)
  }

  return {
    connection,
    partitionTimes,
    kept,
    hasDataset,
    find,
    async list(ref) {
      const sql = 'SELECT * FROM _catalogue.tables WHERE project = $1 AND dataset = $2 ORDER BY name'
      return (await rowsOf(connection, sql, [ref.project, ref.dataset])).map(read).filter(isAlive)
    },
    create: table =>
      inTransaction(connection, async () => {
        const { ref } = table
        kept.tables.changing(connection, nameOf(ref))
        if (!(await hasDataset(ref))) throw noSuchDataset(ref)
        if (await find(ref)) throw tableExists(ref)
        const [expired] = await rowsOf(connection, `SELECT physical FROM _catalogue.tables WHERE ${isTable}`, [
          ref.project,
          ref.dataset,
          ref.table,
        ])
        if (expired) await remove(ref, String(expired.physical))
        const physical = table.kind === 'VIEW' ? '' : newPhysical(ref)
        if (physical) kept.writes.changing(connection, physical)
        if (physical) await connection.run(`CREATE TABLE ${physical} (${columns(table)})`)
        const meta: TableMeta = { ...table, physical, etag: newEtag(), createdAt: now(), modifiedAt: now() }
        await connection
          .run('INSERT INTO _catalogue.tables VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
            ref.project,
            ref.dataset,
            ref.table,
            physical,
            meta.etag,
            BigInt(meta.createdAt),
            BigInt(meta.modifiedAt),
            bodyOf(meta),
          ])
          .catch(error => {
            throw /constraint/i.test(String(error)) ? tableExists(ref) : error
          })
        return meta
      }),
    change: (ref, change, using) =>
      inTransaction(connection, async () => {
        kept.tables.changing(connection, nameOf(ref))
        const before = await existing(ref)
        kept.sizes.changing(connection, before.physical)
        kept.writes.changing(connection, before.physical)
        const after: TableMeta = { ...before, ...change, etag: newEtag(), modifiedAt: now() }
        if (change.schema && before.kind === 'TABLE') await evolve(connection, before, change.schema, using)
        await connection.run(`UPDATE _catalogue.tables SET etag = $4, modified = $5, body = $6 WHERE ${isTable}`, [
          ref.project,
          ref.dataset,
          ref.table,
          after.etag,
          BigInt(after.modifiedAt),
          bodyOf(after),
        ])
        return after
      }),
    drop: ref => inTransaction(connection, async () => remove(ref, (await existing(ref)).physical)),
  }
}

export const newEtag = () => randomBytes(12).toString('base64')

const isTable = 'project = $1 AND dataset = $2 AND name = $3'
const isAlive = (table: TableMeta) => table.expiresAt === undefined || table.expiresAt > now()
const columns = (table: NewTable) => table.schema.map(field => `${quoted(field.name)} ${physicalType(field)}`).join(', ')

/** Never used twice, and readable for whoever opens the file. */
function newPhysical(ref: TableRef): string {
  return quoted('_rows', `${ref.dataset}.${ref.table}.${randomBytes(6).toString('hex')}`.slice(-120))
}

function bodyOf(table: TableMeta): string {
  const { ref: _ref, physical: _physical, etag: _etag, createdAt: _created, modifiedAt: _modified, ...body } = table
  return JSON.stringify(body)
}

function read(row: Row): TableMeta {
  return {
    ...JSON.parse(String(row.body)),
    ref: { project: String(row.project), dataset: String(row.dataset), table: String(row.name) },
    physical: String(row.physical),
    etag: String(row.etag),
    createdAt: Number(row.created),
    modifiedAt: Number(row.modified),
  }
}

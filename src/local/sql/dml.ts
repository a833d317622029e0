import { child, children, type Node, text } from '../../googlesql/tree.ts'
import type { TableMeta } from '../contract.ts'
import { quoted } from '../duck.ts'
import { evaluable } from './constants.ts'
import { type Batch, eachBatch } from './content.ts'
import { lowerExpression } from './lower/expression.ts'
import { type Lowering, NotLowered, only } from './lower/grammar.ts'
import { lowerScan } from './lower/scan.ts'
import { requirePartitionFilter } from './partition.ts'
import { loweringOf } from './query.ts'
import { checkRequired, stored } from './required.ts'
import { append } from './results.ts'
import { asBigQueryError, type Prepared, type Session } from './session.ts'
import { insertedColumns, targetColumns, targetOf, updateItems, writtenValue } from './target.ts'
import { unlessStopped } from './transaction.ts'

/** What a statement did to its table. */
export type Changes = { readonly table: TableMeta; readonly inserted: number; readonly updated: number; readonly deleted: number }

/** Adds the rows of an INSERT. Throws BigQueryError. */
export async function insert(session: Session, prepared: Prepared, now: string): Promise<Changes> {
  const table = targetOf(prepared)
  requirePartitionFilter(prepared)
  const lowering = await loweringOf(session, prepared, now)
  const changed = (inserted: number): Changes => ({ table, inserted, updated: 0, deleted: 0 })
  try {
    const result = await session.catalogue.connection.run(lowerInsert(prepared.resolved, table, lowering))
    return changed(Number(result.rowsChanged))
  } catch (error) {
    if (!(error instanceof NotLowered)) throw error
    return changed(await insertEvaluated(session, prepared, now, error.part, table))
  }
}

/** Changes the rows of an UPDATE. Throws BigQueryError. */
export async function update(session: Session, prepared: Prepared, now: string): Promise<Changes> {
  const table = targetOf(prepared)
  requirePartitionFilter(prepared)
  const lowering = await loweringOf(session, prepared, now)
  const updated = await mutate(session, prepared, now, () => lowerUpdate(prepared.resolved, table, lowering))
  return { table, inserted: 0, updated, deleted: 0 }
}

/** Removes the rows of a DELETE. Throws BigQueryError. */
export async function remove(session: Session, prepared: Prepared, now: string): Promise<Changes> {
  const table = targetOf(prepared)
  requirePartitionFilter(prepared)
  const lowering = await loweringOf(session, prepared, now)
  const deleted = await mutate(session, prepared, now, () => {
    only(prepared.resolved, 'tableScan', 'whereExpr', 'columnAccessList')
    const where = lowerExpression(child(prepared.resolved, 'whereExpr') ?? {}, columnsOf(prepared.resolved, table), lowering)
    return `DELETE FROM ${table.physical} WHERE ${where}`
  })
  return { table, inserted: 0, updated: 0, deleted }
}

/** Removes all rows. BigQuery: TRUNCATE TABLE "removes all rows from a table but leaves the table metadata intact". */
export async function truncate(session: Session, prepared: Prepared): Promise<Changes> {
  const table = targetOf(prepared)
  only(prepared.resolved, 'tableScan')
  const deleted = Number((await session.catalogue.connection.run(`DELETE FROM ${table.physical}`)).rowsChanged)
  return { table, inserted: 0, updated: 0, deleted }
}

/** Runs an UPDATE or DELETE; outside the closed grammar the evaluator says which rows become what. The number of rows touched. */
async function mutate(session: Session, prepared: Prepared, now: string, lower: () => string): Promise<number> {
  const { connection } = session.catalogue
  try {
    return Number((await connection.run(lower())).rowsChanged)
  } catch (error) {
    if (!(error instanceof NotLowered)) throw error
    return mutateEvaluated(session, prepared, now, error.part)
  }
}

async function insertEvaluated(
  session: Session,
  prepared: Prepared,
  now: string,
  part: string,
  table: TableMeta,
): Promise<number> {
  const sql = evaluable(prepared, now, session.rowCount)
  let inserted = 0
  const work = async ({ content }: Batch) => {
    const rows = await unlessStopped(session, session.google.inserted(sql, prepared.scope, content, table.schema))
    checkRequired(rows, table.schema)
    await append(session.catalogue.connection, table.physical, table.schema, rows)
    inserted += rows.length
  }
  await eachBatch(session, prepared, part, work).catch(rethrow)
  return inserted
}

async function mutateEvaluated(session: Session, prepared: Prepared, now: string, part: string): Promise<number> {
  const { connection } = session.catalogue
  const table = targetOf(prepared)
  const sql = evaluable(prepared, now, session.rowCount)
  const tables = prepared.scope.tables.map(each => ({
    ...each,
    numbered: prepared.tables.get(each.name)?.physical === table.physical,
  }))
  let touched = 0
  const work = async ({ content, ids }: Batch) => {
    const changes = await unlessStopped(
      session,
      session.google.changed(sql, { ...prepared.scope, tables }, content, table.schema),
    )
    const rows = changes.flatMap(({ row }) => (row === undefined ? [] : [row]))
    checkRequired(rows, table.schema)
    if (changes.length > 0)
      await connection.run(`DELETE FROM ${table.physical} WHERE rowid IN (${changes.map(({ place }) => ids[place]).join(', ')})`)
    await append(connection, table.physical, table.schema, rows)
    touched += changes.length
  }
  await eachBatch(session, prepared, part, work, table).catch(rethrow)
  return touched
}

function rethrow(error: unknown): never {
  throw asBigQueryError(error)
}

function lowerInsert(resolved: Node, table: TableMeta, lowering: Lowering): string {
  only(resolved, 'tableScan', 'insertMode', 'insertColumnList', 'rowList', 'query', 'queryOutputColumnList', 'columnAccessList')
  if (text(resolved, 'insertMode') !== 'OR_ERROR') throw new NotLowered('this kind of INSERT')
  const places = new Map(
    insertedColumns(resolved, targetColumns(resolved, table)).map((field, place) => [field.name, `v${place}`]),
  )
  const values = table.schema.map(field => stored(places.get(field.name), field))
  const columns = table.schema.map(field => quoted(field.name)).join(', ')
  return `INSERT INTO ${table.physical} (${columns}) SELECT ${values.join(', ')} FROM ${inserted(resolved, [...places.values()], lowering)}`
}

function inserted(resolved: Node, names: readonly string[], lowering: Lowering): string {
  const query = child(resolved, 'query')
  if (query !== undefined) {
    const { sql, reach } = lowerScan(query, lowering)
    const outputs = children(resolved, 'queryOutputColumnList').map(
      (column, place) => `${reach.get(String(column.columnId))} AS ${names[place]}`,
    )
    return `(SELECT ${outputs.join(', ')} FROM ${sql}) AS v`
  }
  const rows = children(resolved, 'rowList').map(row => {
    const values = children(row, 'valueList').map(each => writtenValue(each, new Map(), lowering) ?? 'NULL')
    return `(${values.join(', ')})`
  })
  return `(VALUES ${rows.join(', ')}) AS v(${names.join(', ')})`
}

function lowerUpdate(resolved: Node, table: TableMeta, lowering: Lowering): string {
  only(resolved, 'tableScan', 'whereExpr', 'updateItemList', 'columnAccessList')
  const reach = columnsOf(resolved, table)
  const items = updateItems(children(resolved, 'updateItemList'), targetColumns(resolved, table), reach, lowering).map(
    ({ field, value }) => `${quoted(field.name)} = ${value}`,
  )
  return `UPDATE ${table.physical} SET ${items.join(', ')} WHERE ${lowerExpression(child(resolved, 'whereExpr') ?? {}, reach, lowering)}`
}

function columnsOf(resolved: Node, table: TableMeta): Map<string, string> {
  return new Map([...targetColumns(resolved, table)].map(([id, field]) => [id, quoted(field.name)]))
}

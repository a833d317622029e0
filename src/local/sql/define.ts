import { child, children, text } from '../../googlesql/tree.ts'
import { BigQueryError } from '../contract.ts'
import { alterTable } from './alter.ts'
import { bytesRead } from './bytes.ts'
import { createTable, type Defined, dropTable } from './ddl.ts'
import { resolve } from './names.ts'
import type { Progress } from './progress.ts'
import type { SqlStatement } from './script.ts'
import { prepare, type Session } from './session.ts'
import { createSnapshot, dropSnapshot } from './snapshot.ts'
import { change, type Reserve, type Work } from './transaction.ts'

/** A statement that makes, changes or drops a table. */
export type Definition = SqlStatement & { readonly kind: keyof typeof works }

/** Whether a statement is one. */
export function isDefinition(statement: SqlStatement): statement is Definition {
  return statement.kind in works
}

/** Runs one. BigQuery: Multi-statement transactions, "Limitations": "Transactions cannot use DDL statements that affect permanent entities." */
export async function define(session: Session, statement: Definition, progress: Progress): Promise<void> {
  if (session.transaction !== undefined) {
    throw new BigQueryError(
      'invalidQuery',
      'DDL statements that affect permanent entities are not supported inside of a transaction',
      'query',
    )
  }
  const {
    defined,
    type,
    bytes = 0,
  } = await change(session, (now, reserve) => works[statement.kind](session, statement, now, reserve))
  progress.bytes += bytes
  progress.statementType = type
  progress.ddl = { operation: defined.operation, table: defined.table }
}

type Result = { readonly defined: Defined; readonly type: string; readonly bytes?: number }
type Worked = ReturnType<Work<Result>>

const works = { createTable: create, dropTable: drop, alterTable: alter, createSnapshot: snapshot, dropSnapshot: dropIt }

async function create(session: Session, statement: SqlStatement, now: string): Worked {
  const prepared = await prepare(session, statement.node, statement.range)
  const bytes = await bytesRead(session, prepared)
  const type = child(statement.node, 'query') === undefined ? 'CREATE_TABLE' : 'CREATE_TABLE_AS_SELECT'
  return { result: { defined: await createTable(session, statement.node, prepared, now), type, bytes } }
}

async function drop(session: Session, statement: SqlStatement): Worked {
  const prepared = await prepare(session, statement.node, statement.range)
  return { result: { defined: await dropTable(session, prepared), type: 'DROP_TABLE' } }
}

async function snapshot(session: Session, { node, range }: SqlStatement, now: string): Worked {
  const prepared = await prepare(session, node, range)
  return { result: { defined: await createSnapshot(session, prepared, now), type: 'CREATE_SNAPSHOT_TABLE' } }
}

async function dropIt(session: Session, { node, range }: SqlStatement): Worked {
  return { result: { defined: await dropSnapshot(session, await prepare(session, node, range)), type: 'DROP_SNAPSHOT_TABLE' } }
}

async function alter(session: Session, { node, range }: SqlStatement, now: string, reserve: Reserve): Worked {
  const type = 'ALTER_TABLE'
  if (node.isIfExists === true) {
    const path = children(child(node, 'path') ?? {}, 'names').map(each => text(each, 'idString'))
    const table = resolve(path, session.request.project, session.request.defaultDataset)
    // BigQuery: ALTER TABLE, IF EXISTS: "If the table does not exist, the statement has no effect."
    if ((await session.catalogue.find(table)) === undefined)
      return { result: { defined: { operation: 'SKIP', table, rows: 0 }, type } }
  }
  return { result: { defined: await alterTable(session, await prepare(session, node, range), now, reserve), type } }
}

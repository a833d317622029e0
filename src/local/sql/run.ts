import { child, text } from '../../googlesql/tree.ts'
import { BigQueryError, type Field, type TableMeta } from '../contract.ts'
import { bytesRead } from './bytes.ts'
import { define, isDefinition } from './define.ts'
import { insert, remove, truncate, update } from './dml.ts'
import { evaluateExpression, outputField } from './expressions.ts'
import { merge } from './merge.ts'
import { checkPast, readsPast } from './past.ts'
import type { Progress } from './progress.ts'
import { runQuery, schemaOf } from './query.ts'
import type { Results } from './results.ts'
import type { Expression, SqlStatement, Statement } from './script.ts'
import { type Prepared, prepare, type Session } from './session.ts'
import { begin, change, commit, currentTimestamp, onSnapshot, rollback, stopIfAsked } from './transaction.ts'

/**
 * Runs statements in their order. A statement's rows are kept until the next SELECT. The caller rolls back what is open when this throws.
 */
export async function runStatements(session: Session, statements: readonly Statement[], progress: Progress): Promise<void> {
  for (const statement of statements) {
    stopIfAsked(session)
    await runStatement(session, statement, progress)
  }
}

async function runStatement(session: Session, statement: Statement, progress: Progress): Promise<void> {
  switch (statement.kind) {
    case 'begin':
      return begin(session)
    case 'commit':
      return commit(session)
    case 'rollback':
      return rollback(session)
    case 'declare':
      return declare(session, statement)
    case 'set':
      return assign(session, statement.name, statement.value)
    case 'if': {
      for (const arm of statement.arms) {
        const [value] = await evaluateExpression(session, arm.condition, conditionField)
        // GoogleSQL: Procedural language, IF: a condition that is NULL counts as false.
        if (value === true) return runStatements(session, arm.body, progress)
      }
      return runStatements(session, statement.otherwise, progress)
    }
    default:
      return runSql(session, statement, progress)
  }
}

async function runSql(session: Session, statement: SqlStatement, progress: Progress): Promise<void> {
  progress.statements++
  if (statement.kind === 'query') {
    if (!readsPast(session, statement)) return select(session, statement, progress)
    return onSnapshot(session, async () => {
      await checkPast(session, statement)
      await select(session, statement, progress)
    })
  }
  if (isDefinition(statement)) return define(session, statement, progress)
  const kind = statement.kind as keyof typeof statementTypes
  const changes = await change(session, async now => {
    const prepared = await prepare(session, statement.node, statement.range)
    const bytes = await bytesRead(session, prepared)
    const result = await onTable(prepared, () =>
      kind === 'merge' ? merge(session, statement, prepared, now) : modify[kind](session, prepared, now),
    )
    progress.bytes += bytes
    if (result.updated + result.deleted > 0) return { result, wrote: { table: result.table, how: 'mutate' } }
    return { result, ...(result.inserted > 0 && { wrote: { table: result.table, how: 'append' } as const }) }
  })
  progress.statementType = statementTypes[kind]
  progress.changes = changes
  session.rowCount = changes.inserted + changes.updated + changes.deleted
}

async function select(session: Session, statement: SqlStatement, progress: Progress): Promise<void> {
  const prepared = await prepare(session, statement.node, statement.range)
  progress.bytes += await bytesRead(session, prepared)
  progress.statementType = 'SELECT'
  if (progress.select !== undefined) progress.obsolete.push(progress.select)
  progress.select = undefined
  progress.select = await runQuery(session, prepared, session.transaction?.now ?? currentTimestamp())
}

const modify = { insert, update, delete: remove, truncate }
const statementTypes = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE', merge: 'MERGE', truncate: 'TRUNCATE_TABLE' }

async function declare(session: Session, statement: Extract<Statement, { kind: 'declare' }>): Promise<void> {
  const type = statement.type === undefined ? undefined : await declaredType(session, statement.type)
  const [value, valueField] =
    statement.initial === undefined ? [null, type] : await evaluateExpression(session, statement.initial, type)
  const field = type ?? valueField
  if (field === undefined) throw new BigQueryError('invalidQuery', 'A variable needs a type or a default', 'query')
  for (const name of statement.names) {
    if (session.variables.has(name.toLowerCase()))
      throw new BigQueryError('invalidQuery', `Variable '${name}' redeclaration`, 'query')
    session.variables.set(name.toLowerCase(), {
      field: { ...field, name },
      value: field.mode === 'REPEATED' ? (value ?? []) : value,
    })
  }
}

async function assign(session: Session, name: string, expression: Expression): Promise<void> {
  const variable = session.variables.get(name.toLowerCase())
  if (variable === undefined) throw new BigQueryError('invalidQuery', `Undeclared variable: ${name}`, 'query')
  const [value] = await evaluateExpression(session, expression, variable.field)
  session.variables.set(name.toLowerCase(), { field: variable.field, value })
}

async function declaredType(
  session: Session,
  range: NonNullable<Extract<Statement, { kind: 'declare' }>['type']>,
): Promise<Field> {
  const { resolved } = await prepare(session, {}, range, { before: 'SELECT CAST(NULL AS ', after: ')' })
  return outputField(resolved)
}

const conditionField: Field = { name: '', type: 'BOOL', mode: 'NULLABLE' }

/** Says of an error which table was being changed: DuckDB's own conflicts don't. */
async function onTable<T>(prepared: Prepared, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const name = text(child(child(prepared.resolved, 'tableScan') ?? {}, 'table'), 'name')
    const table: TableMeta | undefined = prepared.tables.get(name)
    throw error instanceof Error && !(error instanceof BigQueryError) && table !== undefined
      ? Object.assign(error, { table })
      : error
  }
}

/** The columns and bytes of a single statement that isn't run. */
export async function dryRun(session: Session, statement: SqlStatement): Promise<{ schema: Field[]; bytes: number }> {
  const prepared = await prepare(session, statement.node, statement.range)
  return { schema: statement.kind === 'query' ? schemaOf(prepared.resolved) : [], bytes: await bytesRead(session, prepared) }
}

/** Drops kept results. */
export async function discard(session: Session, results: readonly Results[]): Promise<void> {
  for (const { rows } of results) await session.catalogue.connection.run(`DROP TABLE IF EXISTS ${rows}`).catch(() => undefined)
}

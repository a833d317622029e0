import { createGoogleSql, type GoogleSql } from '../../googlesql/analyse.ts'
import { GoogleSqlError } from '../../googlesql/error.ts'
import { child } from '../../googlesql/tree.ts'
import { now } from '../clock.ts'
import { BigQueryError, type QueryOutcome, type QueryRequest, type SqlEngine, type Store } from '../contract.ts'
import type { Databases } from '../external/databases.ts'
import { createConflicts } from './conflicts.ts'
import { asServiceError } from './errors.ts'
import { resolveAll } from './names.ts'
import { readParameters } from './parameters.ts'
import type { Progress } from './progress.ts'
import { discard, dryRun, runStatements } from './run.ts'
import { isScript, readScript, type Statement } from './script.ts'
import { asBigQueryError, type Session } from './session.ts'
import { rollback } from './transaction.ts'

/** Makes the SQL side of the local BigQuery. Google's evaluator starts in the background and ends with `close` or with this process. */
export async function createSqlEngine(store: Store, external: Pick<Databases, 'urlOf'>): Promise<SqlEngine> {
  const google = createGoogleSql()
  const conflicts = createConflicts()
  // Whether it starts at all is for the first request to say.
  void google.parse('SELECT 1').catch(() => undefined)
  return {
    run: request => run({ store, google, conflicts, external }, request),
    tables: (sql, project) => analysed(async () => resolveAll(await google.tableNames(sql), { project })),
    close: () => google.close(),
  }
}

/** What all requests of a server share. */
type Parts = Pick<Session, 'store' | 'google' | 'conflicts' | 'external'>

async function run(parts: Parts, request: QueryRequest): Promise<QueryOutcome> {
  const { store, google } = parts
  const script = Buffer.from(request.sql)
  const { statements, paths } = await read(google, script, request)
  const parameters = readParameters(request.parameters)
  const catalogue = await store.connect()
  const since = now()
  const interrupt = () => catalogue.connection.interrupt()
  request.signal.addEventListener('abort', interrupt, { once: true })
  const session: Session = {
    ...parts,
    catalogue,
    request,
    script,
    paths,
    parameters,
    variables: new Map(),
    written: new Map(),
    transaction: undefined,
    isolated: false,
    rowCount: 0,
  }
  const progress: Progress = { statements: 0, bytes: 0, statementType: 'SCRIPT', obsolete: [] }
  try {
    if (request.dryRun) return await onlyAnalysed(session, statements)
    await runStatements(session, statements, progress)
    await endOpenTransaction(session)
    await discard(session, progress.obsolete)
    return outcomeOf(statements, progress)
  } catch (error) {
    await endOpenTransaction(session)
    await discard(session, [...progress.obsolete, ...(progress.select ? [progress.select] : [])])
    throw asServiceError(asBigQueryError(error), request.signal)
  } finally {
    request.signal.removeEventListener('abort', interrupt)
    // Also after a failure: statements before it may have committed.
    for (const table of session.written.values()) await catalogue.partitionTimes.wrote(catalogue, table, since)
    catalogue.connection.closeSync()
  }
}

// BigQuery: Multi-statement transactions, "Transaction scope": "The query ends before reaching either of these two statements. In that case,
// BigQuery automatically rolls back the transaction." and "If an error occurs during a transaction and there is no exception handler, then the
// query fails and BigQuery automatically rolls back the transaction."
async function endOpenTransaction(session: Session): Promise<void> {
  if (session.transaction !== undefined) await rollback(session)
}

async function read(
  google: GoogleSql,
  script: Buffer,
  request: QueryRequest,
): Promise<{ statements: Statement[]; paths: string[][] }> {
  return analysed(async () => {
    const tree = await google.parse(request.sql)
    const statements = readScript(tree, script)
    if (statements.length === 0) throw new BigQueryError('invalidQuery', 'Syntax error: Unexpected end of script', 'query')
    const [first] = statements
    if (!isScript(statements) && (first?.kind === 'begin' || first?.kind === 'commit' || first?.kind === 'rollback')) {
      throw new BigQueryError('invalidQuery', 'Transaction control statements are supported only in scripts or sessions', 'query')
    }
    return { statements, paths: await google.tableNames(request.sql) }
  })
}

/** What Google's analyser refuses, as the service says it. */
async function analysed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof GoogleSqlError ? asBigQueryError(error) : error
  }
}

async function onlyAnalysed(session: Session, statements: readonly Statement[]): Promise<QueryOutcome> {
  const [statement] = statements
  const empty = { totalRows: 0, children: 0 }
  if (statement === undefined || !('node' in statement) || isScript(statements))
    return { ...empty, statementType: 'SCRIPT', schema: [], bytesProcessed: 0 }
  const asSelect = statement.kind === 'createTable' && child(statement.node, 'query') !== undefined
  const { schema, bytes } = await dryRun(session, statement)
  return {
    ...empty,
    statementType: asSelect ? 'CREATE_TABLE_AS_SELECT' : dryTypes[statement.kind],
    schema,
    bytesProcessed: bytes,
    referenced: resolveAll(session.paths, session.request),
  }
}

const dryTypes = {
  query: 'SELECT',
  insert: 'INSERT',
  update: 'UPDATE',
  delete: 'DELETE',
  merge: 'MERGE',
  truncate: 'TRUNCATE_TABLE',
  createTable: 'CREATE_TABLE',
  dropTable: 'DROP_TABLE',
  alterTable: 'ALTER_TABLE',
  createSnapshot: 'CREATE_SNAPSHOT_TABLE',
  dropSnapshot: 'DROP_SNAPSHOT_TABLE',
} as const

function outcomeOf(statements: readonly Statement[], progress: Progress): QueryOutcome {
  const script = isScript(statements)
  const { select, changes, ddl } = progress
  const dml = changes && { inserted: changes.inserted, updated: changes.updated, deleted: changes.deleted }
  return {
    statementType: script ? 'SCRIPT' : progress.statementType,
    schema: select?.schema ?? [],
    ...(select && { rows: select.rows }),
    totalRows: select?.totalRows ?? 0,
    ...(!script && dml && { dml, dmlAffectedRows: dml.inserted + dml.updated + dml.deleted }),
    ...(!script && ddl && { ddl }),
    bytesProcessed: progress.bytes,
    children: script ? progress.statements : 0,
  }
}

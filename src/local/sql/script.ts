import { positionOf } from '../../googlesql/edit.ts'
import { type ByteRange, child, children, type Node, rangeOf, text, walk } from '../../googlesql/tree.ts'
import { BigQueryError } from '../contract.ts'

/** A statement of a script, as the parse tree has it; `node` and `range` are its place there. */
export type Statement =
  | {
      readonly kind: 'declare'
      readonly names: readonly string[]
      readonly type?: ByteRange
      readonly initial?: Expression
      readonly range: ByteRange
    }
  | { readonly kind: 'set'; readonly name: string; readonly value: Expression; readonly range: ByteRange }
  | { readonly kind: 'if'; readonly arms: readonly Arm[]; readonly otherwise: readonly Statement[]; readonly range: ByteRange }
  | { readonly kind: 'begin' | 'commit' | 'rollback'; readonly range: ByteRange }
  | { readonly kind: SqlKind; readonly node: Node; readonly range: ByteRange }

/** The kinds that the analyser resolves. */
type SqlKind =
  | 'query'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'truncate'
  | 'createTable'
  | 'dropTable'
  | 'alterTable'
  | 'createSnapshot'
  | 'dropSnapshot'

export type SqlStatement = Extract<Statement, { node: Node }>
export type Expression = { readonly node: Node; readonly range: ByteRange }
type Arm = { readonly condition: Expression; readonly body: readonly Statement[] }

/**
 * The statements of a parsed script. The kinds are a closed list: throws notImplemented for any other, wherever in the script it stands, so that
 * nothing of such a script runs.
 */
export function readScript(tree: Node, script: Buffer): Statement[] {
  const statements = statementList(child(tree, 'statementListNode'), script)
  refuseTimeTravel(tree, script)
  return statements
}

/** True where the request is a script: more than one statement, or one that only scripts have. */
export function isScript(statements: readonly Statement[]): boolean {
  return statements.length > 1 || statements.some(each => each.kind === 'declare' || each.kind === 'set' || each.kind === 'if')
}

function statementList(list: Node | undefined, script: Buffer): Statement[] {
  return list === undefined ? [] : children(list, 'statementList').map(node => statement(node, script))
}

function statement(node: Node, script: Buffer): Statement {
  const range = rangeOf(node) ?? { start: 0, end: script.length }
  const kind = sqlKinds[node.kind ?? '']
  if (kind === 'createTable') checkCreateTable(node, range, script)
  if (kind === 'createSnapshot' && node.isOrReplace === true) throw refused('CREATE OR REPLACE SNAPSHOT TABLE', range, script)
  if (kind === 'alterTable') checkAlterTable(node, range, script)
  if (kind !== undefined) return { kind, node, range }
  switch (node.kind) {
    case 'astVariableDeclarationNode':
      return declaration(node, range)
    case 'astSingleAssignmentNode':
      return { kind: 'set', name: text(child(node, 'variable'), 'idString'), value: expression(node, 'expression', range), range }
    case 'astIfStatementNode': {
      const elseifs = children(child(node, 'elseifClauses') ?? {}, 'elseifClauses')
      const arms = [
        { condition: expression(node, 'condition', range), body: statementList(child(node, 'thenList'), script) },
        ...elseifs.map(each => ({
          condition: expression(each, 'condition', range),
          body: statementList(child(each, 'body'), script),
        })),
      ]
      return { kind: 'if', arms, otherwise: statementList(child(node, 'elseList'), script), range }
    }
    case 'astBeginStatementNode':
      if (child(node, 'modeList') !== undefined) throw refused('Transaction modes', range, script)
      return { kind: 'begin', range }
    case 'astCommitStatementNode':
      return { kind: 'commit', range }
    case 'astRollbackStatementNode':
      return { kind: 'rollback', range }
    case 'astDropStatementNode':
      if (text(node, 'schemaObjectKind') === 'kTable') return { kind: 'dropTable', node, range }
  }
  throw refused(named(node, script, range), range, script)
}

// past.ts makes sure of it in a SELECT. Elsewhere it stands in an expression of any depth, and the analyser takes it.
function refuseTimeTravel(tree: Node, script: Buffer): void {
  const selects = [...walk(tree)].filter(node => node.kind === 'astQueryStatementNode').map(node => rangeOf(node))
  for (const node of walk(tree)) {
    const clause = child(node, 'forSystemTime')
    if (clause === undefined) continue
    const { start } = rangeOf(clause) ?? { start: 0 }
    if (selects.some(select => select !== undefined && select.start <= start && start < select.end)) continue
    const { line, column } = positionOf(script, start)
    throw new BigQueryError(
      'notImplemented',
      `FOR SYSTEM_TIME AS OF outside of a SELECT statement is not supported by the local BigQuery (at [${line}:${column}]), which keeps no rows of the past; nothing of the request was run. Read the table as it is now, or try this on BigQuery itself.`,
      'query',
    )
  }
}

// The clauses are a closed list too; what the analyser makes of them is checked once more when the statement runs.
function checkCreateTable(node: Node, range: ByteRange, script: Buffer): void {
  if (node.isOrReplace === true) throw refused('CREATE OR REPLACE TABLE', range, script)
  if (text(node, 'scope') === 'TEMPORARY') throw refused('CREATE TEMP TABLE', range, script)
  for (const [clause, value] of Object.entries(node)) {
    if (clauses.has(clause) || value === false || value === 'DEFAULT_SCOPE') continue
    throw refused(`The clause '${clause}' of CREATE TABLE`, range, script)
  }
}

const clauses = new Set([
  'kind',
  'parseLocationRange',
  'name',
  'isIfNotExists',
  'tableElementList',
  'partitionBy',
  'clusterBy',
  'optionsList',
  'query',
])

function checkAlterTable(node: Node, range: ByteRange, script: Buffer): void {
  for (const action of children(child(node, 'actionList') ?? {}, 'actions'))
    if (!actions.has(action.kind ?? '')) throw refused('This action of ALTER TABLE', rangeOf(action) ?? range, script)
}

const actions = new Set([
  'astAddColumnActionNode',
  'astDropColumnActionNode',
  'astAlterColumnTypeActionNode',
  'astAlterColumnDropNotNullActionNode',
  'astAlterColumnOptionsActionNode',
  'astSetOptionsActionNode',
])

function declaration(node: Node, range: ByteRange): Statement {
  const names = children(child(node, 'variableList') ?? {}, 'identifierList').map(each => text(each, 'idString'))
  const type = rangeOf(child(node, 'type') ?? {})
  const initial = child(node, 'defaultValue') === undefined ? undefined : expression(node, 'defaultValue', range)
  return { kind: 'declare', names, range, ...(type && { type }), ...(initial && { initial }) }
}

function expression(node: Node, field: string, otherwise: ByteRange): Expression {
  const value = child(node, field) ?? {}
  return { node: value, range: rangeOf(value) ?? otherwise }
}

const sqlKinds: Readonly<Record<string, SqlKind>> = {
  astQueryStatementNode: 'query',
  astInsertStatementNode: 'insert',
  astUpdateStatementNode: 'update',
  astDeleteStatementNode: 'delete',
  astMergeStatementNode: 'merge',
  astTruncateStatementNode: 'truncate',
  astCreateTableStatementNode: 'createTable',
  astAlterTableStatementNode: 'alterTable',
  astCreateSnapshotTableStatementNode: 'createSnapshot',
  astDropSnapshotTableStatementNode: 'dropSnapshot',
}

function refused(what: string, range: ByteRange, script: Buffer): BigQueryError {
  const { line, column } = positionOf(script, range.start)
  return new BigQueryError(
    'notImplemented',
    `${what} is not supported by the local BigQuery (at [${line}:${column}]); nothing of the request was run. It takes SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE TABLE, CREATE TABLE, ALTER TABLE, DROP TABLE, CREATE and DROP SNAPSHOT TABLE and, in scripts, DECLARE, SET, IF, BEGIN, COMMIT and ROLLBACK TRANSACTION. Try this on BigQuery itself.`,
    'query',
  )
}

// The words of the statement up to the first name, number or sign: `CREATE OR REPLACE VIEW`.
function named(_node: Node, script: Buffer, range: ByteRange): string {
  const words =
    script
      .subarray(range.start, range.end)
      .toString()
      .match(/^(?:[A-Z]+\s+){0,3}[A-Z]+\b/i)?.[0] ?? 'This statement'
  return `The statement '${words.replace(/\s+/g, ' ').toUpperCase()} …'`
}

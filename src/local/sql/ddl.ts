import { child, children, type Node, rangeOf, text } from '../../googlesql/tree.ts'
import type { Field, NewTable, TableRef } from '../contract.ts'
import { quoted } from '../duck.ts'
import { noSuchTable, notForKind, tableExists } from '../names.ts'
import { definedColumn, tableOptions, unsupported } from './columns.ts'
import { functionName } from './lower/expression.ts'
import type { Lowering } from './lower/grammar.ts'
import { resolve } from './names.ts'
import { loweringOf, schemaOf, sourceOf } from './query.ts'
import { checkRequired, stored } from './required.ts'
import { append } from './results.ts'
import { type Prepared, prepare, type Session } from './session.ts'

/** What a DDL statement did. */
export type Defined = {
  readonly operation: 'CREATE' | 'SKIP' | 'DROP' | 'ALTER'
  readonly table: TableRef
  readonly rows: number
}

/** Makes the table of a CREATE TABLE, with its rows where it has a SELECT. Throws BigQueryError. */
export async function createTable(session: Session, statement: Node, prepared: Prepared, now: string): Promise<Defined> {
  const { resolved } = prepared
  const ref = tableOf(session, resolved)
  const mode = text(resolved, 'createMode')
  if (mode === 'CREATE_OR_REPLACE')
    throw unsupported('CREATE OR REPLACE TABLE', 'DROP TABLE IF EXISTS and CREATE TABLE do the same in two statements')
  if (text(resolved, 'createScope') !== 'CREATE_DEFAULT_SCOPE')
    throw unsupported('CREATE TEMP TABLE', 'Make a table in a dataset')
  if (await session.catalogue.find(ref)) {
    // BigQuery: CREATE TABLE, IF NOT EXISTS: "If any table exists with the same name, the CREATE statement has no effect."
    if (mode === 'CREATE_IF_NOT_EXISTS') return { operation: 'SKIP', table: ref, rows: 0 }
    throw tableExists(ref)
  }
  onlyKnown(resolved)
  const lowering = await loweringOf(session, prepared, now)
  const query = child(statement, 'query')
  const schema = createdColumns(prepared, lowering)
  const meta = await session.catalogue.create(definition(ref, resolved, schema, lowering))
  if (query === undefined) return { operation: 'CREATE', table: ref, rows: 0 }
  const range = rangeOf(query) ?? { start: 0, end: session.script.length }
  const selected = await prepare(session, query, range, { ...asOneSelect(query), targets: schema })
  const source = await sourceOf(session, selected, schema, now)
  const connection = session.catalogue.connection
  if (source.sql === undefined) {
    let rows = 0
    await source.evaluate(async batch => {
      checkRequired(batch, schema)
      await append(connection, meta.physical, schema, batch)
      rows += batch.length
    })
    return { operation: 'CREATE', table: ref, rows }
  }
  const values = schema.map(field => stored(quoted(field.name), field))
  const result = await connection.run(`INSERT INTO ${meta.physical} SELECT ${values.join(', ')} FROM (${source.sql}) AS q`)
  return { operation: 'CREATE', table: ref, rows: Number(result.rowsChanged) }
}

// Google's analyser coerces the columns of a plain SELECT only: over UNION, EXCEPT, DISTINCT, ORDER BY or LIMIT it fails without a word.
function asOneSelect(query: Node): { before?: string; after?: string } {
  const expression = child(query, 'queryExpr')
  const isPlain =
    expression?.kind === 'astSelectNode' &&
    expression.distinct !== true &&
    child(query, 'orderBy') === undefined &&
    child(query, 'limitOffset') === undefined
  return isPlain ? {} : { before: 'SELECT * FROM (', after: ')' }
}

/** Drops the table of a DROP TABLE. Throws BigQueryError. */
export async function dropTable(session: Session, prepared: Prepared): Promise<Defined> {
  const ref = tableOf(session, prepared.resolved)
  const found = await session.catalogue.find(ref)
  if (found === undefined || found.kind !== 'TABLE') {
    if (found === undefined && prepared.resolved.isIfExists === true) return { operation: 'SKIP', table: ref, rows: 0 }
    if (found === undefined) throw noSuchTable(ref)
    throw notForKind(ref, found.kind)
  }
  await session.catalogue.drop(ref)
  return { operation: 'DROP', table: ref, rows: 0 }
}

/** The columns that a CREATE TABLE makes. */
function createdColumns(prepared: Prepared, lowering: Lowering): Field[] {
  const { resolved } = prepared
  return columnsOf(
    resolved,
    lowering,
    child(resolved, 'query') === undefined ? undefined : schemaOf(resolved, columns => [...columns]),
  )
}

/** The table that a DDL statement makes or drops. */
export function tableOf(session: Session, resolved: Node): TableRef {
  return resolve((resolved.namePath ?? []) as string[], session.request.project, session.request.defaultDataset)
}

function columnsOf(resolved: Node, lowering: Lowering, selected: readonly Field[] | undefined): Field[] {
  const defined = children(resolved, 'columnDefinitionList')
  if (defined.length === 0) return [...(selected ?? [])]
  return defined.map(column => definedColumn(column, lowering))
}

function definition(ref: TableRef, resolved: Node, schema: readonly Field[], lowering: Lowering): NewTable {
  const partition = partitionOf(resolved)
  const options = tableOptions(children(resolved, 'optionList'), partition !== undefined, lowering)
  const { partitionExpirationMs: expirationMs, ...rest } = options
  const clustering = children(resolved, 'clusterByList').map(each => text(child(each, 'column'), 'name'))
  return {
    ref,
    kind: 'TABLE',
    schema,
    ...(partition && { partition: { ...partition, ...(expirationMs != null && { expirationMs }) } }),
    ...(clustering.length > 0 && { clustering }),
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)),
  }
}

/** BigQuery: CREATE TABLE, partition_expression: a DATE column, DATE(column), or a column truncated to DAY, HOUR, MONTH or YEAR. */
function partitionOf(resolved: Node): NewTable['partition'] {
  const [expression, more] = children(resolved, 'partitionByList')
  if (expression === undefined) return undefined
  const named = (node: Node) => (node.kind === 'resolvedColumnRefNode' ? text(child(node, 'column'), 'name') : undefined)
  const [first, part] = children(expression, 'argumentList')
  const column = named(expression) ?? named(first ?? {})
  if (more !== undefined || column === undefined) throw unsupported('This PARTITION BY', otherPartitions)
  if (expression.kind === 'resolvedColumnRefNode') return { column, type: 'DAY' }
  const name = functionName(expression)
  if (name === 'date' && part === undefined) return { column, type: 'DAY' }
  if (!['timestamp_trunc', 'datetime_trunc', 'date_trunc'].includes(name)) throw unsupported('This PARTITION BY', otherPartitions)
  const type = granularities.get(Number(child(child(part ?? {}, 'value') ?? {}, 'value')?.enumValue))
  if (type === undefined) throw unsupported('This PARTITION BY', 'Truncate to DAY, HOUR, MONTH or YEAR')
  return { column, type }
}

const otherPartitions = 'Partition by a DATE column, DATE(column) or a truncation of a column'

/** zetasql.functions.DateTimestampPart. */
const granularities = new Map<number, 'YEAR' | 'MONTH' | 'DAY' | 'HOUR'>([
  [1, 'YEAR'],
  [2, 'MONTH'],
  [3, 'DAY'],
  [7, 'HOUR'],
])

function onlyKnown(resolved: Node): void {
  for (const [clause, value] of Object.entries(resolved)) {
    if (
      known.has(clause) ||
      value === false ||
      value === '' ||
      value === undefined ||
      (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
    )
      continue
    throw unsupported(
      `The clause '${clause}' of CREATE TABLE`,
      'It knows columns, NOT NULL, PARTITION BY, CLUSTER BY, OPTIONS and AS SELECT',
    )
  }
}

const known = new Set([
  'kind',
  'parseLocationRange',
  'namePath',
  'createMode',
  'createScope',
  'optionList',
  'columnDefinitionList',
  'isValueTable',
  'likeTable',
  'partitionByList',
  'clusterByList',
  'outputColumnList',
  'query',
])

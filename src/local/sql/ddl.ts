import type { Value } from '../../googlesql/field.ts'
import { microsOf } from '../../googlesql/time.ts'
import { child, children, type Node, rangeOf, text } from '../../googlesql/tree.ts'
import { fieldOf } from '../../googlesql/types.ts'
import { BigQueryError, type Field, type NewTable, type TableRef } from '../contract.ts'
import { quoted } from '../duck.ts'
import { noSuchTable, tableExists } from '../names.ts'
import { constantValue, functionName } from './lower/expression.ts'
import type { Lowering } from './lower/grammar.ts'
import { resolve } from './names.ts'
import { loweringOf, schemaOf, sourceOf } from './query.ts'
import { checkRequired, stored } from './required.ts'
import { append } from './results.ts'
import { type Prepared, prepare, type Session } from './session.ts'

/** What a DDL statement did. */
export type Defined = { readonly operation: 'CREATE' | 'SKIP' | 'DROP'; readonly table: TableRef; readonly rows: number }

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
    throw new BigQueryError(
      'invalid',
      `${ref.project}:${ref.dataset}.${ref.table} is not allowed for this operation because it is currently a VIEW.`,
      'query',
    )
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

function tableOf(session: Session, resolved: Node): TableRef {
  return resolve((resolved.namePath ?? []) as string[], session.request.project, session.request.defaultDataset)
}

function columnsOf(resolved: Node, lowering: Lowering, selected: readonly Field[] | undefined): Field[] {
  const defined = children(resolved, 'columnDefinitionList')
  if (defined.length === 0) return [...(selected ?? [])]
  return defined.map(column => {
    if (child(column, 'defaultValue') !== undefined)
      throw unsupported(`A default (column ${text(column, 'name')})`, 'Write the value in each INSERT')
    if (child(column, 'generatedColumnInfo') !== undefined)
      throw unsupported(`A computed column (${text(column, 'name')})`, 'Write the value in each INSERT')
    const annotations = child(column, 'annotations') ?? {}
    return annotated(fieldOf(text(column, 'name'), child(column, 'type') ?? {}), annotations, lowering)
  })
}

function annotated(field: Field, annotations: Node, lowering: Lowering): Field {
  const parameters = child(annotations, 'typeParameters')
  if (parameters !== undefined && Object.keys(parameters).length > 0)
    throw unsupported(
      `A parameterised type (column ${field.name})`,
      'Use STRING, BYTES, NUMERIC or BIGNUMERIC without a length or precision',
    )
  const inside = children(annotations, 'childList')
  const element = field.mode === 'REPEATED' && field.type === 'RECORD' ? children(inside[0] ?? {}, 'childList') : inside
  const fields = field.fields?.map((each, index) => annotated(each, element[index] ?? {}, lowering))
  let description: string | undefined
  for (const option of children(annotations, 'optionList')) {
    const value = optionValue(option, lowering)
    if (text(option, 'name') !== 'description' || typeof value !== 'string')
      throw unsupported(`The column option ${text(option, 'name')}`, 'description is the one there is')
    description = value
  }
  const required = annotations.notNull === true && field.mode !== 'REPEATED'
  return {
    ...field,
    ...(required && { mode: 'REQUIRED' as const }),
    ...(fields && { fields }),
    ...(description !== undefined && { description }),
  }
}

function definition(ref: TableRef, resolved: Node, schema: readonly Field[], lowering: Lowering): NewTable {
  const options = new Map(children(resolved, 'optionList').map(option => [text(option, 'name'), optionValue(option, lowering)]))
  const partition = partitionOf(resolved)
  const expirationDays = options.get('partition_expiration_days')
  const expires = options.get('expiration_timestamp')
  const clustering = children(resolved, 'clusterByList').map(each => text(child(each, 'column'), 'name'))
  const known = ['description', 'friendly_name', 'partition_expiration_days', 'require_partition_filter', 'expiration_timestamp']
  for (const name of options.keys())
    if (!known.includes(name)) throw unsupported(`The table option ${name}`, `It knows ${known.join(', ')}`)
  if (partition === undefined && (expirationDays !== undefined || options.get('require_partition_filter') === true)) {
    throw new BigQueryError(
      'invalidQuery',
      'partition_expiration_days and require_partition_filter cannot be set on a table that is not partitioned',
      'query',
    )
  }
  return {
    ref,
    kind: 'TABLE',
    schema,
    ...(partition && {
      partition: { ...partition, ...(expirationDays != null && { expirationMs: Number(expirationDays) * 86_400_000 }) },
    }),
    ...(options.get('require_partition_filter') === true && { requirePartitionFilter: true }),
    ...(clustering.length > 0 && { clustering }),
    ...(typeof options.get('description') === 'string' && { description: String(options.get('description')) }),
    ...(typeof options.get('friendly_name') === 'string' && { friendlyName: String(options.get('friendly_name')) }),
    ...(typeof expires === 'string' && { expiresAt: Number(microsOf(expires) / 1000n) }),
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
  [6, 'HOUR'],
])

function optionValue(option: Node, lowering: Lowering): Value {
  const node = child(option, 'value') ?? {}
  const value =
    node.kind === 'resolvedCastNode' ? constantValue(child(node, 'expr') ?? {}, lowering) : constantValue(node, lowering)
  if (value === undefined) throw unsupported(`The value of the option ${text(option, 'name')}`, 'Write a literal')
  return value
}

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

function unsupported(what: string, instead: string): BigQueryError {
  return new BigQueryError('notImplemented', `${what} is not supported by the local BigQuery. ${instead}.`, 'query')
}

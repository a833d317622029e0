import { child, children, type Node, text } from '../../googlesql/tree.ts'
import { fieldOf, typeName } from '../../googlesql/types.ts'
import { BigQueryError, type Field, type NewTable, type TableMeta } from '../contract.ts'
import { quoted } from '../duck.ts'
import { nameOf, notForKind } from '../names.ts'
import { columnDescription, definedColumn, refuseParameters, tableOptions, unsupported } from './columns.ts'
import type { Defined } from './ddl.ts'
import { cast } from './lower/cast.ts'
import { type Lowering, NotLowered, nameOf as nodeName, only } from './lower/grammar.ts'
import { loweringOf } from './query.ts'
import type { Prepared, Session } from './session.ts'
import type { Reserve } from './transaction.ts'

/** Changes the table of an ALTER TABLE, once nobody is writing to it. Throws BigQueryError, then nothing of the statement has happened. */
export async function alterTable(session: Session, prepared: Prepared, now: string, reserve: Reserve): Promise<Defined> {
  const [meta] = prepared.tables.values()
  if (meta === undefined) throw new BigQueryError('internalError', 'ALTER TABLE without a table')
  const lowering = await loweringOf(session, prepared, now)
  const draft: Draft = { before: meta, schema: [...meta.schema], options: {}, using: new Map() }
  try {
    only(prepared.resolved, 'namePath', 'alterActionList', 'optionList', 'isIfExists')
    setOptions(draft, children(prepared.resolved, 'optionList'), lowering)
    for (const action of children(prepared.resolved, 'alterActionList')) act(draft, action, lowering)
  } catch (error) {
    throw error instanceof NotLowered ? unsupported(`In ALTER TABLE ${error.part}`, 'Do it in other statements') : error
  }
  if (meta.kind !== 'TABLE' && draft.schema.some((field, index) => field !== meta.schema[index]))
    throw notForKind(meta.ref, meta.kind)
  // First, because DuckDB fails the commit of who has written to a table that is being altered.
  reserve({ table: meta, how: 'define' })
  const isNew = draft.schema.some((field, index) => field !== meta.schema[index]) || draft.schema.length !== meta.schema.length
  await session.catalogue.change(meta.ref, { ...draft.options, ...(isNew && { schema: draft.schema }) }, draft.using)
  return { operation: 'ALTER', table: meta.ref, rows: 0 }
}

/** The table as it shall be; `using` holds, by column, how the values of a changed type are made. */
type Draft = {
  readonly before: TableMeta
  schema: Field[]
  options: Partial<NewTable>
  readonly using: Map<string, string>
}

function act(draft: Draft, action: Node, lowering: Lowering): void {
  switch (action.kind) {
    case 'resolvedAddColumnActionNode':
      add(draft, action, lowering)
      break
    case 'resolvedDropColumnActionNode':
      drop(draft, action)
      break
    case 'resolvedAlterColumnDropNotNullActionNode':
      only(action, 'column', 'isIfExists')
      alter(draft, action, relaxed)
      break
    case 'resolvedAlterColumnOptionsActionNode': {
      only(action, 'column', 'isIfExists', 'optionList')
      const said = columnDescription(children(action, 'optionList'), lowering)
      alter(draft, action, ({ description: old, ...field }) => {
        const description = said === undefined ? old : said
        return { ...field, ...(description != null && { description }) }
      })
      break
    }
    case 'resolvedAlterColumnSetDataTypeActionNode':
      only(action, 'column', 'isIfExists', 'updatedType', 'updatedTypeParameters', 'updatedAnnotations')
      refuseParameters(text(action, 'column'), child(action, 'updatedTypeParameters'))
      alter(draft, action, field => widened(draft, field, child(action, 'updatedType') ?? {}))
      break
    case 'resolvedSetOptionsActionNode':
      only(action, 'optionList')
      setOptions(draft, children(action, 'optionList'), lowering)
      break
    default:
      throw new NotLowered(nodeName(action))
  }
}

// BigQuery: Modifying table schemas, "Add an empty column": "the columns must be NULLABLE or REPEATED. You cannot add a REQUIRED column to an existing
// table schema", "However, you can create a nested REQUIRED column as part of a new RECORD field."
function add(draft: Draft, action: Node, lowering: Lowering): void {
  only(action, 'isIfNotExists', 'columnDefinition')
  const definition = child(action, 'columnDefinition') ?? {}
  only(definition, 'name', 'annotations', 'column', 'isHidden')
  const field = definedColumn(definition, lowering)
  if (draft.schema.some(each => isNamed(each, field.name))) {
    if (action.isIfNotExists === true) return
    throw new BigQueryError('invalidQuery', `Column already exists: ${field.name}`, 'query')
  }
  if (draft.before.schema.some(each => isNamed(each, field.name)))
    throw unsupported(`Dropping and adding ${field.name} in one ALTER TABLE`, 'Do it in two statements')
  if (field.mode === 'REQUIRED')
    throw new BigQueryError(
      'invalidQuery',
      `Provided Schema does not match Table ${nameOf(draft.before.ref)}. Cannot add required fields to an existing schema. (field: ${field.name})`,
      'query',
    )
  draft.schema.push(field)
}

// BigQuery: ALTER TABLE DROP COLUMN statement: "You can't use this statement to drop the following: Partitioned columns, Clustered columns, …".
function drop(draft: Draft, action: Node): void {
  only(action, 'name', 'isIfExists')
  const name = text(action, 'name')
  const { partition, clustering, ref } = draft.before
  const found = draft.schema.find(each => isNamed(each, name))
  if (found === undefined) return
  const refuse = (what: string) =>
    new BigQueryError('invalidQuery', `Cannot drop column ${found.name} of table ${nameOf(ref)}: ${what}`, 'query')
  if (partition !== undefined && isNamed(found, partition.column)) throw refuse('it is the partitioning column')
  if (clustering?.some(each => isNamed(found, each))) throw refuse('it is a clustering column')
  if (draft.schema.length === 1) throw refuse('a table needs at least one column')
  draft.schema = draft.schema.filter(each => each !== found)
}

// A column that isn't there has passed the analyser only with IF EXISTS.
function alter(draft: Draft, action: Node, change: (field: Field) => Field): void {
  draft.schema = draft.schema.map(field => (isNamed(field, text(action, 'column')) ? change(field) : field))
}

// BigQuery: ALTER COLUMN DROP NOT NULL statement, "Details": "If a column does not have a NOT NULL constraint the query returns an error."
function relaxed(field: Field): Field {
  if (field.mode !== 'REQUIRED')
    throw new BigQueryError(
      'invalidQuery',
      `ALTER COLUMN DROP NOT NULL: column ${field.name} does not have a NOT NULL constraint`,
      'query',
    )
  return { ...field, mode: 'NULLABLE' }
}

/**
 * BigQuery: ALTER COLUMN SET DATA TYPE statement: "Changes the data type of a column in a table in BigQuery to a less restrictive data type", where the
 * old one can be coerced to the new (Conversion rules, "Coercion"); the analyser has refused the others in the service's words.
 */
function widened(draft: Draft, field: Field, type: Node): Field {
  const next = {
    ...fieldOf(field.name, type),
    mode: field.mode,
    ...(field.description !== undefined && { description: field.description }),
  }
  if (typeName({ ...next, mode: 'NULLABLE' }) === typeName({ ...field, mode: 'NULLABLE' })) return field
  const { partition, clustering } = draft.before
  const places = [partition?.column, ...(clustering ?? [])]
  if (
    !widenings[field.type]?.includes(next.type) ||
    field.mode === 'REPEATED' ||
    places.some(each => each && isNamed(field, each))
  )
    throw unsupported(
      `Changing column ${field.name} from ${typeName(field)} to ${typeName(next)}`,
      'It widens INT64 to NUMERIC, BIGNUMERIC and FLOAT64, NUMERIC to BIGNUMERIC and FLOAT64, BIGNUMERIC to FLOAT64, of columns that the table is not partitioned or clustered by',
    )
  if (draft.using.has(field.name))
    throw unsupported(`Changing column ${field.name} twice in one ALTER TABLE`, 'Do it in two statements')
  draft.using.set(field.name, cast(quoted(field.name), field, next, false))
  return { ...next, ...(field.policyTags && { policyTags: field.policyTags }) }
}

const widenings: Partial<Record<Field['type'], readonly Field['type'][]>> = {
  INT64: ['NUMERIC', 'BIGNUMERIC', 'FLOAT64'],
  NUMERIC: ['BIGNUMERIC', 'FLOAT64'],
  BIGNUMERIC: ['FLOAT64'],
}

function setOptions(draft: Draft, list: readonly Node[], lowering: Lowering): void {
  if (list.length === 0) return
  const { partition } = draft.before
  const { partitionExpirationMs, ...rest } = tableOptions(list, partition !== undefined, lowering)
  // Null takes an option away; in metadata that is an absent one.
  const options = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, value ?? undefined]))
  draft.options = { ...draft.options, ...options }
  if (partition === undefined || partitionExpirationMs === undefined) return
  const { expirationMs: _, ...kept } = partition
  draft.options = {
    ...draft.options,
    partition: { ...kept, ...(partitionExpirationMs !== null && { expirationMs: partitionExpirationMs }) },
  }
}

const isNamed = (field: Field, name: string) => field.name.toLowerCase() === name.toLowerCase()

import type { Value } from '../../googlesql/field.ts'
import { microsOf } from '../../googlesql/time.ts'
import { child, children, type Node, text } from '../../googlesql/tree.ts'
import { fieldOf } from '../../googlesql/types.ts'
import { BigQueryError, type Field, type NewTable } from '../contract.ts'
import { constantValue } from './lower/expression.ts'
import type { Lowering } from './lower/grammar.ts'

/** A column as CREATE TABLE or ADD COLUMN defines it. Throws notImplemented for what the local BigQuery would have to ignore. */
export function definedColumn(column: Node, lowering: Lowering): Field {
  const name = text(column, 'name')
  if (child(column, 'defaultValue') !== undefined)
    throw unsupported(`A default (column ${name})`, 'Write the value in each INSERT')
  if (child(column, 'generatedColumnInfo') !== undefined)
    throw unsupported(`A computed column (${name})`, 'Write the value in each INSERT')
  return annotated(fieldOf(name, child(column, 'type') ?? {}), child(column, 'annotations') ?? {}, lowering)
}

function annotated(field: Field, annotations: Node, lowering: Lowering): Field {
  refuseParameters(field.name, child(annotations, 'typeParameters'))
  const inside = children(annotations, 'childList')
  const element = field.mode === 'REPEATED' && field.type === 'RECORD' ? children(inside[0] ?? {}, 'childList') : inside
  const fields = field.fields?.map((each, index) => annotated(each, element[index] ?? {}, lowering))
  const description = columnDescription(children(annotations, 'optionList'), lowering)
  const required = annotations.notNull === true && field.mode !== 'REPEATED'
  return {
    ...field,
    ...(required && { mode: 'REQUIRED' as const }),
    ...(fields && { fields }),
    ...(typeof description === 'string' && { description }),
  }
}

/** Refuses a length or precision. */
export function refuseParameters(name: string, parameters: Node | undefined): void {
  if (parameters === undefined || Object.keys(parameters).length === 0) return
  throw unsupported(
    `A parameterised type (column ${name})`,
    'Use STRING, BYTES, NUMERIC or BIGNUMERIC without a length or precision',
  )
}

/** The description among the options of a column: NULL takes it away, undefined says nothing. */
export function columnDescription(options: readonly Node[], lowering: Lowering): string | null | undefined {
  let description: string | null | undefined
  for (const option of options) {
    const value = optionValue(option, lowering)
    if (text(option, 'name') !== 'description' || (typeof value !== 'string' && value !== null))
      throw unsupported(`The column option ${text(option, 'name')}`, 'description is the one there is')
    description = value
  }
  return description
}

/** What the options of a table say; null takes away. `partition` alone is left to the caller, who knows the column. */
export type TableOptions = {
  readonly [Key in 'description' | 'friendlyName' | 'expiresAt' | 'requirePartitionFilter']?: NewTable[Key] | null
} & { readonly partitionExpirationMs?: number | null }

/** Reads them. `partitioned`: whether the table is. Throws invalidQuery and, for other options, notImplemented. */
export function tableOptions(list: readonly Node[], partitioned: boolean, lowering: Lowering): TableOptions {
  const options = new Map(list.map(option => [text(option, 'name'), optionValue(option, lowering)]))
  for (const name of options.keys())
    if (!known.includes(name)) throw unsupported(`The table option ${name}`, `It knows ${known.join(', ')}`)
  const given = <T>(name: string, read: (value: Value) => T): T | null | undefined => {
    const value = options.get(name)
    return value === undefined || value === null ? value : read(value)
  }
  const expiration = given('partition_expiration_days', days => Number(days) * 86_400_000)
  const filter = given('require_partition_filter', value => value === true)
  if (!partitioned && (expiration != null || filter === true)) {
    throw new BigQueryError(
      'invalidQuery',
      'partition_expiration_days and require_partition_filter cannot be set on a table that is not partitioned',
      'query',
    )
  }
  const read = {
    description: given('description', String),
    friendlyName: given('friendly_name', String),
    expiresAt: given('expiration_timestamp', time => Number(microsOf(String(time)) / 1000n)),
    requirePartitionFilter: filter === false ? null : filter,
    partitionExpirationMs: expiration,
  }
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
}

const known = ['description', 'friendly_name', 'partition_expiration_days', 'require_partition_filter', 'expiration_timestamp']

function optionValue(option: Node, lowering: Lowering): Value {
  const node = child(option, 'value') ?? {}
  const value =
    node.kind === 'resolvedCastNode' ? constantValue(child(node, 'expr') ?? {}, lowering) : constantValue(node, lowering)
  if (value === undefined) throw unsupported(`The value of the option ${text(option, 'name')}`, 'Write a literal')
  return value
}

/** The refusal of a part of a DDL statement. */
export function unsupported(what: string, instead: string): BigQueryError {
  return new BigQueryError('notImplemented', `${what} is not supported by the local BigQuery. ${instead}.`, 'query')
}

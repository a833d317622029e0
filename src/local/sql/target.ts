import { child, children, type Node, text } from '../../googlesql/tree.ts'
import { BigQueryError, type Field, type TableMeta } from '../contract.ts'
import { notForKind } from '../names.ts'
import { lowerExpression } from './lower/expression.ts'
import { type Lowering, NotLowered, only, type Reach } from './lower/grammar.ts'
import { stored } from './required.ts'
import type { Prepared } from './session.ts'

/** The table that a DML statement changes. */
export function targetOf(prepared: Prepared): TableMeta {
  const name = text(child(child(prepared.resolved, 'tableScan') ?? {}, 'table'), 'name')
  const table = prepared.tables.get(name)
  if (table === undefined) throw new BigQueryError('internalError', `the analyser named an unknown table: ${name}`)
  if (table.kind !== 'TABLE') throw notForKind(table.ref, table.kind)
  return table
}

/** The columns of that table that the statement names, by their ids. */
export function targetColumns(resolved: Node, table: TableMeta): Map<string, Field> {
  const scan = child(resolved, 'tableScan') ?? {}
  const indexes = (scan.columnIndexList ?? []) as string[]
  const columns = new Map<string, Field>()
  for (const [place, column] of children(scan, 'columnList').entries()) {
    const field = table.schema[Number(indexes[place])]
    if (field !== undefined) columns.set(String(column.columnId), field)
  }
  return columns
}

/** The columns that an INSERT gives values for, in its order. Throws NotLowered. */
export function insertedColumns(node: Node, columns: ReadonlyMap<string, Field>): Field[] {
  return children(node, 'insertColumnList').map(column => {
    const field = columns.get(String(column.columnId))
    if (field === undefined) throw new NotLowered('this column list')
    return field
  })
}

/** The value of a DML value node; none for DEFAULT, since there are no defaults but NULL. Throws NotLowered. */
export function writtenValue(node: Node, reach: Reach, lowering: Lowering): string | undefined {
  const value = child(node, 'value') ?? {}
  return value.kind === 'resolvedDmldefaultNode' ? undefined : lowerExpression(value, reach, lowering)
}

/** The items of an UPDATE's SET, each with the value as its column stores it. Throws NotLowered. */
export function updateItems(
  list: readonly Node[],
  columns: ReadonlyMap<string, Field>,
  reach: Reach,
  lowering: Lowering,
): { readonly field: Field; readonly value: string }[] {
  return list.map(item => {
    only(item, 'target', 'setValue')
    const column = child(item, 'target') ?? {}
    const field = columns.get(String(child(column, 'column')?.columnId))
    if (column.kind !== 'resolvedColumnRefNode') throw new NotLowered('setting a part of a column')
    if (field === undefined) throw new NotLowered('this column')
    return { field, value: stored(writtenValue(child(item, 'setValue') ?? {}, reach, lowering), field) }
  })
}

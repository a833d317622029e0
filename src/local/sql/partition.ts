import { child, children, type Node, text, walk } from '../../googlesql/tree.ts'
import { BigQueryError, type TableMeta } from '../contract.ts'
import { functionName } from './lower/expression.ts'
import type { Prepared } from './session.ts'

/**
 * BigQuery: Query partitioned tables, "Require a partition filter in queries": with this option a query, and each UPDATE, DELETE and MERGE (in its ON), must have "a
 * predicate filter that can be used for partition elimination"; a filter `partition_id = …` OR of another column is none, AND of one is.
 * Throws invalidQuery in the service's words.
 */
export function requirePartitionFilter(prepared: Prepared): void {
  for (const [name, table] of prepared.tables) {
    const column = table.partition?.column
    if (table.requirePartitionFilter !== true || column === undefined) continue
    for (const scan of scansWithFilters(prepared.resolved, name)) {
      const id = columnIdOf(scan.table, table, column)
      if (id !== undefined && scan.filters.some(filter => eliminates(filter, id))) continue
      const { project, dataset, table: tableName } = table.ref
      throw new BigQueryError(
        'invalidQuery',
        `Cannot query over table '${project}.${dataset}.${tableName}' without a filter over column(s) '${column}' that can be used for partition elimination`,
        'query',
      )
    }
  }
}

type Filtered = { readonly table: Node; readonly filters: readonly Node[] }

function* scansWithFilters(value: unknown, name: string, filters: readonly Node[] = []): Generator<Filtered> {
  if (Array.isArray(value)) {
    for (const each of value) yield* scansWithFilters(each, name)
    return
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  const node = value as Node
  switch (node.kind) {
    case 'resolvedTableScanNode':
      if (text(child(node, 'table'), 'name') === name) yield { table: node, filters }
      return
    case 'resolvedFilterScanNode':
      yield* scansWithFilters(node.inputScan, name, [...filters, child(node, 'filterExpr') ?? {}])
      yield* scansWithFilters(node.filterExpr, name)
      return
    case 'resolvedJoinScanNode':
    case 'resolvedProjectScanNode':
    case 'resolvedOrderByScanNode': {
      // A column keeps its id on the way up through these, so that a filter above them is one of the table.
      const on = ['', 'INNER'].includes(text(node, 'joinType')) ? child(node, 'joinExpr') : undefined
      const known = on === undefined ? filters : [...filters, on]
      for (const input of ['inputScan', 'leftScan', 'rightScan']) yield* scansWithFilters(node[input], name, known)
      for (const [key, field] of Object.entries(node))
        if (!key.endsWith('Scan') && typeof field === 'object') yield* scansWithFilters(field, name)
      return
    }
    case 'resolvedUpdateStmtNode':
    case 'resolvedDeleteStmtNode': {
      const target = child(node, 'tableScan') ?? {}
      if (text(child(target, 'table'), 'name') === name) yield { table: target, filters: [child(node, 'whereExpr') ?? {}] }
      yield* scansWithFilters(node.whereExpr, name)
      yield* scansWithFilters(node.updateItemList, name)
      return
    }
    case 'resolvedMergeStmtNode': {
      const [target, on] = [child(node, 'tableScan') ?? {}, child(node, 'mergeExpr') ?? {}]
      if (text(child(target, 'table'), 'name') === name) yield { table: target, filters: [on] }
      yield* scansWithFilters(node.fromScan, name, [on])
      yield* scansWithFilters(node.mergeExpr, name)
      yield* scansWithFilters(node.whenClauseList, name)
      return
    }
    default:
      for (const field of Object.values(node)) if (typeof field === 'object') yield* scansWithFilters(field, name)
  }
}

function columnIdOf(scan: Node, table: TableMeta, column: string): string | undefined {
  const indexes = (scan.columnIndexList ?? []) as string[]
  const place = indexes.findIndex(index => table.schema[Number(index)]?.name.toLowerCase() === column.toLowerCase())
  const found = children(scan, 'columnList')[place]
  return found === undefined ? undefined : String(found.columnId)
}

function eliminates(filter: Node, id: string): boolean {
  if (filter.kind !== 'resolvedFunctionCallNode') return false
  const args = children(filter, 'argumentList')
  switch (functionName(filter)) {
    case '$and':
      return args.some(each => eliminates(each, id))
    case '$or':
      return args.every(each => eliminates(each, id))
    case '$not':
      return args.some(each => eliminates(each, id))
    case '$is_null':
      return args.some(each => isPartition(each, id))
    default:
      // Compared with something that doesn't depend on the row.
      return (
        comparisons.has(functionName(filter)) &&
        args.some(each => isPartition(each, id)) &&
        args.some(isFixed) &&
        args.every(each => isPartition(each, id) || isFixed(each))
      )
  }
}

const comparisons = new Set([
  '$equal',
  '$not_equal',
  '$less',
  '$less_or_equal',
  '$greater',
  '$greater_or_equal',
  '$between',
  '$in',
  '$in_array',
])
const truncations = new Set(['date', 'timestamp_trunc', 'date_trunc', 'datetime_trunc'])

function isPartition(node: Node, id: string): boolean {
  if (node.kind === 'resolvedColumnRefNode') return String(child(node, 'column')?.columnId) === id
  if (node.kind === 'resolvedCastNode') return isPartition(child(node, 'expr') ?? {}, id)
  return (
    node.kind === 'resolvedFunctionCallNode' &&
    truncations.has(functionName(node)) &&
    isPartition(children(node, 'argumentList')[0] ?? {}, id)
  )
}

function isFixed(node: Node): boolean {
  for (const each of walk(node))
    if (each.kind === 'resolvedColumnRefNode' || each.kind === 'resolvedSubqueryExprNode') return false
  return true
}

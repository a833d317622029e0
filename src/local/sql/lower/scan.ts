import { child, children, type Node, text } from '../../../googlesql/tree.ts'
import type { Field } from '../../contract.ts'
import { quoted } from '../../duck.ts'
import { physicalType } from '../../types.ts'
import { aggregate } from './aggregate.ts'
import { constantValue, lowerExpression } from './expression.ts'
import { isPlain } from './functions.ts'
import { type Lowering, NotLowered, nameOf, only, type Reach, typeOfNode } from './grammar.ts'
import { analytic, join, type Select, withQueries, withReference } from './relation.ts'

/** A lowered scan: a DuckDB table expression (ready for FROM), how to read each column of it, and the order its rows are asked for in. */
export type Scan = { readonly sql: string; readonly reach: Reach; readonly order?: string; readonly limit?: string }

/** A whole query: its output columns (`columns` of the tree), in order and under the names of the schema. Throws NotLowered outside the closed grammar. */
export function lowerQuery(scanNode: Node, columns: readonly Node[], schema: readonly Field[], lowering: Lowering): string {
  const scan = lowerTop(scanNode, lowering)
  const outputs = schema.map((field, index) => {
    const value = scan.reach.get(String(child(columns[index] ?? {}, 'column')?.columnId))
    // A repeated field of a record that is NULL is one more empty array (BigQuery stores no NULL arrays).
    const written = field.mode === 'REPEATED' ? `COALESCE(${value}, CAST([] AS ${physicalType(field)}))` : value
    return `${written} AS ${quoted(field.name)}`
  })
  return `SELECT ${outputs.join(', ')} FROM ${scan.sql}${scan.order ?? ''}${scan.limit ?? ''}`
}

/** A scan as a table expression, its order and limit inside. */
export function lowerScan(node: Node, lowering: Lowering): Scan {
  const scan = lowerTop(node, lowering)
  if (scan.order === undefined && scan.limit === undefined) return scan
  return wrap(`SELECT ${list(scan.reach)} FROM ${scan.sql}${scan.order ?? ''}${scan.limit ?? ''}`, [...scan.reach.keys()])
}

function lowerTop(node: Node, lowering: Lowering): Scan {
  const input = () => lowerScan(child(node, 'inputScan') ?? {}, lowering)
  switch (node.kind) {
    case 'resolvedSingleRowScanNode':
      only(node)
      return { sql: '(SELECT 1) AS one', reach: new Map() }
    case 'resolvedTableScanNode':
      return tableScan(node, lowering)
    case 'resolvedFilterScanNode': {
      only(node, 'inputScan', 'filterExpr')
      const { sql, reach } = input()
      return wrap(
        `SELECT ${list(reach)} FROM ${sql} WHERE ${lowerExpression(child(node, 'filterExpr') ?? {}, reach, lowering)}`,
        [...reach.keys()],
      )
    }
    case 'resolvedProjectScanNode':
      return projectScan(node, lowering)
    case 'resolvedAggregateScanNode':
      return aggregateScan(node, input(), lowering)
    case 'resolvedOrderByScanNode': {
      only(node, 'inputScan', 'orderByItemList')
      const { sql, reach } = input()
      return {
        sql,
        reach,
        order: ` ORDER BY ${children(node, 'orderByItemList')
          .map(item => orderItem(item, reach))
          .join(', ')}`,
      }
    }
    case 'resolvedLimitOffsetScanNode': {
      only(node, 'inputScan', 'limit', 'offset')
      const scan = lowerTop(child(node, 'inputScan') ?? {}, lowering)
      if (scan.limit !== undefined) throw new NotLowered('a LIMIT of a LIMIT')
      return { ...scan, limit: `${count(node, 'limit', 'LIMIT', lowering)}${count(node, 'offset', 'OFFSET', lowering)}` }
    }
    case 'resolvedSetOperationScanNode':
      return union(node, lowering)
    case 'resolvedJoinScanNode':
      return wrapped(join(node, lowering))
    case 'resolvedWithScanNode':
      return wrapped(withQueries(node, lowering))
    case 'resolvedWithRefScanNode':
      return wrapped(withReference(node))
    case 'resolvedAnalyticScanNode':
      return wrapped(analytic(node, lowering, orderItem))
    default:
      throw new NotLowered(nameOf(node))
  }
}

const wrapped = ({ sql, ids }: Select) => wrap(sql, ids)

// UNION ALL keeps every row of each part; the analyser has given the parts the same types.
function union(node: Node, lowering: Lowering): Scan {
  only(node, 'opType', 'inputItemList', 'columnMatchMode', 'columnPropagationMode')
  if (node.opType !== 'UNION_ALL') throw new NotLowered(nameOf(node))
  const ids = children(node, 'columnList').map(column => String(column.columnId))
  const parts = children(node, 'inputItemList').map(item => {
    only(item, 'scan', 'outputColumnList')
    const { sql, reach } = lowerScan(child(item, 'scan') ?? {}, lowering)
    const columns = children(item, 'outputColumnList').map(
      (column, place) => `${reach.get(String(column.columnId))} AS c${ids[place]}`,
    )
    return `SELECT ${columns.join(', ')} FROM ${sql}`
  })
  return wrap(parts.join(' UNION ALL '), ids)
}

function tableScan(node: Node, lowering: Lowering): Scan {
  only(node, 'table', 'columnIndexList', 'alias')
  const table = lowering.tables.get(text(child(node, 'table'), 'name'))
  if (table === undefined) throw new NotLowered('this table')
  const indexes = (node.columnIndexList ?? []) as string[]
  const columns = children(node, 'columnList').map((column, place) => {
    const field = table.schema[Number(indexes[place])]
    if (field === undefined) throw new NotLowered('this column')
    return { id: String(column.columnId), sql: quoted(field.name) }
  })
  return wrap(
    `SELECT ${columns.map(({ id, sql }) => `${sql} AS c${id}`).join(', ') || '1 AS nothing'} FROM ${table.physical}`,
    columns.map(({ id }) => id),
  )
}

// A projection over an ordered scan keeps the order (GoogleSQL: the ORDER BY of a query with computed columns is resolved below them).
function projectScan(node: Node, lowering: Lowering): Scan {
  only(node, 'inputScan', 'exprList')
  const scan = lowerTop(child(node, 'inputScan') ?? {}, lowering)
  const reach = new Map(scan.reach)
  for (const computed of children(node, 'exprList')) {
    reach.set(String(child(computed, 'column')?.columnId), lowerExpression(child(computed, 'expr') ?? {}, scan.reach, lowering))
  }
  if (scan.order !== undefined || scan.limit !== undefined) return { ...scan, reach }
  return wrap(`SELECT ${list(reach)} FROM ${scan.sql}`, [...reach.keys()])
}

function aggregateScan(node: Node, input: Scan, lowering: Lowering): Scan {
  only(node, 'inputScan', 'groupByList', 'aggregateList')
  const keys = children(node, 'groupByList').map(computed => {
    const expression = child(computed, 'expr') ?? {}
    if (!isPlain(typeOfNode(expression))) throw new NotLowered(`grouping by ${typeOfNode(expression).type}`)
    return { id: String(child(computed, 'column')?.columnId), sql: lowerExpression(expression, input.reach, lowering) }
  })
  const aggregates = children(node, 'aggregateList').map(computed => ({
    id: String(child(computed, 'column')?.columnId),
    sql: aggregate(child(computed, 'expr') ?? {}, input.reach, lowering),
  }))
  const all = [...keys, ...aggregates]
  const select = all.map(({ id, sql }) => `${sql} AS c${id}`).join(', ') || '1 AS nothing'
  const group = keys.length === 0 ? '' : ` GROUP BY ${keys.map((_, index) => index + 1).join(', ')}`
  return wrap(
    `SELECT ${select} FROM ${input.sql}${group}`,
    all.map(({ id }) => id),
  )
}

// GoogleSQL: ORDER BY, "NULLs": NULL is the smallest value unless NULLS FIRST or NULLS LAST says otherwise; NaN comes between NULL and -inf.
function orderItem(item: Node, reach: Reach): string {
  only(item, 'columnRef', 'isDescending', 'nullOrder', 'collation')
  const column = child(item, 'columnRef') ?? {}
  const field = typeOfNode(column)
  const sql = reach.get(String(child(column, 'column')?.columnId))
  const descending = item.isDescending === true
  const nulls = nullsOf(text(item, 'nullOrder'), descending)
  const direction = descending ? 'DESC' : 'ASC'
  if (isPlain(field)) return `${sql} ${direction} NULLS ${nulls}`
  if (field.type === 'FLOAT64' && field.mode !== 'REPEATED')
    return `isnan(${sql}) ${descending ? 'ASC' : 'DESC'} NULLS ${nulls}, ${sql} ${direction} NULLS ${nulls}`
  throw new NotLowered(`ordering by ${field.type}`)
}

function nullsOf(nullOrder: string, descending: boolean): 'FIRST' | 'LAST' {
  if (nullOrder === 'NULLS_FIRST') return 'FIRST'
  if (nullOrder === 'NULLS_LAST') return 'LAST'
  return descending ? 'LAST' : 'FIRST'
}

function count(node: Node, field: string, word: string, lowering: Lowering): string {
  const expression = child(node, field)
  if (expression === undefined) return ''
  const value = constantValue(expression, lowering)
  if (typeof value !== 'bigint' || value < 0n) throw new NotLowered(`this ${word}`)
  return ` ${word} ${value}`
}

function wrap(sql: string, ids: readonly string[]): Scan {
  return { sql: `(${sql}) AS s`, reach: new Map(ids.map(id => [id, `c${id}`])) }
}

function list(reach: Reach): string {
  return [...reach].map(([id, sql]) => `${sql} AS c${id}`).join(', ') || '1 AS nothing'
}

import { child, children, type Node, text } from '../../../googlesql/tree.ts'
import { NotLowered, nameOf, only, type Reach } from './grammar.ts'

/**
 * `ARRAY(SELECT expression FROM UNNEST(array) AS e WITH OFFSET AS o ORDER BY o)` as a DuckDB list: the array is a column or a field of one, and the
 * expression sees nothing but the element. `lower` is lowerExpression. Throws NotLowered for every other subquery.
 */
export function arraySubquery(node: Node, reach: Reach, lower: (node: Node, reach: Reach) => string): string {
  only(node, 'subqueryType', 'subquery', 'parameterList', 'inCollation')
  const ordered = part(node, 'subquery', 'resolvedOrderByScanNode')
  only(ordered, 'inputScan', 'orderByItemList')
  const project = part(ordered, 'inputScan', 'resolvedProjectScanNode')
  only(project, 'inputScan', 'exprList')
  const scan = part(project, 'inputScan', 'resolvedArrayScanNode')
  only(scan, 'arrayExpr', 'elementColumn', 'arrayOffsetColumn')

  const [item, ...moreItems] = children(ordered, 'orderByItemList')
  const [computed, ...moreColumns] = children(project, 'exprList')
  const [output] = children(ordered, 'columnList')
  if (item === undefined || computed === undefined || moreItems.length > 0 || moreColumns.length > 0)
    throw new NotLowered('this ARRAY subquery')
  only(item, 'columnRef', 'nullOrder', 'collation')
  const isByPlace = idOf(child(item, 'columnRef')) === idOf(child(scan, 'arrayOffsetColumn'))
  if (!isByPlace || idOf(computed) !== String(output?.columnId)) throw new NotLowered('this ARRAY subquery')

  const id = String(child(scan, 'elementColumn')?.columnId)
  const one = lower(child(computed, 'expr') ?? {}, new Map([[id, `e${id}`]]))
  return `list_transform(${lower(asOwn(child(scan, 'arrayExpr') ?? {}), reach)}, lambda e${id}: ${one})`
}

/** The array comes from outside of the subquery, where its column is one of the row's own. */
function asOwn(node: Node): Node {
  if (node.kind === 'resolvedColumnRefNode') return { ...node, isCorrelated: false }
  if (node.kind === 'resolvedGetStructFieldNode') return { ...node, expr: asOwn(child(node, 'expr') ?? {}) }
  throw new NotLowered(`UNNEST of ${nameOf(node)}`)
}

function part(node: Node, field: string, kind: string): Node {
  const found = child(node, field)
  if (found === undefined || text(found, 'kind') !== kind) throw new NotLowered('this ARRAY subquery')
  return found
}

function idOf(node: Node | undefined): string {
  return String(child(node ?? {}, 'column')?.columnId)
}

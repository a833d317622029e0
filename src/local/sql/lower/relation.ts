import { child, children, type Node, text, walk } from '../../../googlesql/tree.ts'
import type { Field } from '../../contract.ts'
import { quoted } from '../../duck.ts'
import { functionName, lowerExpression } from './expression.ts'
import { isPlain } from './functions.ts'
import { type Lowering, NotLowered, only, type Reach, typeOfNode } from './grammar.ts'

/** A SELECT in DuckDB's words, and the ids of the columns that it makes, each called `c<id>`. */
export type Select = { readonly sql: string; readonly ids: readonly string[] }

/** A JOIN of two scans. GoogleSQL: FROM clause, "Join types": they mean the same in DuckDB; a comma and CROSS JOIN are inner joins without condition. */
export function join(node: Node, lowering: Lowering): Select {
  only(node, 'joinType', 'leftScan', 'rightScan', 'joinExpr', 'hasUsing')
  const [left, right] = ['leftScan', 'rightScan'].map(side => lowering.scan(child(node, side) ?? {}, lowering))
  const type = text(node, 'joinType') || 'INNER'
  if (left === undefined || right === undefined || !types.has(type)) throw new NotLowered(`a ${type} JOIN`)
  const reach: Reach = new Map([...left.reach, ...right.reach])
  const condition = child(node, 'joinExpr')
  const on =
    condition === undefined
      ? 'TRUE'
      : type === 'INNER'
        ? lowerExpression(condition, reach, lowering)
        : outerCondition(condition, type, left.reach, right.reach, lowering)
  return {
    sql: `SELECT ${columns(reach)} FROM (SELECT * FROM ${left.sql}) AS l ${type} JOIN (SELECT * FROM ${right.sql}) AS r ON ${on}`,
    ids: [...reach.keys()],
  }
}

const types = new Set(['INNER', 'LEFT', 'RIGHT', 'FULL'])

/**
 * The condition of an outer join as equalities alone, since DuckDB tries every pair of rows for any other: a part that looks at one side makes the key
 * of that side NULL where it is not true. Throws NotLowered for a part that compares both sides in another way.
 */
function outerCondition(condition: Node, type: string, left: Reach, right: Reach, lowering: Lowering): string {
  const keys: [string, string][] = []
  const alone: { left: string[]; right: string[] } = { left: [], right: [] }
  for (const part of conjuncts(condition)) {
    const [one, other] = children(part, 'argumentList')
    if (isWithin(part, left)) alone.left.push(lowerExpression(part, left, lowering))
    else if (isWithin(part, right)) alone.right.push(lowerExpression(part, right, lowering))
    else if (functionName(part) === '$equal' && one !== undefined && other !== undefined && isKey(typeOfNode(one)))
      keys.push(pair(one, other, left, right, lowering) ?? pair(other, one, left, right, lowering) ?? mixed(type))
    else mixed(type)
  }
  const [first, ...more] = keys
  if (first === undefined) throw new NotLowered(`a ${type} JOIN without an equality`)
  const where = (conditions: readonly string[], key: string) =>
    conditions.length === 0 ? key : `CASE WHEN ${conditions.join(' AND ')} THEN ${key} END`
  const folded: [string, string] = [where(alone.left, first[0]), where(alone.right, first[1])]
  return [folded, ...more].map(([a, b]) => `(${a}) = (${b})`).join(' AND ')
}

function pair(one: Node, other: Node, left: Reach, right: Reach, lowering: Lowering): [string, string] | undefined {
  if (!isWithin(one, left) || !isWithin(other, right) || typeOfNode(one).type !== typeOfNode(other).type) return undefined
  return [lowerExpression(one, left, lowering), lowerExpression(other, right, lowering)]
}

function mixed(type: string): never {
  throw new NotLowered(`a ${type} JOIN that compares both sides by more than equality of plain types`)
}

function conjuncts(node: Node): Node[] {
  return node.kind === 'resolvedFunctionCallNode' && functionName(node) === '$and'
    ? children(node, 'argumentList').flatMap(conjuncts)
    : [node]
}

function isWithin(node: Node, reach: Reach): boolean {
  for (const each of walk(node))
    if (each.kind === 'resolvedColumnRefNode' && !reach.has(String(child(each, 'column')?.columnId))) return false
  return true
}

/** WITH: each of its queries by name, its columns by their places. */
export function withQueries(node: Node, lowering: Lowering): Select {
  only(node, 'withEntryList', 'query')
  const entries = children(node, 'withEntryList').map(entry => {
    only(entry, 'withQueryName', 'withSubquery')
    const query = child(entry, 'withSubquery') ?? {}
    const { sql, reach } = lowering.scan(query, lowering)
    const list = children(query, 'columnList').map((column, place) => `${reach.get(String(column.columnId))} AS p${place}`)
    return `${withName(entry)} AS (SELECT ${list.join(', ') || '1 AS nothing'} FROM ${sql})`
  })
  const { sql, reach } = lowering.scan(child(node, 'query') ?? {}, lowering)
  return { sql: `WITH ${entries.join(', ')} SELECT ${columns(reach)} FROM ${sql}`, ids: [...reach.keys()] }
}

/** A use of such a query. Its columns are those of the query, one by one. */
export function withReference(node: Node): Select {
  only(node, 'withQueryName')
  const ids = children(node, 'columnList').map(column => String(column.columnId))
  const list = ids.map((id, place) => `p${place} AS c${id}`)
  return { sql: `SELECT ${list.join(', ') || '1 AS nothing'} FROM ${withName(node)}`, ids }
}

const withName = (node: Node) => quoted(`with ${text(node, 'withQueryName')}`)

/** Window functions: ROW_NUMBER alone. `order` writes an item of an ORDER BY. */
export function analytic(node: Node, lowering: Lowering, order: (item: Node, reach: Reach) => string): Select {
  only(node, 'inputScan', 'functionGroupList')
  const { sql, reach } = lowering.scan(child(node, 'inputScan') ?? {}, lowering)
  const ids = [...reach.keys()]
  const windows = children(node, 'functionGroupList').flatMap(group => {
    only(group, 'partitionBy', 'orderBy', 'analyticFunctionList')
    const partition = child(group, 'partitionBy') ?? {}
    only(partition, 'partitionByList', 'collationList', 'hintList')
    const keys = children(partition, 'partitionByList').map(column => {
      if (!isKey(typeOfNode(column))) throw new NotLowered(`PARTITION BY ${typeOfNode(column).type}`)
      return lowerExpression({ ...column, kind: 'resolvedColumnRefNode' }, reach, lowering)
    })
    const items = children(child(group, 'orderBy') ?? {}, 'orderByItemList').map(item => order(item, reach))
    const window = [
      ...(keys.length > 0 ? [`PARTITION BY ${keys.join(', ')}`] : []),
      ...(items.length > 0 ? [`ORDER BY ${items.join(', ')}`] : []),
    ].join(' ')
    return children(group, 'analyticFunctionList').map(computed => {
      const call = child(computed, 'expr') ?? {}
      if (functionName(call) !== 'row_number') throw new NotLowered(`${functionName(call).toUpperCase()} OVER a window`)
      only(call, 'function', 'signature', 'errorMode', 'functionCallInfo', 'nullHandlingModifier')
      const id = String(child(computed, 'column')?.columnId)
      ids.push(id)
      return `row_number() OVER (${window}) AS c${id}`
    })
  })
  return { sql: `SELECT ${[columns(reach), ...windows].join(', ')} FROM ${sql}`, ids }
}

// The text of a BIGNUMERIC is canonical.
const isKey = (field: Field) => isPlain(field) || (field.type === 'BIGNUMERIC' && field.mode !== 'REPEATED')
const columns = (reach: Reach) => [...reach].map(([id, sql]) => `${sql} AS c${id}`).join(', ') || '1 AS nothing'

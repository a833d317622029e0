import type { Value } from '../../../googlesql/field.ts'
import { child, children, type Node, text } from '../../../googlesql/tree.ts'
import { fromProto, type ProtoValue } from '../../../googlesql/values.ts'
import { literal } from '../values.ts'
import { arraySubquery } from './array.ts'
import { cast } from './cast.ts'
import { type JsonSide, jsonTextsDiffer } from './distinct.ts'
import { call } from './functions.ts'
import { type Lowering, NotLowered, nameOf, only, type Reach, typeOfNode } from './grammar.ts'

/** An expression of the resolved tree as a DuckDB expression of the same value. Throws NotLowered outside the closed grammar. */
export function lowerExpression(node: Node, reach: Reach, lowering: Lowering): string {
  const constant = constantValue(node, lowering)
  if (constant !== undefined) return literal(constant, typeOfNode(node))
  switch (node.kind) {
    case 'resolvedColumnRefNode':
      return column(node, reach)
    case 'resolvedFunctionCallNode':
      return functionCall(node, reach, lowering)
    case 'resolvedCastNode':
      only(node, 'expr', 'returnNullOnError')
      return cast(
        lower(node, 'expr', reach, lowering),
        typeOfNode(child(node, 'expr') ?? {}),
        typeOfNode(node),
        node.returnNullOnError === true,
      )
    case 'resolvedGetStructFieldNode':
      return structField(node, reach, lowering)
    case 'resolvedSubqueryExprNode':
      return subquery(node, lowering)
    default:
      throw new NotLowered(nameOf(node))
  }
}

/** The value of an expression that is one without looking at rows: a literal, parameter, variable, CURRENT_TIMESTAMP() or what the evaluator worked out. */
export function constantValue(node: Node, lowering: Lowering): Value | undefined {
  const known = lowering.constants.get(node)
  if (known !== undefined) return known
  switch (node.kind) {
    case 'resolvedLiteralNode':
      return fromProto((child(child(node, 'value') ?? {}, 'value') ?? {}) as ProtoValue, typeOfNode(node))
    case 'resolvedParameterNode':
      return lowering.parameters.get(text(node, 'name').toLowerCase())?.value
    case 'resolvedConstantNode':
      return lowering.variables.get(text(child(node, 'constant'), 'name').toLowerCase())?.value
    case 'resolvedSystemVariableNode':
      return JSON.stringify(node.namePath) === '["row_count"]' ? BigInt(lowering.rowCount) : undefined
    case 'resolvedFunctionCallNode':
      return functionName(node) === 'current_timestamp' ? lowering.now : undefined
    default:
      return undefined
  }
}

/** The name of a function as GoogleSQL's library has it: `$equal`, `regexp_contains`. */
export function functionName(node: Node): string {
  return text(child(node, 'function'), 'name').replace(/^ZetaSQL:/, '')
}

function lower(node: Node, field: string, reach: Reach, lowering: Lowering): string {
  return lowerExpression(child(node, field) ?? {}, reach, lowering)
}

function column(node: Node, reach: Reach): string {
  const read = reach.get(String(child(node, 'column')?.columnId))
  if (read === undefined || node.isCorrelated === true) throw new NotLowered('a correlated column')
  return read
}

function functionCall(node: Node, reach: Reach, lowering: Lowering): string {
  only(node, 'function', 'signature', 'argumentList', 'errorMode', 'functionCallInfo')
  const name = functionName(node)
  if (text(node, 'errorMode') === 'SAFE_ERROR_MODE') throw new NotLowered(`SAFE.${name}`)
  if (name === '$is_distinct_from' || name === '$is_not_distinct_from') {
    const sides = children(node, 'argumentList').map(argument => jsonSide(argument, reach, lowering))
    const [a, b] = sides
    if (a !== undefined && b !== undefined) return `(${name === '$is_distinct_from' ? '' : 'NOT '}(${jsonTextsDiffer(a, b)}))`
  }
  const args = children(node, 'argumentList').map(argument => ({
    field: typeOfNode(argument),
    constant: constantValue(argument, lowering),
    get sql() {
      // A NULL among the elements is an error wherever an array is made, but for ARRAY_TO_STRING, which leaves it out.
      return name === 'array_to_string' && argument.kind === 'resolvedSubqueryExprNode'
        ? arraySubquery(argument, reach, (inner, seen) => lowerExpression(inner, seen, lowering))
        : lowerExpression(argument, reach, lowering)
    },
  }))
  return call(name, args, typeOfNode(node))
}

// TO_JSON_STRING(value), where a text that is made to be pretty is another.
function jsonSide(node: Node, reach: Reach, lowering: Lowering): JsonSide | undefined {
  const [argument, ...more] = children(node, 'argumentList')
  if (
    node.kind !== 'resolvedFunctionCallNode' ||
    functionName(node) !== 'to_json_string' ||
    argument === undefined ||
    more.length > 0
  )
    return undefined
  only(node, 'function', 'signature', 'argumentList', 'errorMode', 'functionCallInfo')
  if (text(node, 'errorMode') === 'SAFE_ERROR_MODE') return undefined
  return { field: typeOfNode(argument), sql: lowerExpression(argument, reach, lowering) }
}

function structField(node: Node, reach: Reach, lowering: Lowering): string {
  only(node, 'expr', 'fieldIdx', 'fieldExprIsPositional')
  const record = child(node, 'expr') ?? {}
  const field = typeOfNode(record).fields?.[Number(node.fieldIdx ?? 0)]
  if (field === undefined) throw new NotLowered('a field of a struct')
  return `struct_extract(${lowerExpression(record, reach, lowering)}, '${field.name.replaceAll("'", "''")}')`
}

// GoogleSQL: Subqueries, "Scalar subqueries": more than one row is an error; DuckDB's default is the same.
function subquery(node: Node, lowering: Lowering): string {
  only(node, 'subqueryType', 'subquery', 'inExpr', 'inCollation')
  const { sql, reach } = lowering.scan(child(node, 'subquery') ?? {}, lowering)
  const [first] = children(child(node, 'subquery') ?? {}, 'columnList')
  switch (text(node, 'subqueryType')) {
    case 'SCALAR':
      return `(SELECT ${reach.get(String(first?.columnId))} FROM ${sql})`
    case 'EXISTS':
      return `EXISTS (SELECT 1 FROM ${sql})`
    default:
      throw new NotLowered('IN with a subquery')
  }
}

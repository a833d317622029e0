import { children, type Node, text } from '../../../googlesql/tree.ts'
import { functionName, lowerExpression } from './expression.ts'
import { isPlain } from './functions.ts'
import { type Lowering, NotLowered, nameOf, only, type Reach, typeOfNode } from './grammar.ts'

/** A call of an aggregate function as DuckDB's. Throws NotLowered for functions and types that aren't proven equal. */
export function aggregate(node: Node, reach: Reach, lowering: Lowering): string {
  if (node.kind !== 'resolvedAggregateFunctionCallNode') throw new NotLowered(nameOf(node))
  only(node, 'function', 'signature', 'argumentList', 'errorMode', 'functionCallInfo', 'distinct', 'nullHandlingModifier')
  const name = functionName(node)
  const handling = text(node, 'nullHandlingModifier')
  if (handling !== '' && handling !== 'DEFAULT_NULL_HANDLING') throw new NotLowered(handling)
  const [argument] = children(node, 'argumentList')
  if (name === '$count_star') return 'COUNT(*)'
  if (argument === undefined) throw new NotLowered(name)
  const field = typeOfNode(argument)
  const value = () => lowerExpression(argument, reach, lowering)
  if (node.distinct === true) {
    if (name === 'count' && isPlain(field)) return `COUNT(DISTINCT ${value()})`
    throw new NotLowered(`${name.toUpperCase()}(DISTINCT …) of ${field.type}`)
  }
  switch (name) {
    case 'count':
      if (field.mode === 'REPEATED') throw new NotLowered('COUNT of an array')
      return `COUNT(${value()})`
    case 'countif':
      return `COUNT(*) FILTER (WHERE ${value()})`
    case 'logical_and':
      return `bool_and(${value()})`
    case 'logical_or':
      return `bool_or(${value()})`
    case 'any_value':
      if (isPlain(field)) return `any_value(${value()})`
      break
    case 'min':
    case 'max':
      if (isPlain(field)) return `${name}(${value()})`
      // GoogleSQL: MIN and MAX are NaN if any value is NaN.
      if (field.type === 'FLOAT64')
        return `CASE WHEN bool_or(isnan(${value()})) THEN CAST('NaN' AS DOUBLE) ELSE ${name}(${value()}) END`
      break
    case 'sum':
      if (field.type === 'INT64') return `CAST(SUM(${value()}) AS BIGINT)`
      if (field.type === 'NUMERIC') return `CAST(SUM(${value()}) AS DECIMAL(38,9))`
      break
  }
  throw new NotLowered(`${name.toUpperCase()} of ${field.type}`)
}

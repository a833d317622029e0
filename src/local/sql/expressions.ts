import type { Value } from '../../googlesql/field.ts'
import { child, children, type Node, text } from '../../googlesql/tree.ts'
import { fieldOf, typeName } from '../../googlesql/types.ts'
import { BigQueryError, type Field } from '../contract.ts'
import { allRows, sourceOf } from './query.ts'
import type { Expression } from './script.ts'
import { prepare, type Session } from './session.ts'
import { currentTimestamp } from './transaction.ts'
import { fromDuck } from './values.ts'

/** The value of an expression, coerced to a type as an assignment does, and its type. */
export async function evaluateExpression(
  session: Session,
  expression: Expression,
  to: Field | undefined,
): Promise<[Value, Field]> {
  const prepared = await prepare(session, expression.node, expression.range, {
    before: 'SELECT (',
    after: ')',
    ...(to && { targets: [to] }),
  })
  const field = outputField(prepared.resolved)
  if (to !== undefined && typeName(field) !== typeName(to)) {
    throw new BigQueryError(
      'invalidQuery',
      `Query must return a value of type ${typeName(to)}, but returns ${typeName(field)}`,
      'query',
    )
  }
  const source = await sourceOf(session, prepared, [{ ...field, name: 'value' }], session.transaction?.now ?? currentTimestamp())
  if (source.sql === undefined) return [(await allRows(source))[0]?.[0] ?? null, field]
  const result = await session.catalogue.connection.runAndReadAll(source.sql)
  return [fromDuck(result.getRows()[0]?.[0], field), field]
}

/** The one column of a query. */
export function outputField(resolved: Node): Field {
  const [output] = children(resolved, 'outputColumnList')
  const column = child(output ?? {}, 'column') ?? {}
  return fieldOf(text(column, 'name'), child(column, 'type') ?? {})
}

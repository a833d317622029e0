import type { Named } from '../../googlesql/analyse.ts'
import { cut, type Edit } from '../../googlesql/edit.ts'
import type { Value } from '../../googlesql/field.ts'
import { child, children, type Node, rangeOf, walk } from '../../googlesql/tree.ts'
import { functionName } from './lower/expression.ts'
import { typeOfNode } from './lower/grammar.ts'
import type { Prepared, Session } from './session.ts'

/**
 * The analysed text with the clock and `@@row_count` replaced by their values: what may be sent to the evaluator, which has a clock of its own.
 * BigQuery: Multi-statement transactions, "Date/time functions in transactions": "The CURRENT_TIMESTAMP, CURRENT_DATE, and CURRENT_TIME functions
 * return the timestamp when the transaction started."
 */
export function evaluable(prepared: Prepared, now: string, rowCount: number): string {
  const bytes = Buffer.from(prepared.piece.text)
  return cut(bytes, { start: 0, end: bytes.length }, replacements(prepared.resolved, bytes, now, rowCount)).text
}

/** The values of the largest parts of a statement that don't depend on rows, worked out by the evaluator; none where one of them fails. */
export async function foldConstants(session: Session, prepared: Prepared, now: string): Promise<Map<Node, Value>> {
  const nodes = [...constantCalls(prepared.resolved)]
  if (nodes.length === 0) return new Map()
  const bytes = Buffer.from(prepared.piece.text)
  const edits = replacements(prepared.resolved, bytes, now, session.rowCount)
  const list = nodes.map(node => cut(bytes, rangeOf(node) ?? { start: 0, end: 0 }, edits).text)
  try {
    const { targets: _, ...scope } = prepared.scope
    const { schema, rows } = await session.google.query(`SELECT ${list.join(', ')}`, { ...scope, tables: [] }, new Map())
    const same = nodes.every(
      (node, index) => schema[index]?.type === typeOfNode(node).type && schema[index]?.mode === typeOfNode(node).mode,
    )
    return same ? new Map(nodes.map((node, index) => [node, rows[0]?.[index] ?? null])) : new Map()
  } catch {
    return new Map()
  }
}

/** The value of a name in a script or of a parameter, without case. */
export function byName(named: Iterable<Named>): Map<string, Named> {
  return new Map([...named].map(each => [each.field.name.toLowerCase(), each]))
}

function* constantCalls(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const each of value) yield* constantCalls(each)
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    const node = value as Node
    if (isConstantCall(node)) yield node
    else for (const field of Object.values(node)) if (typeof field === 'object') yield* constantCalls(field)
  }
}

function isConstantCall(node: Node): boolean {
  if (node.kind !== 'resolvedFunctionCallNode' || rangeOf(node) === undefined || functionName(node) === 'current_timestamp')
    return false
  if (children(node, 'argumentList').some(argument => !isConstant(argument)) || children(node, 'genericArgumentList').length > 0)
    return false
  try {
    typeOfNode(node)
  } catch {
    return false
  }
  return !volatile.has(functionName(node))
}

function isConstant(node: Node): boolean {
  if (leaves.has(node.kind ?? '')) return true
  if (node.kind === 'resolvedCastNode') return isConstant(child(node, 'expr') ?? {})
  return (
    node.kind === 'resolvedFunctionCallNode' &&
    !volatile.has(functionName(node)) &&
    children(node, 'argumentList').every(isConstant) &&
    children(node, 'genericArgumentList').length === 0
  )
}

const leaves = new Set(['resolvedLiteralNode', 'resolvedParameterNode', 'resolvedConstantNode', 'resolvedSystemVariableNode'])
const volatile = new Set(['rand', 'generate_uuid', 'error', 'session_user'])
const clocks: Readonly<Record<string, string>> = { current_date: 'DATE', current_datetime: 'DATETIME', current_time: 'TIME' }

function replacements(resolved: Node, bytes: Buffer, now: string, rowCount: number): Edit[] {
  const edits: Edit[] = []
  for (const node of walk(resolved)) {
    const range = rangeOf(node)
    if (range === undefined) continue
    if (node.kind === 'resolvedSystemVariableNode' && JSON.stringify(node.namePath) === '["row_count"]')
      edits.push({ ...range, text: String(rowCount) })
    if (node.kind !== 'resolvedFunctionCallNode') continue
    const name = functionName(node)
    const moment = `TIMESTAMP '${now}'`
    if (name === 'current_timestamp') edits.push({ ...range, text: moment })
    const clock = clocks[name]
    const zone = rangeOf(children(node, 'argumentList')[0] ?? {})
    if (clock !== undefined)
      edits.push({
        ...range,
        text: `${clock}(${moment}${zone === undefined ? '' : `, ${bytes.subarray(zone.start, zone.end)}`})`,
      })
  }
  // One expression may stand in several places of the resolved tree.
  return [...new Map(edits.map(each => [each.start, each])).values()]
}

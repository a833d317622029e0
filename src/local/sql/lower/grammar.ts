import type { Named } from '../../../googlesql/analyse.ts'
import type { Value } from '../../../googlesql/field.ts'
import { child, type Node } from '../../../googlesql/tree.ts'
import { fieldOf } from '../../../googlesql/types.ts'
import type { Field } from '../../contract.ts'

/** Thrown where a statement leaves the closed grammar; `part` says what, in a few words. */
export class NotLowered extends Error {
  readonly part: string
  constructor(part: string) {
    super(part)
    this.part = part
  }
}

/** An argument: its type, its value where it is a constant, its DuckDB expression (made when asked for; may throw NotLowered). */
export type Argument = { readonly field: Field; readonly constant: Value | undefined; readonly sql: string }

/** Writes a call of a function. Throws NotLowered. */
export type Lower = (args: readonly Argument[], result: Field, name: string) => string

/** A column in reach: the DuckDB expression that reads it. */
export type Reach = ReadonlyMap<string, string>

/** What the words of a statement mean while it is lowered. */
export type Lowering = {
  /** By the name that the analyser's catalog gave the table. */
  readonly tables: ReadonlyMap<string, { readonly physical: string; readonly schema: readonly Field[] }>
  readonly parameters: ReadonlyMap<string, Named>
  readonly variables: ReadonlyMap<string, Named>
  /** CURRENT_TIMESTAMP() as a TIMESTAMP text. */
  readonly now: string
  /** Constant expressions that the evaluator has worked out, by node. */
  readonly constants: ReadonlyMap<Node, Value>
  readonly rowCount: number
  /** Lowers a query inside of an expression: `lowerScan`. Given, since a query holds expressions and an expression queries. */
  readonly scan: (node: Node, lowering: Lowering) => { readonly sql: string; readonly reach: Reach }
}

/**
 * Refuses a node that says anything beyond the named fields, so that a clause nobody thought of never passes unread. Empty lists, false and
 * absent fields say nothing.
 */
export function only(node: Node, ...fields: string[]): void {
  for (const [key, value] of Object.entries(node)) {
    if (fields.includes(key) || meaningless.has(key) || isEmpty(value)) continue
    throw new NotLowered(`'${key}' of ${nameOf(node)}`)
  }
}

/** The type of an expression, as a column called like it. */
export function typeOfNode(node: Node): Field {
  return fieldOf('', child(node, 'type') ?? {})
}

/** What a node is, in words for a message: `resolvedJoinScanNode` is `join scan`. */
export function nameOf(node: Node): string {
  return (node.kind ?? 'a part')
    .replace(/^resolved|Node$/g, '')
    .replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
    .trim()
}

/** The name of a function, for a message: `$not_equal` is NOT EQUAL. */
export function spoken(name: string): string {
  return name
    .replace(/^\$/, '')
    .replaceAll('_', name.startsWith('$') ? ' ' : '_')
    .toUpperCase()
}

const meaningless = new Set(['kind', 'parseLocationRange', 'columnList', 'nodeSource', 'isOrdered', 'type', 'typeAnnotationMap'])

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && !(value instanceof Uint8Array) && Object.keys(value).length === 0
}

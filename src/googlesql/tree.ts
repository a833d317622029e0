/** A node of Google's parse tree or resolved tree: its class in `kind` where it is known, its fields, and those of its base classes. */
export type Node = { readonly kind?: string; readonly [field: string]: unknown }

/** A range of bytes (UTF-8) of the text that was parsed. */
export type ByteRange = { readonly start: number; readonly end: number }

/** Takes the wrappers off a tree as it comes over the wire: each `oneof` becomes its value with `kind`, each `parent` becomes part of its child. */
export function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy)
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  const object = value as Record<string, unknown>
  const wrapped = object.node
  if (typeof wrapped === 'string' && wrapped in object) {
    const inner = tidy(object[wrapped]) as Record<string, unknown>
    return 'kind' in inner ? inner : { ...inner, kind: wrapped }
  }
  const flat: Record<string, unknown> = {}
  if (typeof object.parent === 'object') Object.assign(flat, tidy(object.parent))
  for (const [key, field] of Object.entries(object)) if (key !== 'parent') flat[key] = tidy(field)
  return flat
}

/** A field that holds one node. */
export function child(node: Node, field: string): Node | undefined {
  const value = node[field]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : undefined
}

/** A field that holds a list of nodes; empty where it is absent. */
export function children(node: Node, field: string): readonly Node[] {
  const value = node[field]
  return Array.isArray(value) ? (value as Node[]) : []
}

/** A field that holds text. */
export function text(node: Node | undefined, field: string): string {
  const value = node?.[field]
  return typeof value === 'string' ? value : ''
}

/** Where a node stands in the text, if the tree says so. */
export function rangeOf(node: Node): ByteRange | undefined {
  const range = child(node, 'parseLocationRange')
  return range === undefined ? undefined : { start: Number(range.start ?? 0), end: Number(range.end ?? 0) }
}

/** All nodes of a tree, parents before children. */
export function* walk(tree: unknown): Generator<Node> {
  const left = [tree]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) continue
    if (!Array.isArray(value)) yield value as Node
    const inside = Object.values(value)
    for (let index = inside.length - 1; index >= 0; index--) if (typeof inside[index] === 'object') left.push(inside[index])
  }
}

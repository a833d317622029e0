import type { Edit } from './edit.ts'
import { GoogleSqlError } from './error.ts'
import { child, children, type Node, rangeOf, text, walk } from './tree.ts'

/** A place in a statement where a table is named; `past`: the clause FOR SYSTEM_TIME AS OF behind it. */
export type TableUse = { readonly path: readonly string[]; readonly edit: (name: string) => Edit; readonly past?: Node }

/**
 * The places of a parsed statement that name one of `paths` (as `tableNames` gives them). Each can be replaced by one identifier, keeping the name
 * that columns are qualified with: without an alias a table is called by the last part of its name, also in `` `project.dataset.table` ``
 * (GoogleSQL: "FROM clause", implicit aliases).
 */
export function tableUses(statement: Node, paths: readonly (readonly string[])[]): TableUse[] {
  const wanted = new Set(paths.map(path => path.join('\0').toLowerCase()))
  const uses: TableUse[] = []
  for (const node of walk(statement)) {
    const place = namedTable(node)
    if (place === undefined) continue
    const path = children(place.name, 'names').map(each => text(each, 'idString'))
    const range = rangeOf(place.name)
    if (range === undefined || !(place.always || wanted.has(path.join('\0').toLowerCase()))) continue
    if (!place.always && path.length === 1 && hidden(statement, path[0] ?? '')) {
      throw new GoogleSqlError(
        'unable',
        `the name ${path[0]} is both a table and a WITH clause here: give one of them another name`,
      )
    }
    const alias = place.aliased ? '' : ` AS ${quoted(parts(path).at(-1) ?? '')}`
    const past = child(node, 'forSystemTime')
    uses.push({ path, edit: name => ({ ...range, text: `${quoted(name)}${alias}` }), ...(past && { past }) })
  }
  return uses
}

/** The parts of a table's name: a quoted part may hold several, `` `project.dataset`.table ``. */
export function parts(path: readonly string[]): string[] {
  return path.flatMap(part => part.split('.'))
}

/** A name as GoogleSQL quotes it. */
export function quoted(name: string): string {
  return `\`${name.replace(/[\\`]/g, match => `\\${match}`)}\``
}

function namedTable(node: Node): { name: Node; aliased: boolean; always?: boolean } | undefined {
  // The table of an ALTER TABLE is not among the names that a script reads.
  const altered = node.kind === 'astAlterTableStatementNode' ? child(node, 'path') : undefined
  if (altered !== undefined) return { name: altered, aliased: true, always: true }
  const cloned = child(child(node, 'cloneDataSource') ?? {}, 'pathExpr')
  if (cloned !== undefined) return { name: cloned, aliased: true }
  const aliased = child(node, 'alias') !== undefined
  if (node.kind === 'astTablePathExpressionNode') {
    const name = child(node, 'pathExpr')
    return name && { name, aliased }
  }
  const target = child(node, 'targetPath')
  if (target === undefined) return undefined
  const takesAlias =
    node.kind === 'astUpdateStatementNode' || node.kind === 'astDeleteStatementNode' || node.kind === 'astMergeStatementNode'
  return { name: target, aliased: aliased || !takesAlias }
}

function hidden(statement: Node, name: string): boolean {
  for (const node of walk(statement)) {
    const alias = child(node, 'alias')
    if (
      child(node, 'query') !== undefined &&
      alias !== undefined &&
      node.kind === undefined &&
      text(alias, 'idString').toLowerCase() === name.toLowerCase()
    )
      return true
  }
  return false
}

import { child, children, type Node, text } from '../../googlesql/tree.ts'
import type { Field, TableMeta } from '../contract.ts'
import { quoted } from '../duck.ts'
import { lowerExpression } from './lower/expression.ts'
import { type Lowering, NotLowered, only, type Reach } from './lower/grammar.ts'
import type { Scan } from './lower/scan.ts'
import { stored } from './required.ts'
import { insertedColumns, targetColumns, updateItems, writtenValue } from './target.ts'

/**
 * A MERGE as DuckDB statements: `steps` find out what is to be done, `check` gives a row where that is too much, `counts` how many rows each clause
 * applies to, by its place. `removal` takes away what is deleted or updated; then what clauses `add` is written.
 *
 * So an updated row is written anew. Rows that DuckDB changes where they are make the commit rewrite their columns from end to end: it takes as long as
 * the table is large, however few they are.
 */
export type MergePlan = {
  readonly steps: readonly string[]
  readonly check: string
  readonly counts: string
  readonly removal: string
  readonly clauses: readonly { readonly kind: 'inserted' | 'updated' | 'deleted'; readonly add?: string }[]
}

/** Lowers the ON, the WHEN clauses and their values. `scan` is the lowered source. Throws NotLowered outside the closed grammar. */
export function lowerMerge(
  resolved: Node,
  table: TableMeta,
  scan: Scan,
  names: { readonly source: string; readonly pairs: string },
  lowering: Lowering,
): MergePlan {
  only(resolved, 'tableScan', 'fromScan', 'mergeExpr', 'whenClauseList', 'columnAccessList')
  const { source, pairs } = names
  const columns = targetColumns(resolved, table)
  const reachBy = (name: (field: Field) => string): Reach =>
    new Map([
      ...[...columns].map(([id, field]) => [id, name(field)] as const),
      ...[...scan.reach.keys()].map(id => [id, `_source.c${id}`] as const),
    ])
  const reach = reachBy(field => `_target.${quoted(field.name)}`)
  const clauses = children(resolved, 'whenClauseList')
  const updates = clauses.flatMap((clause, index) => (text(clause, 'actionType') === 'UPDATE' ? [index] : []))
  const old = (field: Field) => `o${table.schema.indexOf(field)}`
  const list = [...scan.reach].map(([id, sql]) => `${sql} AS c${id}`).join(', ') || '1 AS nothing'
  const on = lowerExpression(child(resolved, 'mergeExpr') ?? {}, reach, lowering)
  const matched = firstOf(clauses, 'MATCHED', reach, lowering) ?? 'CAST(NULL AS INTEGER)'
  const without = (met: string) => `WHERE NOT EXISTS (SELECT 1 FROM ${pairs} AS p WHERE ${met})`
  const [newRow, goneRow] = ['NOT_MATCHED_BY_TARGET', 'NOT_MATCHED_BY_SOURCE'].map(type =>
    firstOf(clauses, type, reach, lowering),
  )
  return {
    steps: [
      `CREATE TEMP TABLE ${source} AS SELECT ${list} FROM ${scan.sql}`,
      `CREATE TEMP TABLE ${pairs} AS ${ofTarget('_source.rowid', matched, `JOIN ${source} AS _source ON ${on}`)}`,
      ...(newRow === undefined
        ? []
        : [
            `INSERT INTO ${pairs} (source, clause) SELECT _source.rowid, ${newRow} FROM ${source} AS _source ${without('p.source = _source.rowid')}`,
          ]),
      ...(goneRow === undefined
        ? []
        : [`INSERT INTO ${pairs} ${ofTarget('NULL', goneRow, without('p.target = _target.rowid'))}`]),
    ],
    check: `SELECT target FROM ${pairs} WHERE clause IS NOT NULL AND target IS NOT NULL GROUP BY target HAVING COUNT(*) > 1 LIMIT 1`,
    counts: `SELECT clause, count(*) AS n FROM ${pairs} WHERE clause IS NOT NULL GROUP BY clause`,
    removal: `DELETE FROM ${table.physical} WHERE rowid IN (SELECT target FROM ${pairs} WHERE clause IS NOT NULL)`,
    clauses: clauses.map(action),
  }

  /** Rows of the target with the clause that applies, and where that updates with their values: so the target is read once. */
  function ofTarget(sourceRow: string, clause: string, rest: string): string {
    const values = updates.length === 0 ? [] : table.schema
    const read = values.map(field => `, _target.${quoted(field.name)} AS ${old(field)}`).join('')
    const noted = values
      .map(field => `, CASE WHEN clause IN (${updates.join(', ')}) THEN ${old(field)} END AS ${old(field)}`)
      .join('')
    return `SELECT target, source, clause${noted} FROM (SELECT _target.rowid AS target, ${sourceRow} AS source, ${clause} AS clause${read} FROM ${table.physical} AS _target ${rest})`
  }

  function action(clause: Node, index: number): MergePlan['clauses'][number] {
    only(clause, 'matchType', 'matchExpr', 'actionType', 'insertColumnList', 'insertRow', 'updateItemList')
    switch (text(clause, 'actionType')) {
      case 'DELETE':
        return { kind: 'deleted' }
      case 'UPDATE': {
        const items = updateItems(
          children(clause, 'updateItemList'),
          columns,
          reachBy(field => `p.${old(field)}`),
          lowering,
        )
        const set = new Map(items.map(({ field, value }) => [field.name, value]))
        return { kind: 'updated', add: adding(index, field => set.get(field.name) ?? `p.${old(field)}`) }
      }
      case 'INSERT': {
        const given = children(child(clause, 'insertRow') ?? {}, 'valueList').map(each => writtenValue(each, reach, lowering))
        const places = new Map(insertedColumns(clause, columns).map((field, place) => [field.name, given[place]]))
        return { kind: 'inserted', add: adding(index, field => stored(places.get(field.name), field)) }
      }
      default:
        throw new NotLowered(`the action ${text(clause, 'actionType')}`)
    }
  }

  function adding(index: number, value: (field: Field) => string): string {
    const into = table.schema.map(field => quoted(field.name)).join(', ')
    return `INSERT INTO ${table.physical} (${into}) SELECT ${table.schema.map(value).join(', ')} FROM ${pairs} AS p LEFT JOIN ${source} AS _source ON _source.rowid = p.source WHERE p.clause = ${index}`
  }
}

// GoogleSQL: MERGE: of the clauses of a kind the first whose condition is true is carried out for a row, the others are not.
function firstOf(clauses: readonly Node[], type: string, reach: Reach, lowering: Lowering): string | undefined {
  const arms = clauses.flatMap((clause, index) => {
    if (text(clause, 'matchType') !== type) return []
    const condition = child(clause, 'matchExpr')
    return [`WHEN ${condition === undefined ? 'TRUE' : lowerExpression(condition, reach, lowering)} THEN ${index}`]
  })
  return arms.length === 0 ? undefined : `CASE ${arms.join(' ')} END`
}

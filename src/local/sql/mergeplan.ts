import { child, children, type Node, text } from '../../googlesql/tree.ts'
import type { TableMeta } from '../contract.ts'
import { quoted } from '../duck.ts'
import { lowerExpression } from './lower/expression.ts'
import { type Lowering, NotLowered, only, type Reach } from './lower/grammar.ts'
import type { Scan } from './lower/scan.ts'
import { stored } from './required.ts'
import { insertedColumns, targetColumns, updateItems, writtenValue } from './target.ts'

/** A MERGE as DuckDB statements: `steps` find out what is to be done, `check` gives a row where that is too much, `actions` do it. */
export type MergePlan = {
  readonly steps: readonly string[]
  readonly check: string
  readonly actions: readonly { readonly kind: 'inserted' | 'updated' | 'deleted'; readonly sql: string }[]
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
  const columns = targetColumns(resolved, table)
  const reach: Reach = new Map([
    ...[...columns].map(([id, field]) => [id, `_target.${quoted(field.name)}`] as const),
    ...[...scan.reach.keys()].map(id => [id, `_source.c${id}`] as const),
  ])
  const clauses = children(resolved, 'whenClauseList')
  const first = (type: string) => firstOf(clauses, type, reach, lowering)
  const { source, pairs } = names
  const target = `${table.physical} AS _target`
  const list = [...scan.reach].map(([id, sql]) => `${sql} AS c${id}`).join(', ') || '1 AS nothing'
  const on = lowerExpression(child(resolved, 'mergeExpr') ?? {}, reach, lowering)
  return {
    steps: [
      `CREATE TEMP TABLE ${source} AS SELECT ${list} FROM ${scan.sql}`,
      `CREATE TEMP TABLE ${pairs} AS SELECT _target.rowid AS target, _source.rowid AS source, ${first('MATCHED') ?? 'CAST(NULL AS INTEGER)'} AS clause FROM ${target} JOIN ${source} AS _source ON ${on}`,
      ...unmatched('NOT_MATCHED_BY_TARGET', 'NULL, _source.rowid', `${source} AS _source`, 'p.source = _source.rowid'),
      ...unmatched('NOT_MATCHED_BY_SOURCE', '_target.rowid, NULL', target, 'p.target = _target.rowid'),
    ],
    check: `SELECT target FROM ${pairs} WHERE clause IS NOT NULL AND target IS NOT NULL GROUP BY target HAVING COUNT(*) > 1 LIMIT 1`,
    actions: clauses.map((clause, index) => action(clause, index)),
  }

  function unmatched(type: string, columns: string, from: string, met: string): string[] {
    const clause = first(type)
    if (clause === undefined) return []
    return [
      `INSERT INTO ${pairs} SELECT ${columns}, ${clause} FROM ${from} WHERE NOT EXISTS (SELECT 1 FROM ${pairs} AS p WHERE ${met})`,
    ]
  }

  function action(clause: Node, index: number): MergePlan['actions'][number] {
    only(clause, 'matchType', 'matchExpr', 'actionType', 'insertColumnList', 'insertRow', 'updateItemList')
    switch (text(clause, 'actionType')) {
      case 'DELETE':
        return {
          kind: 'deleted',
          sql: `DELETE FROM ${table.physical} WHERE rowid IN (SELECT target FROM ${pairs} WHERE clause = ${index})`,
        }
      case 'UPDATE': {
        const items = updateItems(children(clause, 'updateItemList'), columns, reach, lowering)
        const set = items.map(({ field, value }) => `${quoted(field.name)} = ${value}`).join(', ')
        const rows = `SELECT p.target AS target_row, s.* FROM ${pairs} AS p LEFT JOIN ${source} AS s ON s.rowid = p.source WHERE p.clause = ${index}`
        return {
          kind: 'updated',
          sql: `UPDATE ${target} SET ${set} FROM (${rows}) AS _source WHERE _target.rowid = _source.target_row`,
        }
      }
      case 'INSERT': {
        const given = children(child(clause, 'insertRow') ?? {}, 'valueList').map(each => writtenValue(each, reach, lowering))
        const places = new Map(insertedColumns(clause, columns).map((field, place) => [field.name, given[place]]))
        const values = table.schema.map(field => stored(places.get(field.name), field))
        const into = table.schema.map(field => quoted(field.name)).join(', ')
        return {
          kind: 'inserted',
          sql: `INSERT INTO ${table.physical} (${into}) SELECT ${values.join(', ')} FROM ${pairs} AS p JOIN ${source} AS _source ON _source.rowid = p.source WHERE p.clause = ${index}`,
        }
      }
      default:
        throw new NotLowered(`the action ${text(clause, 'actionType')}`)
    }
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

import type { AnyRow } from '../domain/column.ts'
import { differs } from '../domain/differs.ts'
import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { TargetTables } from '../domain/run.ts'
import type { Warehouse } from '../ports/warehouse.ts'
import { asked } from './asked.ts'
import { stateAt } from './state.ts'
import type { Versions } from './versions.ts'
import { checkWhole } from './whole.ts'

/** What differs between two versions of a target, by key. */
export type Difference = {
  readonly added: number
  readonly removed: number
  readonly changed: number
  readonly same: number
  /** Of the changed rows: how many differ in each column that differs at all. */
  readonly columns: Readonly<Record<string, number>>
  readonly examples: readonly Example[]
}

/** A row that differs; `before` or `after` is null where there is no such row. */
export type Example = {
  readonly what: 'added' | 'removed' | 'changed'
  readonly before: AnyRow | null
  readonly after: AnyRow | null
}

/**
 * Compares two versions by the key of the target row (append: and the version that a row came with); at most `limit` examples, in the order of the key.
 * @throws EtlError `usage` without a key, `notFound` where a version can't be read any more.
 */
export async function difference(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
  versions: Versions,
  pair: { readonly before: string; readonly after: string },
  limit: number,
): Promise<Difference> {
  const { columns, key } = pipeline.to.row
  if (key.length === 0)
    throw new EtlError('usage', `rows of ${pipeline.to.table} have no key: nothing says which row is which.`, {
      hint: 'name one in the target row: row({ … }, { key: [ … ] })',
    })
  const state = (version: string) => `(SELECT *, TRUE AS _there FROM (\n${stateAt(pipeline, tables, versions, version)}\n))`
  const states = { before: state(pair.before), after: state(pair.after) }
  for (const version of [pair.before, pair.after]) await checkWhole(pipeline, tables, versions, version, warehouse)
  // append shows a key once a version: rows are the same where both are.
  const same = pipeline.write.mode === 'append' ? [...key, 'version'] : key
  const of = (side: string, name: string) =>
    // Rows that were there before the table was ours have none.
    key.includes(name) ? `${side}.${literal.name(name)}` : `IFNULL(${side}.version, TIMESTAMP '1970-01-01 00:00:00+00')`
  const on = same.map(name => `${of('a', name)} = ${of('b', name)}`).join(' AND ')
  const from = `FROM ${states.before} AS a\nFULL JOIN ${states.after} AS b ON ${on}`
  const rest = columns.filter(column => !key.includes(column.name))
  const both = 'a._there IS NOT NULL AND b._there IS NOT NULL'
  const isChanged = rest.length === 0 ? 'FALSE' : `(${rest.map(column => differs(column, 'a', 'b')).join(' OR ')})`
  const counts = await asked(
    warehouse,
    tables,
    `SELECT COUNTIF(a._there IS NULL) AS added, COUNTIF(b._there IS NULL) AS removed, COUNTIF(${both} AND ${isChanged}) AS changed, COUNTIF(${both} AND NOT ${isChanged}) AS same${rest
      .map((column, index) => `,\n  COUNTIF(${both} AND ${differs(column, 'a', 'b')}) AS c${index}`)
      .join('')}\n${from}`,
  )
  const found = counts.rows[0] ?? {}
  const count = (name: string) => Number(found[name] ?? 0)
  const named = rest
    .map((column, index): [string, number] => [column.name, count(`c${index}`)])
    .filter(([, number]) => number > 0)
  const shown = { added: count('added'), removed: count('removed'), changed: count('changed'), same: count('same') }
  if (limit === 0 || shown.added + shown.removed + shown.changed === 0)
    return { ...shown, columns: Object.fromEntries(named), examples: [] }
  const sides = columns.flatMap((column, index) => [
    `a.${literal.name(column.name)} AS a${index}`,
    `b.${literal.name(column.name)} AS b${index}`,
  ])
  const order = key.map(name => `COALESCE(a.${literal.name(name)}, b.${literal.name(name)})`)
  const { rows } = await asked(
    warehouse,
    tables,
    `SELECT ${[...order.map((text, index) => `${text} AS k${index}`), 'a._there AS a_there', 'b._there AS b_there', ...sides].join(', ')}
${from}
WHERE a._there IS NULL OR b._there IS NULL OR ${isChanged}
ORDER BY ${key.map((_, index) => `k${index}`).join(', ')}
LIMIT ${literal.number(String(limit))}`,
  )
  return { ...shown, columns: Object.fromEntries(named), examples: rows.map(row => example(row, columns)) }
}

function example(row: AnyRow, columns: NamedPipeline['to']['row']['columns']): Example {
  const side = (letter: 'a' | 'b') =>
    row[`${letter}_there`] === null
      ? null
      : Object.fromEntries(columns.map((column, index) => [column.name, row[`${letter}${index}`] ?? null]))
  const [before, after] = [side('a'), side('b')]
  return { what: before === null ? 'added' : after === null ? 'removed' : 'changed', before, after }
}

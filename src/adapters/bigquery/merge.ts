import type { Column } from '../../domain/column.ts'
import { withinDays } from '../../domain/days.ts'
import { differs } from '../../domain/differs.ts'
import { literal } from '../../domain/literal.ts'
import type { Publication } from '../../domain/run.ts'
import type { TableRef } from '../../domain/source.ts'
import type { Merge } from '../../domain/write.ts'
import { fromStage, toStage } from './staged.ts'

/** Rows of the stage change those of the same key; what is equal is left alone and keeps its version. The audit has seen that no key stands twice. */
export function mergeRows({ write, columns, key, stage, tables }: Publication): string {
  const source = columns.map(column => `${fromStage(column)} AS ${literal.name(column.name)}`).join(', ')
  const rest = columns.filter(column => !key.includes(column.name))
  const changed = rest.length === 0 ? 'FALSE' : rest.map(column => differs(column, 't', 's')).join('\n    OR ')
  const sets = [...rest.map(column => `${literal.name(column.name)} = s.${literal.name(column.name)}`), 'version = @version']
  const on = key.map(name => `t.${literal.name(name)} = s.${literal.name(name)}`)
  const within = stage.days === undefined ? [] : [withinDays(stage.days, 't')]
  const removal = (write as Merge).deletes === 'none' ? '' : `\n  WHEN MATCHED AND s._op = 'delete' THEN DELETE`
  return `MERGE ${literal.table(tables.target)} AS t
  USING (SELECT ${source}, ${operation(write as Merge)} AS _op FROM ${literal.table(stage.table)}) AS s
  ON ${[...on, ...within].join(' AND ')}${removal}
  WHEN MATCHED AND (${changed}) THEN UPDATE SET ${sets.join(', ')}
  WHEN NOT MATCHED AND s._op = 'upsert' THEN
    INSERT (${columns.map(column => literal.name(column.name)).join(', ')}, version)
    VALUES (${columns.map(column => `s.${literal.name(column.name)}`).join(', ')}, @version)`
}

/** SQL: what a staged row of a merge does. */
export function operation({ deletes }: Merge): string {
  if (typeof deletes === 'object') return `IF(${literal.name(deletes.when)}, 'delete', 'upsert')`
  return deletes === 'missing' ? `IFNULL(_op, 'upsert')` : `'upsert'`
}

/**
 * Adds to a stage the rows that go, since the staged keys are the whole truth, or those of `keys` are: with their last values, for the history. A row that is staged stays, also where another read found its key
 * gone: two reads of a source may see two moments of it.
 */
export function missingRows({ target }: Publication['tables'], { columns, key, stage, keys }: MissingOf): string {
  const names = columns.map(column => literal.name(column.name))
  const first = literal.name(key[0] ?? '')
  const keyColumns = columns.filter(column => key.includes(column.name))
  // A BIGNUMERIC key is text in the stage.
  const keysOf = (table: TableRef) =>
    `SELECT ${keyColumns.map(column => `${fromStage(column)} AS ${literal.name(column.name)}`).join(', ')} FROM ${literal.table(table)}`
  const isPlain = keys === undefined && keyColumns.every(column => fromStage(column) === literal.name(column.name))
  const staged = isPlain
    ? literal.table(stage)
    : `(${[stage, ...(keys === undefined ? [] : [keys])].map(keysOf).join(' UNION ALL ')})`
  return `INSERT INTO ${literal.table(stage)} (${names.join(', ')}, _op)
SELECT ${columns.map(toStage).join(', ')}, 'delete' FROM (
  SELECT ${names.map(name => `t.${name}`).join(', ')} FROM ${literal.table(target)} AS t
  LEFT JOIN ${staged} AS s ON ${key.map(name => `t.${literal.name(name)} = s.${literal.name(name)}`).join(' AND ')}
  WHERE s.${first} IS NULL
)`
}

type MissingOf = {
  readonly columns: readonly Column[]
  readonly key: readonly string[]
  readonly stage: TableRef
  readonly keys: TableRef | undefined
}

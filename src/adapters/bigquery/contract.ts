import { EtlError, nearest } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { TargetTables } from '../../domain/run.ts'
import { shapeFrom } from '../../domain/shape.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import type { Contraction } from '../../ports/migrations.ts'
import type { Api } from './api.ts'
import { columnsOf, everything, layoutOf } from './compare.ts'
import { ledgerOf } from './ledger.ts'
import type { Found } from './look.ts'
import { ask } from './query.ts'
import { findTable, type TableResource } from './tables.ts'

/** What dropping a column takes away, and the statements that do it: from the history first, as everything. Throws EtlError `usage`, `notFound`. */
export async function contraction(
  api: Api,
  pipeline: NamedPipeline,
  tables: TargetTables,
  column: string,
  found: Found,
): Promise<Contraction> {
  refuseWritten(pipeline, column, found)
  const history = await findTable(api, tables.history)
  const both = [
    { ref: tables.history, table: history },
    { ref: tables.target, table: found.target },
  ].flatMap(({ ref, table }) => {
    const there = table === undefined ? undefined : columnsOf(table).find(each => isSame(each.name, column))
    return table === undefined || there === undefined ? [] : [{ ref, table, name: there.name }]
  })
  if (both.length === 0) {
    const names = found.target === undefined ? [] : columnsOf(found.target).map(each => each.name)
    const guess = nearest(column, names)
    throw new EtlError('notFound', `${tableName(tables.target)} has no column ${column}.`, {
      hint: guess === undefined ? `it has ${names.join(', ') || 'none'}` : `did you mean ${guess}?`,
    })
  }
  for (const { ref, table, name } of both) refuseLayout(ref, table, name)
  const lost = []
  for (const { ref, table, name } of both) lost.push({ table: tableName(ref), values: await values(api, ref, table, name) })
  return {
    lost,
    scripts: both.map(({ ref, name }) => `ALTER TABLE ${literal.table(ref)} DROP COLUMN IF EXISTS ${literal.name(name)};`),
  }
}

/** An INSERT that names the column would fail: that of this code, or of the code that ran last and may run still. */
function refuseWritten({ to, name, write }: NamedPipeline, column: string, found: Found): void {
  if (['version', '_op'].includes(column.toLowerCase()))
    throw new EtlError('usage', `column ${column} is ours: every published row has its version there.`)
  if ([...to.row.columns.map(each => each.name), ...to.row.key].some(each => isSame(each, column))) {
    throw new EtlError('usage', `column ${column} is still written: it stands in the row schema of ${to.table}.`, {
      hint: `take it out of the row schema, run ${name} once with that, and drop it when no older image runs any more`,
    })
  }
  const notes = ledgerOf(found.rows).filter(row => row.event === 'evolved')
  const last = shapeFrom(notes.at(-1)?.message)
  if (last === null || !Object.keys(last.columns).some(each => isSame(each, column))) return
  throw new EtlError(
    'usage',
    `column ${column} is still written: the last run (${write.mode} into ${to.table}) had it in its row schema.`,
    {
      hint: `deploy the row schema without it, let ${name} run once, and drop it then: an older image that still names it would fail`,
    },
  )
}

/** BigQuery: ALTER TABLE DROP COLUMN, "You cannot use this statement to drop … Partitioned columns, Clustered columns". */
function refuseLayout(ref: TableRef, table: TableResource, column: string): void {
  const { partition, clusters } = layoutOf(table)
  const what = isSame(partition?.column ?? '', column)
    ? 'partitioned'
    : clusters.some(each => isSame(each, column))
      ? 'clustered'
      : undefined
  if (what === undefined) return
  throw new EtlError('usage', `column ${column} stays: ${tableName(ref)} is ${what} by it, and BigQuery drops no such column.`, {
    hint: 'leave it: a column that is not written costs nothing in new rows',
  })
}

async function values(api: Api, ref: TableRef, table: TableResource, column: string): Promise<number> {
  const isList = columnsOf(table).find(each => each.name === column)?.mode === 'REPEATED'
  const has = isList ? `ARRAY_LENGTH(${literal.name(column)}) > 0` : `${literal.name(column)} IS NOT NULL`
  const { rows } = await ask(
    api,
    `SELECT COUNTIF(${has}) AS n FROM ${literal.from(ref, [column])}${everything(table)}`,
    `the values of ${column}`,
  )
  return Number(rows[0]?.n ?? 0)
}

const isSame = (a: string, b: string) => a !== '' && a.toLowerCase() === b.toLowerCase()

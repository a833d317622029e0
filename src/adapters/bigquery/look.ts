import type { Change } from '../../domain/evolution.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { TargetTables } from '../../domain/run.ts'
import { shapeFrom } from '../../domain/shape.ts'
import type { Api } from './api.ts'
import { targetChanges, withNulls } from './compare.ts'
import { type Known, stateOf } from './describe.ts'
import { ledgerOf } from './ledger.ts'
import { ask } from './query.ts'
import { findTable, type TableResource } from './tables.ts'

/** What is known of a target, whether it fits or not. */
export type Found = Known & { readonly target: TableResource | undefined; readonly changes: readonly Change[] }

/** Looks at a target without refusing anything. */
export async function look(api: Api, pipeline: NamedPipeline, tables: TargetTables): Promise<Found> {
  const [target, known] = await Promise.all([findTable(api, tables.target), stateOf(api, tables, '')])
  if (target === undefined) return { ...known, target, changes: [] }
  const notes = ledgerOf(known.rows).filter(row => row.event === 'evolved')
  const changes = targetChanges(pipeline, target, shapeFrom(notes.at(-1)?.message))
  const counted = await withNulls(pipeline, tables.target, target, changes, sql => ask(api, sql, 'NULLs in the table'))
  return { ...known, target, changes: counted }
}

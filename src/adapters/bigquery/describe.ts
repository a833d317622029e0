import type { AnyRow } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { type Change, columnChanges, heldColumns } from '../../domain/evolution.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { Answer, Head, LedgerRow, TargetTables } from '../../domain/run.ts'
import { type Shape, schemaHash, shapeFrom, shapeOf } from '../../domain/shape.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import { keepsRows } from '../../domain/write.ts'
import type { TargetState } from '../../ports/warehouse.ts'
import { alterScripts, evolvedNote, keepScripts } from './alter.ts'
import type { Api } from './api.ts'
import { createHead, createHistory, createRuns, createTarget, opColumn, versionColumn } from './bootstrap.ts'
import { columnsOf, refuseBreaking, targetChanges, withNulls } from './compare.ts'
import { headOf, ledgerOf, stateQuery } from './ledger.ts'
import { checkDatasetLocation, checkLocation } from './location.ts'
import { ask } from './query.ts'
import { datasetExists, findTable, type TableResource } from './tables.ts'

/** What exists of a target: one tables.get and one query where all is there and the schema is the one that was published last. */
export async function describe(
  api: Api,
  pipeline: NamedPipeline,
  tables: TargetTables,
  run: string,
  { needsHistory = false }: { readonly needsHistory?: boolean } = {},
): Promise<TargetState> {
  const [target, { there, rows }] = await Promise.all([
    findTable(api, tables.target),
    stateOf(api, tables, run).catch(error => locationOr(api, tables, error)),
  ])
  const first = rows.find(row => row.part === 'head')
  const heads = rows.filter(row => row.part === 'head').length
  if (first === undefined || heads > 1) throw notOneHead(tables, heads)
  const head = there.head ? headOf(first) : null
  const question = (sql: string) => ask(api, sql, `NULLs in ${tableName(tables.target)}`)
  // The last publication of this very schema wrote to the history: it is there, and it fits.
  const isKnown = head !== null && head.schemaHash === schemaHash(pipeline)
  const looksAtHistory = needsHistory || (keepsRows(pipeline.write) && !isKnown)
  const history = looksAtHistory ? await findTable(api, tables.history) : undefined
  if (!there.runs || !there.head || target === undefined) await checkDatasets(api, pipeline.name, tables)
  if (target === undefined && head !== null && head.seq > 0n) refuseLost(pipeline, tables, head)
  const ledger = ledgerOf(rows)
  const notes = ledger.filter(row => row.event === 'evolved')
  const last = shapeFrom(notes.at(-1)?.message)
  if (target !== undefined) checkLocation(api, `the target ${tableName(tables.target)}`, target.location)
  const shape = JSON.stringify(shapeOf(pipeline))
  // Older code that publishes again: what it declares was fine before, and rows of newer code with NULL are not its doing.
  const isBack = notes.some(row => row.message === shape)
  const changes =
    target === undefined ? [] : await changesOf(pipeline, tables.target, target, last, isBack ? undefined : question)
  const held = heldBy(pipeline, target)
  const kept = history === undefined ? [] : historyChanges(held, history)
  if (history !== undefined) refuseBreaking(pipeline, tables.history, history, kept)
  const missing = [
    ...(there.runs ? [] : [createRuns(tables)]),
    ...(there.head ? [] : [createHead(tables)]),
    ...(target === undefined ? [createTarget(pipeline, tables)] : []),
    ...(history === undefined && looksAtHistory ? [createHistory(held, tables)] : []),
  ]
  const isNoted = shape === notes.at(-1)?.message || (last === null && isKnown)
  const note = evolvedNote(pipeline, tables, run, head?.version ?? '1970-01-01T00:00:00Z', changes)
  return {
    now: first.now as string,
    missing,
    evolve: [
      ...alterScripts(tables.history, 'history', kept),
      ...keepScripts(pipeline, tables.history, history),
      ...alterScripts(tables.target, 'target', changes),
      ...(isNoted ? [] : [note]),
    ],
    changes: changes.map(change => since(change, notes)),
    head,
    ledger,
    size: target === undefined ? null : { bytes: Number(target.numBytes ?? 0), rows: Number(target.numRows ?? 0) },
  }
}

/** What of the target differs. Throws EtlError `schema` where that is breaking. */
async function changesOf(
  pipeline: NamedPipeline,
  ref: TableRef,
  table: TableResource,
  last: Shape | null,
  ask: ((sql: string) => Promise<Answer>) | undefined,
): Promise<readonly Change[]> {
  refuseStrange(pipeline, ref, table)
  const found = targetChanges(pipeline, table, last)
  const changes = ask === undefined ? found : await withNulls(pipeline, ref, table, found, ask)
  refuseBreaking(pipeline, ref, table, changes)
  return changes
}

/** The pipeline with the columns that its target holds. */
function heldBy(pipeline: NamedPipeline, target: TableResource | undefined): NamedPipeline {
  const { to } = pipeline
  const columns = heldColumns(to.row.columns, target === undefined ? [] : columnsOf(target))
  return { ...pipeline, to: { ...to, row: { ...to.row, columns } } }
}

/** A rename is the target's matter: in the history every column that is not there is a new one. */
const unknown: Shape = { mode: '', key: [], columns: {} }

function historyChanges({ to }: NamedPipeline, history: TableResource): readonly Change[] {
  const wanted = [...to.row.columns, versionColumn, opColumn]
  return columnChanges({ role: 'history', wanted, found: columnsOf(history), last: unknown })
}

/** Since when a column is not written any more, by the notes of what was declared. */
function since(change: Change, notes: readonly LedgerRow[]): Change {
  if (change.kind !== 'unwritten') return change
  const shapes = notes.map(note => ({ version: note.version, shape: shapeFrom(note.message) }))
  const last = shapes.findLastIndex(({ shape }) => shape?.columns[change.column] !== undefined)
  const after = last < 0 ? undefined : shapes[last + 1]
  if (after === undefined) return change
  return {
    ...change,
    sentence: `column ${change.column} is no longer written since version ${after.version}, which was the last with it`,
  }
}

/** The rows of the one question, and which tables they come from. */
export type Known = { readonly there: { readonly head: boolean; readonly runs: boolean }; readonly rows: readonly AnyRow[] }

/** The answer of the one question; where a table is missing, it is asked again without. */
export async function stateOf(api: Api, tables: TargetTables, run: string): Promise<Known> {
  const question = async (there: { head: boolean; runs: boolean }) => {
    const what = `the state of ${tableName(tables.target)}`
    return { there, ...(await ask(api, stateQuery(tables, run, there), what)) }
  }
  try {
    return await question({ head: true, runs: true })
  } catch (error) {
    if (!(error instanceof EtlError) || error.kind !== 'notFound') throw error
  }
  const [head, runs] = await Promise.all([findTable(api, tables.head), findTable(api, tables.runs)])
  return question({ head: head !== undefined, runs: runs !== undefined })
}

function notOneHead(tables: TargetTables, heads: number): EtlError {
  return new EtlError(
    'schema',
    `the head table ${tableName(tables.head)} has ${heads} rows instead of one: nothing can be published.`,
    {
      hint: 'somebody changed it by hand: leave the row with the largest seq, delete the others; if there is none, drop the table and run again',
    },
  )
}

async function checkDatasets(api: Api, name: string, tables: TargetTables): Promise<void> {
  for (const { project, dataset } of [tables.target, tables.head]) {
    if (await datasetExists(api, project, dataset)) {
      await checkDatasetLocation(api, project, dataset)
      continue
    }
    throw new EtlError('notFound', `dataset ${dataset} not found in project ${project}.`, {
      hint: api.local
        ? `\`npm run etl -- run ${name} --local\` makes it, with the sources from the fixtures, in a throwaway local BigQuery, and so does \`npm start\` in .etl/demo for the example; in this one, any BigQuery client can make it (datasets.insert).`
        : 'it is made by naisjob.yaml: deploy once, then run again.',
    })
  }
}

/** To the service a dataset of another location does not exist: its own answer would send people looking for the wrong thing. */
async function locationOr(api: Api, tables: TargetTables, error: unknown): Promise<never> {
  for (const { project, dataset } of [tables.target, tables.head]) await checkDatasetLocation(api, project, dataset)
  throw error
}

/** What is not ours yet, or just now can't be written. */
function refuseStrange(pipeline: NamedPipeline, ref: TableRef, table: TableResource): void {
  if (!columnsOf(table).some(column => column.name.toLowerCase() === versionColumn.name)) {
    throw new EtlError('schema', `${tableName(ref)} exists and was not made by nais-etl: it has no column version.`, {
      hint: `\`npm run etl -- adopt ${pipeline.name}\` shows what differs, and takes it over with --yes; or choose another table name`,
    })
  }
  if (table.streamingBuffer === undefined) return
  throw new EtlError(
    'schema',
    `${tableName(ref)} has rows in its streaming buffer: BigQuery changes none of them for 30 minutes.`,
    { hint: 'stop what streams into it (insertAll); nobody but this pipeline may write to a target' },
  )
}

/** A published table that is gone: replace makes all of it anew, the others would go on as if its rows were still there. */
function refuseLost(pipeline: NamedPipeline, { target, head: lock }: TargetTables, head: Head): void {
  if (pipeline.write.mode === 'replace') return
  throw new EtlError(
    'schema',
    `${tableName(target)} is gone, though version ${head.version} was published: somebody dropped it.`,
    {
      hint: `within seven days \`UNDROP TABLE\` brings it back (BigQuery: Restore deleted tables). To begin anew, drop ${tableName(lock)} too`,
    },
  )
}

import type { AnyRow } from '../../domain/column.ts'
import { literal } from '../../domain/literal.ts'
import type { Head, LedgerEvent, LedgerRow, Scope, TargetTables } from '../../domain/run.ts'
import { tableName } from '../../domain/source.ts'
import type { Note } from '../../ports/warehouse.ts'
import { type Parameter, parameter } from './publish.ts'

/** Appends one event; the time is the warehouse's. */
export function noteScript(note: Note): string {
  return `INSERT INTO ${literal.table(note.tables.runs)} (logged_at, event, pipeline, target, run, attempt, version, slot, base_seq, mode, scope,
                     stage, job, rows_read, rows_written, content_hash, code_sha, schema_hash, trigger, message, hint)
  VALUES (CURRENT_TIMESTAMP(), @event, @pipeline, @target, @run, @attempt, @version, @slot, @base_seq, @mode, PARSE_JSON(@scope),
          @stage, @job, @rows_read, @rows_written, @content_hash, @code_sha, @schema_hash, @trigger, @message, @hint);`
}

export function noteParameters(note: Note): readonly Parameter[] {
  const whole = (value: number | bigint | undefined) => (value === undefined ? null : String(value))
  return [
    parameter('event', 'STRING', note.event),
    parameter('pipeline', 'STRING', note.pipeline),
    parameter('target', 'STRING', tableName(note.tables.target)),
    parameter('run', 'STRING', note.run),
    parameter('attempt', 'STRING', note.attempt),
    parameter('version', 'TIMESTAMP', note.version),
    parameter('slot', 'TIMESTAMP', note.slot),
    parameter('base_seq', 'INT64', whole(note.baseSeq)),
    parameter('mode', 'STRING', note.mode),
    parameter('scope', 'STRING', note.scope === undefined || note.scope === null ? null : JSON.stringify(note.scope)),
    parameter('stage', 'STRING', note.stage === undefined ? null : tableName(note.stage.table)),
    parameter('job', 'STRING', note.job ?? null),
    parameter('rows_read', 'INT64', whole(note.rowsRead)),
    parameter('rows_written', 'INT64', whole(note.stage?.rows)),
    parameter('content_hash', 'STRING', note.stage?.contentHash ?? null),
    parameter('code_sha', 'STRING', note.codeSha ?? null),
    parameter('schema_hash', 'STRING', note.schemaHash ?? null),
    parameter('trigger', 'STRING', note.trigger),
    parameter('message', 'STRING', note.message ?? null),
    parameter('hint', 'STRING', note.hint ?? null),
  ]
}

/** Columns of the answer: where each comes from, null where that table has none. */
const columns: readonly (readonly [name: string, type: string, ofHead: string | null, ofRuns: string | null])[] = [
  ['seq', 'INT64', 'seq', null],
  ['held', 'BOOL', 'held', null],
  ['cursor', 'STRING', 'cursor', null],
  ['published_at', 'TIMESTAMP', 'published_at', null],
  ...(['version TIMESTAMP', 'run STRING', 'attempt STRING', 'schema_hash STRING'] as const).map(column => {
    const [name = '', type = ''] = column.split(' ')
    return [name, type, name, name] as const
  }),
  ...(
    [
      'logged_at TIMESTAMP',
      'event STRING',
      'slot TIMESTAMP',
      'scope JSON',
      'job STRING',
      'stage STRING',
      'rows_written INT64',
      'content_hash STRING',
      'trigger STRING',
      'base_seq INT64',
      'cursor_to STRING',
      'code_sha STRING',
      'message STRING',
    ] as const
  ).map(column => {
    const [name = '', type = ''] = column.split(' ')
    return [name, type, null, name] as const
  }),
]

/**
 * One question for all that is known of a target: the clock and the head (`part` = 'head'), what was published to it, when the slices were read that it has, and all
 * that this run has noted ('runs'). Tables that are not there are left out; the clock is told all the same.
 */
export function stateQuery(tables: TargetTables, run: string, there: { readonly head: boolean; readonly runs: boolean }): string {
  const select = (part: 'head' | 'runs') =>
    columns
      .map(([name, type, ofHead, ofRuns]) => {
        const own = part === 'head' ? (there.head ? ofHead : null) : ofRuns
        return own === null ? `CAST(NULL AS ${type}) AS ${name}` : name
      })
      .join(', ')
  const head = `SELECT 'head' AS part, CURRENT_TIMESTAMP() AS now, ${select('head')}${there.head ? ` FROM ${literal.table(tables.head)}` : ''}`
  if (!there.runs) return head
  return `${head}
UNION ALL
SELECT 'runs', CURRENT_TIMESTAMP(), ${select('runs')} FROM ${literal.table(tables.runs)}
 WHERE target = ${literal.string(tableName(tables.target))} AND (event IN ('published', 'restored', 'evolved') OR event = 'claimed' AND mode = 'partition' OR run = ${literal.string(run)})`
}

/** The ledger's rows of the answer, in the order of time. */
export function ledgerOf(rows: readonly AnyRow[]): readonly LedgerRow[] {
  return rows
    .filter(row => row.part === 'runs')
    .map(ledgerRow)
    .sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

function key(row: LedgerRow): string {
  return row.loggedAt.replace('Z', row.loggedAt.includes('.') ? '' : '.000000')
}

function ledgerRow(row: AnyRow): LedgerRow {
  const scope = JSON.parse((row.scope as string | null) ?? 'null') as Scope | { readonly baseline: true }
  return {
    loggedAt: row.logged_at as string,
    event: row.event as LedgerEvent,
    run: row.run as string,
    attempt: row.attempt as string,
    version: row.version as string,
    slot: row.slot as string | null,
    scope: scope !== null && 'baseline' in scope ? null : scope,
    job: row.job as string | null,
    stage: row.stage as string | null,
    rows: row.rows_written === null ? null : Number(row.rows_written),
    contentHash: row.content_hash as string | null,
    trigger: row.trigger as string | null,
    message: row.message as string | null,
    baseSeq: row.base_seq as bigint | null,
    cursorTo: row.cursor_to as string | null,
    codeSha: row.code_sha as string | null,
    schemaHash: row.schema_hash as string | null,
    baseline: scope !== null && 'baseline' in scope,
    restores: row.event === 'restored' ? (row.message as string | null) : null,
  }
}

/** The row of a head table. */
export function headOf(row: AnyRow): Head {
  return {
    seq: row.seq as bigint,
    version: row.version as string,
    run: row.run as string,
    attempt: row.attempt as string,
    held: row.held as boolean,
    cursor: row.cursor as string | null,
    schemaHash: row.schema_hash as string | null,
    publishedAt: row.published_at as string | null,
  }
}

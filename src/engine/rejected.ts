import { auditSql, brokenPromises } from '../domain/audit.ts'
import type { AnyRow, Column } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import { guarded } from '../domain/personal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Scope, TargetTables } from '../domain/run.ts'
import { type TableRef, tableName, tableRef } from '../domain/source.ts'
import type { Warehouse } from '../ports/warehouse.ts'
import { brokenAudits } from './own-audits.ts'
import { promisesOf } from './promises.ts'

type Asked = Pick<Warehouse, 'ask' | 'auditTables'>

/** What is looked at: the last failed run if none is named, at most so many rows of a promise, values of personal columns if asked for. */
export type RejectedRequest = { readonly run: string | undefined; readonly limit: number; readonly personal: boolean }

/** A run that failed after it had staged its result. Times are TIMESTAMP text. */
export type Rejected = {
  readonly run: string
  readonly failedAt: string
  readonly message: string
  readonly stage: string
  /** null once the stage has gone. */
  readonly broken: readonly BrokenRows[] | null
}

/** A promise, the rows that break it, and the SQL that gave them; `rows` is null where none may be shown or none can show it. */
export type BrokenRows = {
  readonly text: string
  readonly sql: string | null
  readonly columns: readonly Column[]
  readonly rows: readonly AnyRow[] | null
}

/**
 * What the last failed run had staged, held against the promises of today's pipeline file.
 * @throws EtlError `notFound` if the ledger has no such run.
 */
export async function rejected(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Asked,
  request: RejectedRequest,
): Promise<Rejected> {
  const { failed, staged } = await lastFailed(tables, warehouse, request.run)
  const stage = tableRef(String(staged.stage), tables.runs.project)
  const scope = JSON.parse(String(staged.scope ?? 'null')) as Scope
  return {
    run: String(failed.run),
    failedAt: String(failed.logged_at),
    message: String(failed.message ?? ''),
    stage: tableName(stage),
    broken: await brokenRows(pipeline, tables, stage, scope, Number(staged.rows_written), warehouse, request),
  }
}

async function lastFailed(
  tables: TargetTables,
  warehouse: Asked,
  run: string | undefined,
): Promise<{ readonly failed: AnyRow; readonly staged: AnyRow }> {
  const ofRun = run === undefined ? '' : ` AND run = ${literal.string(run)}`
  const { rows } = await warehouse
    .ask(
      [
        'SELECT logged_at, event, run, attempt, scope, stage, rows_written, message',
        `FROM ${literal.table(tables.runs)}`,
        `WHERE target = ${literal.string(tableName(tables.target))} AND event IN ('staged', 'failed')${ofRun}`,
        'ORDER BY logged_at DESC',
        'LIMIT 500',
      ].join('\n'),
    )
    .catch((error: unknown) => {
      if (error instanceof EtlError && error.kind === 'notFound') return { rows: [] }
      throw error
    })
  for (const [index, failed] of rows.entries()) {
    if (failed.event !== 'failed') continue
    const staged = rows
      .slice(index)
      .find(row => row.event === 'staged' && row.run === failed.run && row.attempt === failed.attempt)
    if (staged !== undefined) return { failed, staged }
  }
  throw new EtlError(
    'notFound',
    `${run === undefined ? 'no run' : `the run ${run}`} has failed after it had staged its result.`,
    {
      hint: 'a run that fails earlier says why in its log',
    },
  )
}

async function brokenRows(
  pipeline: NamedPipeline,
  tables: TargetTables,
  stage: TableRef,
  scope: Scope,
  staged: number,
  warehouse: Asked,
  { limit, personal }: RejectedRequest,
): Promise<readonly BrokenRows[] | null> {
  try {
    const promises = promisesOf(pipeline, scope)
    const answer = await warehouse.ask(auditSql(promises, stage))
    const broken = brokenPromises(answer.rows[0] ?? {}, promises, staged)
    const own = await brokenAudits(pipeline, tables, stage, warehouse)
    const { columns } = guarded(pipeline)
    const safe = columns.filter(column => personal || column.pii === undefined)
    const show = { stage, columns: safe.map(column => column.name), limit }
    const told = async ({ text, rows }: (typeof broken)[number], mayBeShown: boolean): Promise<BrokenRows> => {
      const sql = rows?.(show) ?? null
      if (sql === null || !mayBeShown) return { text, sql, columns: [], rows: null }
      return { text, sql, ...(await warehouse.ask(sql)) }
    }
    const isOpen = personal || safe.length === columns.length
    return [...(await all(broken, each => told(each, safe.length > 0))), ...(await all(own, each => told(each, isOpen)))]
  } catch (error) {
    if (error instanceof EtlError && error.kind === 'notFound') return null
    throw error
  }
}

async function all<T, R>(list: readonly T[], work: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const each of list) results.push(await work(each))
  return results
}

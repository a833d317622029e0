import type { Column } from '../domain/column.ts'
import type { Change } from '../domain/evolution.ts'
import type { AuditTable } from '../domain/own-audits.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import type { Answer, Head, LedgerRow, Publication, PublishOutcome, Stage, TargetTables } from '../domain/run.ts'
import type { TableRef } from '../domain/source.ts'
import type { Migrations } from './migrations.ts'

/** What exists of a target, and who holds it. `now` is the warehouse's clock: the only one that decides anything. */
export type TargetState = {
  readonly now: string
  /** Scripts that make what is missing, in order; empty if nothing is. */
  readonly missing: readonly string[]
  /** Scripts that widen what is there, in order, and note it; empty if all fits. */
  readonly evolve: readonly string[]
  /** How the target differs from what the pipeline declares; none of them is breaking. */
  readonly changes: readonly Change[]
  /** null until the head table exists. */
  readonly head: Head | null
  readonly ledger: readonly LedgerRow[]
  /** The target as the warehouse counts it; null until it exists. */
  readonly size: { readonly bytes: number; readonly rows: number } | null
}

/** A note for the ledger. */
export type Note = {
  readonly event: string
  readonly pipeline: string
  readonly tables: TargetTables
  readonly run: string
  readonly attempt: string
  readonly version: string
  readonly slot: string
  readonly trigger: string
  readonly mode: string
  readonly baseSeq?: bigint
  readonly scope?: readonly string[] | null
  readonly stage?: Stage
  readonly job?: string
  readonly rowsRead?: number
  readonly codeSha?: string
  readonly schemaHash?: string
  readonly message?: string
  readonly hint?: string
}

/** Where rows to be staged come from: Parquet files of the spool, or a query that runs in the warehouse. */
export type StageFrom =
  | { readonly kind: 'files'; readonly files: readonly string[]; readonly rows: number; readonly contentHash: string | null }
  /** `maxBytes`: what it may be billed for; no limit without. */
  | { readonly kind: 'query'; readonly sql: string; readonly maxBytes?: number | null }

/**
 * The warehouse that publishes. All methods throw EtlError: `notFound`, `denied`, `schema`, `query`, `conflict`, `unavailable`.
 * Job ids are chosen by the caller's attempt; after any doubt the id is looked up: absent → submit, running or done → adopt, failed → next number.
 */
export type Warehouse = Migrations & {
  /** Reads only; may be repeated. Checks that both datasets exist (`notFound`: "made by naisjob.yaml: deploy once") and that t can take the row's columns (`schema`, with the way on). */
  describe(
    pipeline: NamedPipeline,
    tables: TargetTables,
    run: string,
    /** Of a write mode that has a history only once something was brought back, too. */
    options?: { readonly needsHistory?: boolean },
  ): Promise<TargetState>
  /** Runs the scripts of `missing` and `evolve`. All of them are tried: what another pod has done meanwhile may fail (`query`, `conflict`); whether all fits then, `describe` says. */
  bootstrap(scripts: readonly string[], attempt: string): Promise<void>
  /** Appends an event; at least once: the ledger's readers count attempts, not rows. */
  note(note: Note): Promise<void>
  /** Fills the attempt's stage. Repeated within an attempt it starts from nothing. With `op` it has one more column, `_op`, NULL throughout. */
  stage(
    tables: TargetTables,
    columns: readonly Column[],
    from: StageFrom,
    attempt: string,
    options?: { readonly op?: boolean },
  ): Promise<Stage>
  /**
   * merge: adds to a stage the rows of the target whose key it lacks, as rows to be deleted; with `keys`, a table of all keys that there are, those whose key that one lacks.
   * @returns how many there are, and how many rows the target has. May be repeated.
   */
  stageMissing(
    tables: TargetTables,
    columns: readonly Column[],
    key: readonly string[],
    stage: Stage,
    keys?: TableRef,
  ): Promise<{ readonly deleted: number; readonly had: number }>
  /** Runs a SELECT and gives every row; for small answers: audits, versions, read. Values as in domain/column.ts. */
  ask(sql: string, parameters?: Readonly<Record<string, string>>): Promise<Answer>
  /** Runs statements that change something, as one job: once, also where an answer is lost. @returns the last answer, and how many rows changed. `name` is the job's. */
  execute(name: string, sql: string, what: string): Promise<Answer & { readonly affected: number }>
  /** Bytes that a SELECT would read, by a dry run; null where the warehouse doesn't say. */
  estimate(sql: string): Promise<number | null>
  /** `note` and then `ask`, in one call. */
  noteAndAsk(note: Note, sql: string): Promise<Answer>
  /** The script that `publish` executes, word for word. */
  publishText(publications: readonly Publication[]): string
  /**
   * Publishes all targets or loses; never both, never half. `onSubmit` runs before the job is submitted, with its id. Throws `conflict` when another
   * publication aborted it.
   */
  publish(publications: readonly Publication[], number: number, onSubmit: (job: string) => Promise<void>): Promise<PublishOutcome>
  /** Waits until a publish job of an earlier attempt has ended, if it exists. Reads only. */
  settle(job: string): Promise<void>
  /** The text of the query that a sql transform becomes: its sources behind `WITH`, bounded to the slices, and to what has changed. */
  queryText(pipeline: NamedPipeline, dates: readonly string[] | null, windows?: Plan['windows']): string
  /** The `WITH` in front of an author's audits, which says what they name: the staged rows as the target would have them, the target as it is. Empty for no names. */
  auditTables(pipeline: NamedPipeline, tables: TargetTables, stage: TableRef, names: readonly AuditTable[]): string
  /** Drops a stage that is no longer needed; a stage that stays expires by itself. Never throws. */
  drop(stage: TableRef): Promise<void>
}

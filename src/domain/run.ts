import type { AnyRow, Column } from './column.ts'
import type { TableRef } from './source.ts'
import type { WriteMode } from './target.ts'

/** Who started a run, and what follows for slot and version (docs/identity.md has the table). */
export type Trigger = 'scheduled' | 'manual' | 'local'

/** A run's identity: the Job is the run, the process is the attempt. Times are TIMESTAMP text in UTC. */
export type Identity = {
  readonly run: string
  /** Six random hex digits a process. */
  readonly attempt: string
  readonly trigger: Trigger
  /** The time the data is for. */
  readonly slot: string
}

/** The tables of a target. */
export type TargetTables = {
  readonly target: TableRef
  readonly history: TableRef
  readonly head: TableRef
  readonly runs: TableRef
}

/** The one row of a head table. `seq` counts publications. */
export type Head = {
  readonly seq: bigint
  readonly version: string
  readonly run: string
  readonly attempt: string
  readonly held: boolean
  readonly schemaHash: string | null
  readonly publishedAt: string | null
}

/** An attempt's own table with the rows to publish. */
export type Stage = { readonly table: TableRef; readonly rows: number; readonly contentHash: string | null }

/** The slices of a publication; `null` is everything. Dates in order. */
export type Scope = readonly string[] | null

/** Everything that a publish script says, as one value. */
export type Publication = {
  readonly pipeline: string
  readonly tables: TargetTables
  readonly columns: readonly Column[]
  readonly write: WriteMode
  readonly identity: Identity
  readonly version: string
  readonly baseSeq: bigint
  readonly scope: Scope
  readonly stage: Stage
  readonly schemaHash: string
  readonly codeSha: string
  readonly unchanged: boolean
}

/** What a publish job answered: published, or lost to whoever the head names. */
export type PublishOutcome = { readonly outcome: 'published' | 'lost'; readonly head: Head; readonly job: string }

/** Events of the ledger; the table keeps them all, append-only. */
export type LedgerEvent =
  | 'evolved'
  | 'claimed'
  | 'staged'
  | 'audited'
  | 'publishing'
  | 'published'
  | 'superseded'
  | 'held'
  | 'failed'

/** A row of the ledger, as far as a run looks at it. */
export type LedgerRow = {
  readonly loggedAt: string
  readonly event: LedgerEvent
  readonly run: string
  readonly attempt: string
  readonly version: string
  readonly slot: string | null
  readonly scope: Scope
  readonly job: string | null
  readonly rows: number | null
  readonly contentHash: string | null
  readonly trigger: string | null
  /** `evolved`: the shape that the target has from then on (domain/shape.ts). */
  readonly message: string | null
}

/** Rows of an answer with their columns. */
export type Answer = { readonly columns: readonly Column[]; readonly rows: readonly AnyRow[] }

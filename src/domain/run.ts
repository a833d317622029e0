import type { AnyRow, Column } from './column.ts'
import type { Days } from './days.ts'
import type { TableRef } from './source.ts'
import type { WriteMode } from './write.ts'

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
  readonly cursor: string | null
  readonly schemaHash: string | null
  readonly publishedAt: string | null
}

/** An attempt's own table with the rows to publish. */
export type Stage = {
  readonly table: TableRef
  readonly rows: number
  readonly contentHash: string | null
  /** merge with deletes 'missing': how many of the rows are only there to be deleted. */
  readonly deleted?: number
  /** And how many rows the target had then. */
  readonly had?: number
  /** merge: between which days its rows lie, where the target is partitioned by a column of the key (domain/days.ts). */
  readonly days?: Days
}

/** The slices of a publication; `null` is everything. Dates in order. */
export type Scope = readonly string[] | null

/** Everything that a publish script says of one target, as one value. */
export type Publication = {
  readonly pipeline: string
  readonly tables: TargetTables
  readonly columns: readonly Column[]
  readonly key: readonly string[]
  readonly write: WriteMode
  readonly identity: Identity
  readonly version: string
  readonly baseSeq: bigint
  readonly scope: Scope
  /** Where the sources stood that this run read, and where they stand now: text that only their readers understand. */
  readonly cursor: { readonly from: string | null; readonly to: string | null }
  readonly stage: Stage
  readonly schemaHash: string
  readonly codeSha: string
  readonly unchanged: boolean
  /** merge: the history gets a full copy of the table in place of what was done, so that older parts of it may expire. */
  readonly baseline: boolean
  /** Set where an earlier version is brought back: the target is held from then on. */
  readonly restores: Restores | null
}

/**
 * An earlier version that is brought back. append keeps no copies: the versions whose rows leave the table for the history, and those that come back
 * from there.
 */
type Restores = { readonly version: string; readonly leave: readonly string[]; readonly comeBack: readonly string[] }

/** What a publish job answered: published, or lost to whoever the head names; of several targets, the one that decided. */
export type PublishOutcome = { readonly outcome: 'published' | 'lost'; readonly head: Head; readonly job: string }

/** Events of the ledger; the table keeps them all, append-only. */
export type LedgerEvent =
  | 'evolved'
  | 'claimed'
  | 'staged'
  | 'audited'
  | 'publishing'
  | 'published'
  | 'restored'
  | 'superseded'
  | 'held'
  | 'released'
  | 'failed'

/** Is it one of the events that change what readers see? A publication, or an earlier version that was brought back. */
export function isPublication({ event }: { readonly event: string }): boolean {
  return event === 'published' || event === 'restored'
}

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
  readonly stage: string | null
  readonly rows: number | null
  readonly contentHash: string | null
  readonly trigger: string | null
  /** `evolved`: the shape that the target has from then on (domain/shape.ts). */
  readonly message: string | null
  readonly baseSeq: bigint | null
  readonly cursorTo: string | null
  readonly codeSha: string | null
  readonly schemaHash: string | null
  /** merge: whether the history has a full copy of this version. */
  readonly baseline: boolean
  /** restored: the version that was brought back. */
  readonly restores: string | null
}

/** Rows of an answer with their columns. */
export type Answer = { readonly columns: readonly Column[]; readonly rows: readonly AnyRow[] }

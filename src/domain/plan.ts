import type { Marks, Window } from './changes.ts'
import type { Change } from './evolution.ts'
import type { Moment } from './moment.ts'
import type { NamedPipeline } from './pipeline.ts'
import type { Past, Replayable } from './replay.ts'
import type { Head, Identity, Scope, Stage, TargetTables } from './run.ts'
import type { TableRef } from './source.ts'

/** What a run would do, as a value: `etl plan` prints it, `etl run` executes it. */
export type Plan = {
  readonly pipeline: NamedPipeline
  readonly identity: Identity
  /** The version that this run will publish, unless the head moves. */
  readonly version: string
  readonly tables: TargetTables
  readonly head: Head | null
  readonly sources: readonly {
    readonly name: string
    readonly from: string
    readonly rows: number | null
    readonly read: string
    /** How it keeps what it held. */
    readonly past: Past
    /** How its rows come, where there is a choice. */
    readonly way?: string
  }[]
  /** The warehouse's clock when it was planned. TIMESTAMP text. */
  readonly now: string
  /** The moment that sources are read at in common, where several are. */
  readonly moment: Moment | null
  readonly scope: Scope
  /** Whether the version can be made again from its sources. */
  readonly replayable: Replayable
  /** Of the sources that are read by their changes, by their names: what is read of them. */
  readonly windows: Readonly<Record<string, Window>>
  /** How far the sources were read before this run; none where it reads everything. */
  readonly marks: Marks
  /** Slices that are due but wait for the next run (maxSlices). */
  readonly left: number
  readonly why: string
  /** DDL that makes what is missing. */
  readonly bootstrap: readonly string[]
  /** DDL that widens what is there, and the note of it. */
  readonly evolve: readonly string[]
  /** How the target differs from what the pipeline declares; none of it breaks a reader. */
  readonly changes: readonly Change[]
  readonly stage: TableRef
  readonly audit: string
  readonly publish: string
  /** The result the target has now, to be compared with. */
  readonly last: { readonly version: string; readonly rows: number | null; readonly contentHash: string | null } | null
  /** An earlier attempt of this run has published already. */
  readonly done: { readonly attempt: string; readonly version: string } | null
  /** Publish jobs of earlier attempts that must have ended first. */
  readonly unsettled: readonly string[]
  /** When the first attempt of this run claimed its version; null where this is the first. TIMESTAMP text. */
  readonly claimedAt: string | null
  /** A complete stage that an earlier attempt of this run left behind, and nothing has changed since: the run goes on from there. */
  readonly resume: Stage | null
  /** merge: the history gets a full copy of the table this time. */
  readonly baseline: boolean
  /** The target as it is; null until it exists. */
  readonly size: { readonly bytes: number; readonly rows: number } | null
  readonly codeSha: string
  readonly schemaHash: string
}

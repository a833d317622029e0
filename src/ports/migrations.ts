import type { Change } from '../domain/evolution.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { TargetTables } from '../domain/run.ts'

/** How a table differs from what a pipeline declares, what breaks a reader included. `now` is the warehouse's clock. */
type Differences = { readonly now: string; readonly changes: readonly Change[] }

/** What it takes to publish into a table that somebody else made; sentences for people. */
export type Adoption = {
  /** Has it a version column and a head already? */
  readonly isOurs: boolean
  readonly rows: number | null
  /** Why it can't be taken over, each with the way on; none if it can. */
  readonly refused: readonly string[]
  /** What differs and stays, or must be known. */
  readonly remarks: readonly string[]
  /** What taking over changes, in the words of the statements. */
  readonly changes: readonly string[]
  /** The statements that must come first; the others are those of `describe`. */
  readonly scripts: readonly string[]
}

/** What dropping a column takes away. */
export type Contraction = {
  /** Values that are not NULL, for each table that has the column. */
  readonly lost: readonly { readonly table: string; readonly values: number }[]
  readonly scripts: readonly string[]
}

/** The three steps of a schema that nobody takes by themselves. All methods only read; all throw EtlError. */
export type Migrations = {
  /** null if there is no such table. */
  differences(pipeline: NamedPipeline, tables: TargetTables): Promise<Differences | null>
  /** Throws `notFound` where there is nothing to take over. */
  adoption(pipeline: NamedPipeline, tables: TargetTables): Promise<Adoption>
  /** Throws `usage` for a column that is still written or can't be dropped, `notFound` for one that is not there. */
  contraction(pipeline: NamedPipeline, tables: TargetTables, column: string): Promise<Contraction>
}

import type { Policy } from '../domain/policy.ts'

/** What a run must know about the world, decided before it starts (config.ts). */
export type Settings = {
  /** 'dev', 'prod' or 'local'. */
  readonly environment: string
  readonly project: string
  /** Where every job runs; all datasets lie there. */
  readonly location: string
  /** The commit or image that runs. */
  readonly codeSha: string
  readonly policy: Policy
  /** The Job's time limit, and when this process began (milliseconds since 1970). None on a laptop. */
  readonly deadline?: { readonly seconds: number; readonly processBegan: number } | undefined
}

/** Which run this is. `podName` and `naisjob` come from the platform; on a laptop there are none. */
export type RunRequest = {
  readonly podName?: string
  readonly naisjob?: string
  readonly user: string
  /** Six random hex digits, new for every process. */
  readonly attempt: string
  /** A time chosen by hand: TIMESTAMP text. */
  readonly slot?: string
  /** This run may be out of its budgets (`--accept`); the promises of the schema and the audits hold all the same. */
  readonly accept?: boolean
  /** This run reads sources with `changedBy` from their beginning (`--full`). */
  readonly full?: boolean
  /** This run is a batch of a backfill. */
  readonly batch?: Batch
}

/** A batch of a backfill: a run of its own, `RUN`, `RUN~2`, `RUN~3`, …, with the slices that it does of each target (`project.dataset.table`). */
export type Batch = {
  readonly run: string
  readonly scopes: ReadonlyMap<string, readonly string[]>
  /** Slices that later batches do. */
  readonly left: number
}

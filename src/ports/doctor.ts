import type { TableRef } from '../domain/source.ts'

/** A dataset as it is. */
export type DatasetFacts = {
  readonly location: string | undefined
  /** Tables, or partitions, that are made without an expiration of their own are deleted after so many milliseconds; null: never. */
  readonly tableExpiration: number | null
  readonly partitionExpiration: number | null
}

/** A table as it is. */
export type TableFacts = {
  readonly location: string | undefined
  readonly streaming: boolean
  /** Queries without a filter on this column are refused; null: none is needed. '_PARTITIONTIME' for partitions by the time of loading. */
  readonly filterOn: string | null
  /** Columns with policy tags. */
  readonly tagged: readonly string[]
  /** When the whole table is deleted: ISO text in UTC; null: never. */
  readonly expires: string | null
}

/**
 * Looks at BigQuery and changes nothing. All but `credentials` throw EtlError: `denied`, `notFound`, `query`, `unavailable`.
 */
export type Examiner = {
  /** Whose identity the jobs have; null where none is needed. Throws `denied` where there is none. */
  credentials(): Promise<string | null>
  /** Does the project answer? Throws if not. */
  project(): Promise<void>
  /** null: not there. */
  dataset(project: string, dataset: string): Promise<DatasetFacts | null>
  /** null: not there. */
  table(ref: TableRef): Promise<TableFacts | null>
  /** How many row policies a table has; null where that can't be seen. */
  rowPolicies(ref: TableRef): Promise<number | null>
  /** A dry run: the service checks names, types and rights, and runs nothing. Bytes that the statement would read; null where it doesn't say. */
  dryRun(sql: string): Promise<number | null>
}

/** What a cluster has of a Naisjob; `unknown` is JSON as the cluster says it. */
type Deployed = {
  /** The name of the cluster that was asked, as kubectl calls it. */
  readonly cluster: string
  readonly naisjob: unknown
  /** The BigQueryDatasets of the namespace; null where they can't be listed. */
  readonly datasets: readonly unknown[] | null
}

/** Looks at the cluster that the person's kubectl is set to. */
export type Cluster = {
  /** Throws EtlError `unavailable` (no kubectl, no context, no answer), `notFound` (no such Naisjob), `denied`. */
  deployed(naisjob: string, namespace: string, environment: string): Promise<Deployed>
}

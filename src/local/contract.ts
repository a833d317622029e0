// The words that the two halves of the local BigQuery share: the API side (http, catalogue, jobs, uploads, rows) and the SQL side (sql/).
import type { DuckDBConnection } from '@duckdb/node-api'
import type { FieldType } from '../googlesql/field.ts'
import type { Committed } from './committed.ts'
import type { Row } from './duck.ts'
import type { Writes } from './writes.ts'

export type { FieldType }

/** A column of a table or of a result. */
export type Field = {
  readonly name: string
  readonly type: FieldType
  readonly mode: 'NULLABLE' | 'REQUIRED' | 'REPEATED'
  readonly description?: string
  readonly policyTags?: { readonly names: readonly string[] }
  readonly fields?: readonly Field[]
}

export type DatasetRef = { readonly project: string; readonly dataset: string }
export type TableRef = DatasetRef & { readonly table: string }

/** A table, view or snapshot as the catalogue knows it. `physical` is the quoted DuckDB name of its rows (a view has none). */
export type TableMeta = {
  readonly ref: TableRef
  readonly kind: 'TABLE' | 'VIEW' | 'SNAPSHOT'
  readonly physical: string
  readonly schema: readonly Field[]
  readonly etag: string
  readonly partition?: {
    readonly column: string
    readonly type: 'DAY' | 'HOUR' | 'MONTH' | 'YEAR'
    readonly expirationMs?: number
  }
  readonly requirePartitionFilter?: boolean
  readonly clustering?: readonly string[]
  readonly description?: string
  readonly friendlyName?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly view?: string
  /** The table that a snapshot is of, and when it was made (milliseconds since 1970). */
  readonly snapshot?: { readonly base: TableRef; readonly time: number }
  /** Milliseconds since 1970. */
  readonly expiresAt?: number
  readonly createdAt: number
  readonly modifiedAt: number
}

export type NewTable = Omit<TableMeta, 'physical' | 'etag' | 'createdAt' | 'modifiedAt'>

/**
 * The catalogue as one DuckDB connection sees it: its answers follow the transaction open on that connection. Metadata and rows lie in
 * the same DuckDB file, so that both change together. Throws BigQueryError.
 */
export type Catalogue = {
  readonly connection: DuckDBConnection
  hasDataset(ref: DatasetRef): Promise<boolean>
  /** An expired table is no table. */
  find(ref: TableRef): Promise<TableMeta | undefined>
  list(ref: DatasetRef): Promise<TableMeta[]>
  /** Makes metadata and the empty physical table. Throws notFound for the dataset, duplicate for the table. */
  create(table: NewTable): Promise<TableMeta>
  /**
   * Changes metadata (a new etag) and, where the schema grew or was relaxed, the physical table. A column changes its type only if `using` has, by its
   * name, the DuckDB expression of its new values.
   */
  change(ref: TableRef, change: Partial<Omit<NewTable, 'ref' | 'kind'>>, using?: ReadonlyMap<string, string>): Promise<TableMeta>
  drop(ref: TableRef): Promise<void>
  readonly partitionTimes: PartitionTimes
  readonly kept: Kept
}

/** What is kept in memory of what is committed, the same for all connections of a server. */
export type Kept = {
  readonly tables: Committed<TableMeta>
  readonly datasets: Committed<Row>
  /** Numbers that take a scan of a table, by its physical name (sizes.ts). Whatever writes to a table says so. */
  readonly sizes: Committed<Map<string, number>>
  readonly writes: Writes
}

/** When partitions were modified: `_catalogue.partitions`, the same for all connections of a server. */
export type PartitionTimes = {
  /** To be called after whatever has written to a table has committed, with the time when it began (milliseconds since 1970). */
  wrote(catalogue: Catalogue, table: TableMeta, since: number): Promise<void>
  /** Brings the rows of a partitioned table up to date. Until it is asked for the first time all its partitions count as modified with its last write. */
  ask(catalogue: Catalogue, table: TableMeta): Promise<void>
  /** Keeps what the next process has to know. */
  close(connection: DuckDBConnection): Promise<void>
}

/** The open database. Every connection has the time zone UTC and the memory limit of the server. */
export type Store = {
  /** A connection of its own, for one job. The caller closes it. */
  connect(): Promise<Catalogue>
}

/** A query parameter as the REST API sends it; `value` undefined or null is NULL. */
export type QueryParameter = { readonly name: string; readonly type: Field; readonly value: RestValue }
export type RestValue = null | string | readonly RestValue[] | { readonly [name: string]: RestValue }

/** What a query job asks of the SQL side. */
export type QueryRequest = {
  readonly jobId: string
  readonly project: string
  /** Where the job runs; europe-north1 where nothing is said. */
  readonly location?: string
  /** The most bytes that each statement may be billed for (BigQuery REST: maximumBytesBilled); EXTERNAL_QUERY takes no such limit. */
  readonly maximumBytesBilled?: number
  readonly sql: string
  readonly parameters: readonly QueryParameter[]
  readonly defaultDataset?: DatasetRef
  readonly dryRun: boolean
  /** Aborts between statements, rolling back; reason `stopped`. */
  readonly signal: AbortSignal
  /** Called right before a COMMIT TRANSACTION of a script takes effect: a place for faults in tests. */
  readonly beforeCommit?: () => Promise<void>
}

/**
 * What came out. `rows` is the quoted name of a permanent DuckDB table in the schema `_results` that holds the rows in their order
 * (the API side pages through it by rowid and drops it when it expires); its columns are those of `schema`, stored as the table `physical types` say.
 * A script answers with its last SELECT. A statement without a result has no `rows`.
 */
export type QueryOutcome = {
  readonly statementType: string
  readonly schema: readonly Field[]
  readonly rows?: string
  readonly totalRows: number
  readonly dmlAffectedRows?: number
  readonly dml?: { readonly inserted: number; readonly updated: number; readonly deleted: number }
  readonly ddl?: { readonly operation: 'CREATE' | 'SKIP' | 'REPLACE' | 'ALTER' | 'DROP'; readonly table: TableRef }
  /** Of a dry run of one statement: the tables that it names. */
  readonly referenced?: readonly TableRef[]
  /** Bytes of the columns that were read, by BigQuery's sizes (8 for INT64, 2 + UTF-8 length for STRING, …); an estimate is fine. */
  readonly bytesProcessed: number
  readonly children: number
}

/** The SQL side, made once a server: `createSqlEngine(store, databases)` in sql/engine.ts. */
export type SqlEngine = {
  run(request: QueryRequest): Promise<QueryOutcome>
  /** The tables that a script names, whether they are there or not; one without a project lies in `project`. Throws BigQueryError. */
  tables(sql: string, project: string): Promise<TableRef[]>
  close(): Promise<void>
}

/** Reasons of the service that clients act on, with their HTTP code. */
export const reasons = {
  invalid: 400,
  invalidQuery: 400,
  bytesBilledLimitExceeded: 400,
  accessDenied: 403,
  rateLimitExceeded: 403,
  notFound: 404,
  duplicate: 409,
  resourceInUse: 400,
  conditionNotMet: 412,
  stopped: 200,
  notImplemented: 501,
  backendError: 503,
  internalError: 500,
} as const
export type Reason = keyof typeof reasons

/** An error as the service answers it. `notImplemented` is ours: the local server can't do it and says so. */
export class BigQueryError extends Error {
  readonly reason: Reason
  readonly location: string | undefined
  constructor(reason: Reason, message: string, location?: string) {
    super(message)
    this.reason = reason
    this.location = location
  }
}

/*
 * Physical types: how a value lies in DuckDB. One table, used by both sides (types.ts implements it).
 *   STRING, GEOGRAPHY VARCHAR · BYTES BLOB · INT64 BIGINT · FLOAT64 DOUBLE · BOOL BOOLEAN · NUMERIC DECIMAL(38,9) · BIGNUMERIC VARCHAR (canonical exact
 *   decimal text: no exponent, no trailing zeros, '-' only before a non-zero) · TIMESTAMP TIMESTAMPTZ · DATE DATE · TIME TIME · DATETIME TIMESTAMP ·
 *   JSON VARCHAR (its text) · RECORD STRUCT · REPEATED: a LIST of the above (never NULL: an empty list)
 * REQUIRED is checked by the code that writes (with the service's message), not by a DuckDB constraint.
 */

/*
 * Agreed between the two sides:
 * - types.ts exports `physicalType(field: Field): string`, the DuckDB type text of a column (LIST and STRUCT included).
 * - Positional parameters (`?`) arrive in order with the names '1', '2', … (no named parameter can be called so).
 * - The schemas of the DuckDB file: `_catalogue` (metadata), `_rows` (tables), `_results` (results of queries); the API side makes all three.
 * - `Catalogue.create`, `change` and `drop` join the transaction that is open on their connection, and make one of their own where there is none.
 * - Every table of `_results` is written by one statement, so that its rowids are 0, 1, 2, … in the order of the rows.
 */

import type { Changes } from './changes.ts'
import type { Name } from './env.ts'
import { EtlError } from './error.ts'
import type { Pg } from './pg.ts'
import type { RowSchema, Shape } from './row.ts'
import type { Sql } from './sql.ts'

/** How a source that BigQuery's jobs read is read. */
type ByJob = {
  /** Read by the Storage Read API where many rows come. */
  readonly large: boolean
  /** A job that would be billed for reading more bytes of it is refused by BigQuery before it runs, and costs nothing. */
  readonly maxBytes: number
}

/** What an author says of such a source. */
type JobOptions = {
  /** Many rows (some hundred thousand and more): read by the Storage Read API, for which the manifest asks the role. */
  readonly large?: boolean
  /** The most that one read may be billed for, in bytes; 100 GB if left out. */
  readonly maxBytes?: number
}

/** A BigQuery table or view: `project.dataset.table`, or `dataset.table` in the job's own project. Only the row's columns are read. */
export type TableSource<S extends Shape = Shape> = ByJob & {
  readonly kind: 'table'
  readonly row: RowSchema<S>
  readonly table: Name
}

/** The answer of a BigQuery query. */
export type QuerySource<S extends Shape = Shape> = ByJob & {
  readonly kind: 'query'
  readonly row: RowSchema<S>
  readonly query: Sql<never>
}

/** What becomes of a Postgres `numeric` that has no place in the column of the row schema: EXTERNAL_QUERY's `default_type_for_decimal_columns`. */
export type Decimals = 'numeric' | 'bignumeric' | 'float64' | 'string'

/** A query that BigQuery sends to a Postgres through one of its connections: EXTERNAL_QUERY. */
export type ExternalSource<S extends Shape = Shape> = {
  readonly kind: 'external'
  readonly row: RowSchema<S>
  /** `connection`, `location.connection` or `project.location.connection`. */
  readonly connection: Name
  readonly query: Pg
  readonly decimals: Decimals
  readonly changes: Changes | null
}

/** A query that the job itself sends to a Postgres. */
export type PostgresSource<S extends Shape = Shape> = {
  readonly kind: 'postgres'
  readonly row: RowSchema<S>
  /** What the environment variables of its address begin with: `SAK_DB` for SAK_DB_URL (nais: `envVarPrefix`). */
  readonly database: string
  readonly query: Pg
  readonly changes: Changes | null
}

/** What a file is written in: CSV with a header line, one JSON object a line, or Parquet. */
type FileFormat = 'csv' | 'ndjson' | 'parquet'

/** A file of the project; the path starts at the project's folder. */
export type FileSource<S extends Shape = Shape> = {
  readonly kind: 'file'
  readonly row: RowSchema<S>
  readonly path: Name
  readonly format: FileFormat
}

/** What the pipeline's own target holds, as the last version left it. */
export type SelfSource = {
  readonly kind: 'self'
  /** The target's, once the pipeline is put together. */
  readonly row: RowSchema
  readonly to: { readonly dataset: Name; readonly table: string }
}

/** Where rows come from. */
export type Source<S extends Shape = Shape> =
  | TableSource<S>
  | QuerySource<S>
  | ExternalSource<S>
  | PostgresSource<S>
  | FileSource<S>
  | SelfSource

/** The sources of a pipeline by their names. */
export type Sources = Readonly<Record<string, Source>>

/** What of a source is read: only what has changed, or all of it. */
export function changesOf(source: Source): Changes | null {
  return source.kind === 'external' || source.kind === 'postgres' ? source.changes : null
}

/**
 * Reads a BigQuery table or view, the named columns only.
 * @throws EtlError `pipeline` for a name that is no table's, or a `maxBytes` that is no number of bytes.
 */
export function table<S extends Shape>(row: RowSchema<S>, name: Name, options: JobOptions = {}): TableSource<S> {
  for (const text of typeof name === 'string' ? [name] : Object.values(name.names)) tableRef(text, 'own-project')
  return { kind: 'table', row, table: name, ...byJob(options) }
}

/** Reads the answer of a query: `` query(Row, sql`SELECT … FROM \`p.d.t\`…`) ``. Its columns are those of the row schema, by their names. */
export function query<S extends Shape>(row: RowSchema<S>, text: Sql<never>, options: JobOptions = {}): QuerySource<S> {
  return { kind: 'query', row, query: text, ...byJob(options) }
}

function byJob({ large = false, maxBytes = 100e9 }: JobOptions): ByJob {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw new EtlError('pipeline', `maxBytes: ${maxBytes} is no number of bytes.`, { hint: 'such as maxBytes: 500e9 for 500 GB' })
  return { large, maxBytes }
}

/** What one query over all of these may be billed for: the sum. null where BigQuery takes no limit, which is so with EXTERNAL_QUERY. */
export function bytesAllowed(sources: readonly Source[]): number | null {
  let sum = 0
  for (const source of sources) {
    if (source.kind === 'external' || (source.kind === 'query' && /\bEXTERNAL_QUERY\b/i.test(source.query.strings.join(''))))
      return null
    if (source.kind === 'table' || source.kind === 'query') sum += source.maxBytes
  }
  return sum
}

/**
 * Reads a file of the project: by its ending `.ndjson` (or `.jsonl`) as one JSON object a line, `.parquet` as Parquet, any other as CSV with a header line.
 * @throws EtlError `pipeline` for files of several formats.
 */
export function file<S extends Shape>(
  row: RowSchema<S>,
  path: Name,
  options: { readonly format?: FileFormat } = {},
): FileSource<S> {
  const found = (typeof path === 'string' ? [path] : Object.values(path.names)).map(formatOf)
  const format = options.format ?? found[0] ?? 'csv'
  if (options.format === undefined && found.some(other => other !== format))
    throw new EtlError(
      'pipeline',
      `a file source is one format in every environment, not ${[...new Set(found)].join(' and ')}.`,
      {
        hint: "file(Row, path, { format: 'ndjson' }) says which",
      },
    )
  return { kind: 'file', row, path, format }
}

function formatOf(path: string): FileFormat {
  if (/\.(ndjson|jsonl)$/i.test(path)) return 'ndjson'
  return /\.parquet$/i.test(path) ? 'parquet' : 'csv'
}

/**
 * The rows that the target has, for a transform that needs its own last state: `from: { saker, previous: self() }`. Only those are read whose key stands in another source's rows. The
 * publication is fenced: if the target moves meanwhile, the run plans anew.
 */
export function self(): SelfSource {
  return { kind: 'self', row: { shape: {}, key: [], columns: [], zod: undefined as never }, to: { dataset: '', table: '' } }
}

/** A table's full name. */
export type TableRef = { readonly project: string; readonly dataset: string; readonly table: string }

/**
 * Takes `project.dataset.table` or `dataset.table` apart.
 * @throws EtlError `pipeline`.
 */
export function tableRef(name: string, ownProject: string): TableRef {
  const parts = /^(?:((?:[a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]*)\.)?([A-Za-z0-9_]+)\.([\w\u0080-\uffff-]+)$/.exec(name)
  if (parts === null)
    throw new EtlError('pipeline', `${JSON.stringify(name)} is no table.`, {
      hint: "write 'project.dataset.table', or 'dataset.table' in your own project",
    })
  return { project: parts[1] ?? ownProject, dataset: parts[2] ?? '', table: parts[3] ?? '' }
}

/** `project.dataset.table`. */
export function tableName(ref: TableRef): string {
  return `${ref.project}.${ref.dataset}.${ref.table}`
}

/** What a source is called, for people. */
export function sourceName(source: Source, nameOf: (name: Name) => string): string {
  switch (source.kind) {
    case 'table':
      return nameOf(source.table)
    case 'file':
      return nameOf(source.path)
    case 'external':
      return `connection ${nameOf(source.connection)}`
    case 'postgres':
      return `Postgres ${source.database}`
    case 'self':
      return `the target's own rows`
    case 'query':
      return 'a query'
  }
}

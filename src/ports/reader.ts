import type { Mark, Window } from '../domain/changes.ts'
import type { AnyRow, Column, Value } from '../domain/column.ts'
import type { Past } from '../domain/replay.ts'
import type { Source } from '../domain/source.ts'
import type { VectorPage } from './vectors.ts'

/** Values of a column that rows are wanted of. */
export type KeyFilter = { readonly column: Column; readonly values: readonly Value[] }

/** What a reader is asked for. Dates are literal text; `null` is everything. */
export type ReadRequest = {
  readonly columns: readonly Column[]
  /** Only rows whose `column` is one of `dates`, in the order of that column: slice after slice. */
  readonly slices: { readonly column: string; readonly dates: readonly string[] } | null
  /** Only rows whose column is one of these values; a reader may give others too. */
  readonly keys?: KeyFilter | null
  /** Only rows that were changed in it: after `from`, and until `to`. */
  readonly window?: Window | null
  /** The rows as they were at this moment, TIMESTAMP text. Only for sources whose `past` is a table. */
  readonly asOf?: string | null
}

/**
 * Rows of a source. `isTyped`: they have every column that was asked for, and each value is one of its column's type (domain/text.ts, domain/json.ts): only the author's
 * rules are left to be checked.
 */
export type Page = readonly AnyRow[] & { readonly isTyped?: true }

/** How a source looks from outside, for `plan`. `past`: how it keeps what it held; left out where it keeps nothing. */
type SourceFacts = {
  /** The table's full name or the file's path, for people. */
  readonly name: string
  /** Columns as the source has them, in upper-case BigQuery types; a file has none but its header's names (`type` undefined). */
  readonly columns: readonly { readonly name: string; readonly type?: string }[]
  readonly rows: number | null
  readonly past?: Past
  /** How it is read, where there is a choice: for `plan`, behind "is". */
  readonly way?: string
}

/** When each slice of a source was last written to, as TIMESTAMP text by its date; or why nobody can say. */
export type Modified =
  | { readonly kind: 'known'; readonly at: ReadonlyMap<string, string> }
  | { readonly kind: 'guess'; readonly why: string }

/**
 * Reads one kind of source. Every method only reads, so each may be repeated.
 * All throw EtlError: `notFound` (with similar names), `denied`, `schema` (a column is missing or has another type), `row`, `unavailable`.
 */
export type Reader<S extends Source = Source> = {
  /** What is there, checked against the row schema: a missing column or another type is a `schema` error that names the columns there are. */
  facts(source: S, signal?: AbortSignal): Promise<SourceFacts>
  /** The dates that the slice column has, ascending; `upTo` included. Throws `row` if the column holds NULL where the row schema says required, `stopped` if `signal` aborts before. */
  dates(source: S, column: string, upTo: string, signal?: AbortSignal): Promise<readonly string[]>
  /** When each slice was last changed. Readers of what keeps no such times lack it. */
  modified?(source: S, column: string, signal?: AbortSignal): Promise<Modified>
  /**
   * The rows, page by page: memory is bounded by one page. Values are those of domain/column.ts, unchecked but for what `isTyped` says. Stops when `signal` aborts. `told` hears which way it
   * reads and why, where there is a choice: once for each choice, behind "by".
   */
  read(source: S, request: ReadRequest, signal: AbortSignal, told?: (way: string) => void): AsyncIterable<Page>
  /** The same rows as `read` gives, column by column, checked for what their columns can't hold (`row`): for copies that look at no row. Ends early when `signal` aborts. */
  bulk?(source: S, request: ReadRequest, signal: AbortSignal, told?: (way: string) => void): AsyncIterable<VectorPage>
  /**
   * Of a source that is read by its changes: the part that is read next after `mark` (null: everything). `to` is no later than the begin of every transaction that is still open, so that no row
   * with an earlier time can come later. Throws `row` if the column holds NULL, or if the source is behind the mark.
   */
  window?(source: S, mark: Mark | null, signal?: AbortSignal): Promise<Window>
  /** What `read` executes, as text for `plan`: SQL, or a sentence. */
  text(source: S, request: ReadRequest): string
  /** Ends what reads of a run hold open for each other: a session, a common snapshot. May be repeated; never throws. */
  end?(): Promise<void>
}

/** One reader a kind of source: a new kind does not compile until it has one. */
export type Readers = { readonly [K in Source['kind']]: Reader<Extract<Source, { kind: K }>> }

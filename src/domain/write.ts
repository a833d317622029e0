import { EtlError } from './error.ts'

/**
 * How earlier versions are kept: their rows beside the table for so many days; a snapshot of the table after each publication, which costs only what
 * differs, for so many days; or not at all.
 */
type History =
  | { readonly kind: 'rows'; readonly days: number }
  | { readonly kind: 'snapshot'; readonly days: number }
  | { readonly kind: 'none' }

/** The result replaces the table. */
export type Replace = {
  readonly mode: 'replace'
  readonly history: History
  /** A table of more bytes is not replaced. */
  readonly maxReplaceBytes: number
}

/** The result replaces the slices that were due: one value of the DATE column each. */
export type Partition<C extends string = string> = {
  readonly mode: 'partition'
  readonly column: C
  /** The newest so many slices are always done again: late rows. */
  readonly recompute: number
  readonly maxSlices: number
  /** Slices that the source has changed since they were read: done again, or left as they are. */
  readonly late: 'again' | 'ignored'
  readonly history: History
}

/** The result is added; the table is its own history. */
export type Append = { readonly mode: 'append'; readonly history: History }

/** Which rows of the table go: none, those whose key the result lacks, or those of the result in whose column `when` it says true. */
export type Deletes<C extends string = string> = 'none' | 'missing' | { readonly when: C }

/** The result changes the rows of the same key, adds new ones, and may delete. */
export type Merge<C extends string = string> = {
  readonly mode: 'merge'
  readonly history: History
  readonly deletes: Deletes<C>
}

/** How a result changes the target. */
export type WriteMode = Replace | Partition | Append | Merge

/** `history`: how long earlier versions can be read, or 'none'; '90 days' if left out. */
export type HistoryOption = { readonly history?: `${number} days` | 'none' }

/** GB as the price list counts them. */
const gigabyte = 2 ** 30

/**
 * Every run replaces the whole table. `history: 'snapshot'` keeps versions as snapshots of the table: cheaper for large ones. A table of more than
 * `maxReplaceBytes` (100 GB) is refused by the plan: every run writes all of it.
 * @throws EtlError `pipeline`.
 */
export function replace(
  options: { readonly history?: `${number} days` | 'none' | 'snapshot'; readonly maxReplaceBytes?: number } = {},
): Replace {
  const { maxReplaceBytes = 100 * gigabyte } = options
  if (!Number.isSafeInteger(maxReplaceBytes) || maxReplaceBytes < 1)
    throw new EtlError('pipeline', `maxReplaceBytes: ${maxReplaceBytes} is no number of bytes.`)
  return { mode: 'replace', history: historyOf(options.history), maxReplaceBytes }
}

/**
 * Every run does the slices that the ledger lacks, and the newest `recompute` (1 if left out) again, at most `maxSlices` (4000: BigQuery's
 * limit of partitions a job); all of them are published at once as one version. `late: 'ignored'` leaves older slices alone though the source has changed them
 * since: for one that writes all its partitions anew every night.
 * @throws EtlError `pipeline`.
 */
export function partition<const C extends string>(
  column: C,
  options: { readonly recompute?: number; readonly maxSlices?: number; readonly late?: Partition['late'] } & HistoryOption = {},
): Partition<C> {
  const { recompute = 1, maxSlices = 4000, late = 'again' } = options
  if (!Number.isInteger(recompute) || recompute < 0)
    throw new EtlError('pipeline', `recompute: ${recompute} is no number of slices.`)
  if (!Number.isInteger(maxSlices) || maxSlices < 1 || maxSlices > 4000)
    throw new EtlError('pipeline', `maxSlices: ${maxSlices} is not between 1 and 4000.`)
  if (maxSlices <= recompute)
    throw new EtlError(
      'pipeline',
      `maxSlices: ${maxSlices} leaves no room beside recompute: ${recompute}: what is missing would wait for ever.`,
    )
  if (late !== 'again' && late !== 'ignored')
    throw new EtlError('pipeline', `late: ${JSON.stringify(late)} is not known.`, { hint: "write 'again' or 'ignored'" })
  return { mode: 'partition', column, recompute, maxSlices, late, history: historyOf(options.history) }
}

/** Every run adds its result: one version beside the others in one table, which is its own history. */
export function append(): Append {
  return { mode: 'append', history: { kind: 'none' } }
}

/**
 * Every run changes rows by the target row's key: what is equal stays as it is, with its version. `deletes`: 'none' (left out) keeps rows whose key the result
 * lacks; 'missing' deletes them, since the result is the whole truth; `{ when: 'slettet' }` deletes the rows whose BOOL column of that name is true.
 * @throws EtlError `pipeline`.
 */
export function merge<const C extends string = never>(options: { readonly deletes?: Deletes<C> } & HistoryOption = {}): Merge<C> {
  const { deletes = 'none' } = options
  if (deletes !== 'none' && deletes !== 'missing' && typeof (deletes as { when?: unknown }).when !== 'string')
    throw new EtlError('pipeline', `deletes: ${JSON.stringify(deletes)} is not known.`, {
      hint: "write 'none', 'missing' or { when: 'column' }",
    })
  return { mode: 'merge', history: historyOf(options.history), deletes }
}

/** Does this write mode keep rows of earlier versions in a table of its own? */
export function keepsRows(write: WriteMode): boolean {
  return write.history.kind === 'rows'
}

function historyOf(text: string = '90 days'): History {
  if (text === 'none') return { kind: 'none' }
  if (text === 'snapshot') return { kind: 'snapshot', days: 90 }
  const count = Number(/^(\d+) days$/.exec(text)?.[1])
  if (!Number.isInteger(count) || count < 1)
    throw new EtlError('pipeline', `history: ${JSON.stringify(text)} is no length.`, { hint: "write it like '400 days'" })
  return { kind: 'rows', days: count }
}

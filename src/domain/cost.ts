import type { WriteMode } from './write.ts'

/**
 * What BigQuery asks for a TiB that a query reads, in USD: the list price of on-demand analysis (cloud.google.com/bigquery/pricing, 'On-demand compute pricing',
 * read 2026). Regions differ a little, the first TiB of a month is free, and whoever has reserved slots pays otherwise.
 */
export const usdPerTiB = 6.25

/** BigQuery: Pricing: "rounded up to the nearest MB, with a minimum 10 MB data processed per table referenced by the query". Bytes. */
export const leastBilled = 10 * 2 ** 20
const megabyte = 2 ** 20
const tebibyte = 2 ** 40

/**
 * Tables that a publication's small statements name, each once: the head and the ledger when the run looks how things stand, the stage when it is counted, the
 * head four times and the ledger once in the publish script. Each costs the least that there is.
 */
const smallTables = 8

/** What is known before a run. Bytes; null where nobody knows. */
export type Sizes = {
  /** Bytes that each query over the sources reads, by a dry run. */
  readonly reads: readonly (number | null)[]
  /** The target as it is, and its rows; null before the first publication. */
  readonly target: { readonly bytes: number; readonly rows: number } | null
  /** Rows of the last version. */
  readonly lastRows: number | null
  /** Does the merge copy the whole table into its history this time? */
  readonly baseline: boolean
}

/** Bytes billed and USD of one run and of a month, at list price. What is unknown is counted as nothing, and `complete` is false. */
export type Cost = {
  readonly readBytes: number
  readonly publishBytes: number
  readonly usd: number
  readonly usdMonth: number
  readonly runsMonth: number
  readonly complete: boolean
}

/** The cost of a run of this write mode. The result is taken to be as large as the last one. */
export function costOf(write: WriteMode, sizes: Sizes, runsMonth: number): Cost {
  const readBytes = sizes.reads.reduce<number>((sum, bytes) => sum + billed(bytes ?? 0), 0)
  const publishBytes = publishedBytes(write, sizes)
  const usd = usdOf(readBytes + publishBytes)
  return {
    readBytes,
    publishBytes,
    usd,
    usdMonth: usd * runsMonth,
    runsMonth,
    complete: sizes.target !== null && !sizes.reads.includes(null),
  }
}

/**
 * TRUNCATE and a DELETE of whole partitions read nothing, nor does a snapshot (BigQuery: TRUNCATE TABLE; Using DML with partitioned tables; Table snapshots).
 * The audit and each INSERT read the stage; MERGE reads the table too.
 */
function publishedBytes(write: WriteMode, { target, lastRows, baseline }: Sizes): number {
  const small = smallTables * leastBilled
  if (target === null) return small
  const stage = target.rows === 0 ? 0 : Math.min(1, (lastRows ?? target.rows) / target.rows) * target.bytes
  const audit = billed(stage)
  const intoTable = billed(stage)
  const intoHistory = write.history.kind === 'rows' ? billed(stage) : 0
  if (write.mode !== 'merge') return small + audit + intoTable + intoHistory
  const whole = billed(target.bytes)
  const missing = write.deletes === 'missing' ? whole + billed(stage) : 0
  return small + audit + intoTable + whole + intoHistory + missing + (baseline && write.history.kind === 'rows' ? whole : 0)
}

/** The bytes that are billed for so many bytes of one table. */
export function billed(bytes: number): number {
  return Math.max(leastBilled, Math.ceil(bytes / megabyte) * megabyte)
}

/** USD at list price. */
export function usdOf(bytes: number): number {
  return (bytes / tebibyte) * usdPerTiB
}

/**
 * Why a table is too large to be replaced, as a sentence and a way out; undefined if it is not.
 */
export function tooLarge(
  write: WriteMode,
  target: Sizes['target'],
  runsMonth: () => number,
): { readonly problem: string; readonly hint: string } | undefined {
  if (write.mode !== 'replace' || target === null || target.bytes <= write.maxReplaceBytes) return undefined
  const { usdMonth } = costOf(
    { ...write, history: { kind: 'snapshot', days: 1 } },
    { ...nothing, target, lastRows: target.rows },
    runsMonth(),
  )
  return {
    problem: `has ${sizeText(target.bytes)}, and replace writes all of it in every run (maxReplaceBytes: ${sizeText(write.maxReplaceBytes)}).`,
    hint: `use partition, or set history: 'snapshot' and raise maxReplaceBytes: ≈ ${usdText(usdMonth)} a month`,
  }
}

const nothing = { reads: [], baseline: false }

/** Bytes for people, in steps of a thousand: 12 B, 3.4 GB. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  return `${value >= 100 || step === 0 ? Math.round(value) : value.toFixed(1)} ${units[step]}`
}

/** USD for people: two digits, and no more than four behind the point. */
export function usdText(usd: number): string {
  if (usd < 0.0001) return usd === 0 ? '0 USD' : 'under 0.0001 USD'
  return `${usd >= 10 ? Math.round(usd) : Number(usd.toPrecision(2))} USD`
}

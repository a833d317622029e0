import type { Name } from './env.ts'
import { EtlError } from './error.ts'
import type { RowSchema, Shape } from './row.ts'

/** Where the result goes: a table of a dataset that nais provisions. */
export type Target<S extends Shape = Shape> = {
  readonly dataset: Name
  readonly table: string
  readonly row: RowSchema<S>
  readonly description?: string
  readonly clusterBy?: readonly string[]
}

export type TableOptions<S extends Shape> = {
  /** Told to BigQuery and the marketplace. */
  readonly description?: string
  /** At most four columns; the key without the partition column if left out. */
  readonly clusterBy?: readonly (keyof S & string)[]
}

/** Names a dataset of the job's own project; nais makes it from naisjob.yaml. */
export function dataset(name: Name): {
  table<S extends Shape>(table: string, row: RowSchema<S>, options?: TableOptions<S>): Target<S>
} {
  for (const text of typeof name === 'string' ? [name] : Object.values(name.names)) {
    // nais: spec.gcp.bigQueryDatasets[].name
    if (!/^[a-z0-9][a-z0-9_]+$/.test(text))
      throw new EtlError('pipeline', `dataset ${JSON.stringify(text)}: nais takes lower case letters, digits and _ only.`)
    if (text.startsWith('datastream_'))
      throw new EtlError('pipeline', `dataset ${text} is a landing zone of Datastream, not a place to publish.`, {
        hint: 'choose a dataset of your own',
      })
  }
  return {
    table(table, row, options = {}) {
      if (!/^[A-Za-z0-9_]{1,200}$/.test(table))
        throw new EtlError('pipeline', `table ${JSON.stringify(table)}: use letters, digits and _.`)
      const reserved = row.columns.find(column => ['version', '_op'].includes(column.name.toLowerCase()))
      if (reserved !== undefined)
        throw new EtlError(
          'pipeline',
          `column ${reserved.name} of ${table} is ours: every published row has its version there.`,
          { hint: 'rename yours' },
        )
      return { dataset: name, table, row, ...options }
    },
  }
}

/** The result replaces the table. */
export type Replace = { readonly mode: 'replace'; readonly historyDays: number }

/** The result replaces the slices that were due: one value of the DATE column each. */
export type Partition<C extends string = string> = {
  readonly mode: 'partition'
  readonly column: C
  /** The newest so many slices are always done again: late rows. */
  readonly recompute: number
  readonly maxSlices: number
  readonly historyDays: number
}

/** How a result changes the target. (`append` and `merge` come later.) */
export type WriteMode = Replace | Partition

/** `history`: how long earlier versions can be read; '90 days' if left out. */
export type HistoryOption = { readonly history?: `${number} days` }

/** Every run replaces the whole table. */
export function replace(options: HistoryOption = {}): Replace {
  return { mode: 'replace', historyDays: days(options.history) }
}

/**
 * Every run does the slices that the ledger lacks, and the newest `recompute` (1 if left out) again, at most `maxSlices` (4000: BigQuery's
 * limit of partitions a job); all of them are published at once as one version.
 */
export function partition<const C extends string>(
  column: C,
  options: { readonly recompute?: number; readonly maxSlices?: number } & HistoryOption = {},
): Partition<C> {
  const { recompute = 1, maxSlices = 4000 } = options
  if (!Number.isInteger(recompute) || recompute < 0)
    throw new EtlError('pipeline', `recompute: ${recompute} is no number of slices.`)
  if (!Number.isInteger(maxSlices) || maxSlices < 1 || maxSlices > 4000)
    throw new EtlError('pipeline', `maxSlices: ${maxSlices} is not between 1 and 4000.`)
  if (maxSlices <= recompute)
    throw new EtlError(
      'pipeline',
      `maxSlices: ${maxSlices} leaves no room beside recompute: ${recompute}: what is missing would wait for ever.`,
    )
  return { mode: 'partition', column, recompute, maxSlices, historyDays: days(options.history) }
}

function days(text = '90 days'): number {
  const count = Number(/^(\d+) days$/.exec(text)?.[1])
  if (!Number.isInteger(count) || count < 1)
    throw new EtlError('pipeline', `history: ${JSON.stringify(text)} is no length.`, { hint: "write it like '400 days'" })
  return count
}

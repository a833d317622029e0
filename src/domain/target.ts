import type { Name } from './env.ts'
import { EtlError } from './error.ts'
import type { DateColumn, RowSchema, Shape } from './row.ts'

/** Where the result goes: a table of a dataset that nais provisions. */
export type Target<S extends Shape = Shape, K extends string = string> = {
  readonly dataset: Name
  readonly table: string
  readonly row: RowSchema<S, K>
  readonly description?: string
  readonly clusterBy?: readonly string[]
  readonly partitionBy?: string
}

export type TableOptions<S extends Shape> = {
  /** Told to BigQuery and the marketplace. */
  readonly description?: string
  /** At most four columns; the key without the partition column if left out. */
  readonly clusterBy?: readonly (keyof S & string)[]
  /** A required DATE column: one partition a day. The write mode `partition` names its own. */
  readonly partitionBy?: { [N in keyof S]: S[N] extends DateColumn ? N : never }[keyof S] & string
}

/** Names a dataset of the job's own project; nais makes it from naisjob.yaml. */
export function dataset(name: Name): {
  table<S extends Shape, K extends string>(table: string, row: RowSchema<S, K>, options?: TableOptions<S>): Target<S, K>
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

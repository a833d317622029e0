import { type Changes, type Length, lengthOf, type SourceDeletes } from './changes.ts'
import type { Name } from './env.ts'
import { EtlError } from './error.ts'
import type { Pg } from './pg.ts'
import type { CompileError, RowSchema, Shape } from './row.ts'
import type { Decimals, ExternalSource, PostgresSource } from './source.ts'

/** A source that can be read by its changes. */
type Changeable<Made, S extends Shape> = Made & {
  /**
   * Reads only rows whose `column` says that they were changed since the last version, and no later than every transaction that is still open. Each run reads `overlap` again
   * ('15 min' if left out): rows are merged by their key. `deletes` says how the target learns of rows that the source deletes.
   * @throws EtlError `pipeline`.
   */
  changedBy<const C extends string, const D extends SourceDeletes>(
    column: C & WatermarkOf<S, C>,
    options: { readonly overlap?: Length; readonly deletes: D },
  ): Omit<Made, 'changes'> & { readonly changes: Changes<C, D> }
}

type WatermarkOf<S extends Shape, C extends string> = C extends keyof S
  ? S[C] extends { readonly _zod: { readonly def: { readonly format: 'bq.timestamp' | 'bq.datetime' } } }
    ? C
    : CompileError<'changedBy takes a column that is bq.timestamp() or bq.datetime(), and not nullable: NULL would never be read'>
  : CompileError<'changedBy takes a column of the row'>

/**
 * Reads a Postgres with the job's own connection: `` postgres(Sak, 'SAK_DB', pg`SELECT … FROM sak`) ``. `database` is what the environment variables of
 * its address begin with (nais: `envVarPrefix`).
 * @throws EtlError `pipeline`.
 */
export function postgres<S extends Shape>(row: RowSchema<S>, database: string, query: Pg): Changeable<PostgresSource<S>, S> {
  if (!/^[A-Z][A-Z0-9_]*$/.test(database))
    throw new EtlError('pipeline', `${JSON.stringify(database)} is no prefix of environment variables.`, {
      hint: "write it in capitals, as naisjob.yaml's envVarPrefix: 'SAK_DB' for SAK_DB_URL",
    })
  return changeable({ kind: 'postgres', row, database, query, changes: null })
}

/**
 * Reads a Postgres through a connection of BigQuery's (EXTERNAL_QUERY): `` external(Row, 'nada', pg`SELECT …`) ``. The connection is `name` or `location.name` in the job's own project, or
 * `project.location.name`. `decimals` says what a `numeric` becomes; NUMERIC if left out, and a value that has no place in it stops the run.
 * @throws EtlError `pipeline`.
 */
export function external<S extends Shape>(
  row: RowSchema<S>,
  connection: Name,
  query: Pg,
  options: { readonly decimals?: Decimals } = {},
): Changeable<ExternalSource<S>, S> {
  for (const name of typeof connection === 'string' ? [connection] : Object.values(connection.names)) {
    if (!/^(([a-z][a-z0-9.:-]*\.)?[a-z][a-z0-9-]*\.)?[A-Za-z0-9_-]+$/.test(name))
      throw new EtlError('pipeline', `${JSON.stringify(name)} is no connection.`, {
        hint: "write 'name', 'location.name' or 'project.location.name'",
      })
  }
  return changeable({ kind: 'external', row, connection, query, decimals: options.decimals ?? 'numeric', changes: null })
}

function changeable<Made extends PostgresSource | ExternalSource, S extends Shape>(made: Made): Changeable<Made, S> {
  return Object.freeze({
    ...made,
    changedBy(column: string, { overlap = '15 min', deletes }: { readonly overlap?: Length; readonly deletes: SourceDeletes }) {
      const found = made.row.columns.find(({ name }) => name === column)
      if (found === undefined) throw new EtlError('pipeline', `changedBy: ${column} is no column of the row.`)
      if (!['TIMESTAMP', 'DATETIME'].includes(found.type) || found.mode !== 'REQUIRED')
        throw new EtlError('pipeline', `changedBy: ${column} must be bq.timestamp() or bq.datetime(), and not nullable.`, {
          hint: 'a row whose column is NULL would never be read: coalesce it in the query',
        })
      if (!['none', 'soft', 'compare-keys'].includes(deletes))
        throw new EtlError('pipeline', `changedBy: deletes: ${JSON.stringify(deletes)} is not known.`, {
          hint: "say 'none' (rows are never deleted), 'soft' (a column says so) or 'compare-keys' (each run reads all keys)",
        })
      return Object.freeze({ ...made, changes: { column, overlap: lengthOf(overlap), deletes } })
    },
  }) as unknown as Changeable<Made, S>
}

import { refuseDuplicates, resultNames } from '../../googlesql/columns.ts'
import type { Value } from '../../googlesql/field.ts'
import { child, children, type Node, text } from '../../googlesql/tree.ts'
import { fieldOf } from '../../googlesql/types.ts'
import { BigQueryError, type Field } from '../contract.ts'
import { byName, evaluable, foldConstants } from './constants.ts'
import { type Batch, eachBatch } from './content.ts'
import { beyondCast } from './lower/cast.ts'
import { type Lowering, NotLowered } from './lower/grammar.ts'
import { lowerQuery, lowerScan } from './lower/scan.ts'
import { requirePartitionFilter } from './partition.ts'
import { keepQuery, keepRows, type Results } from './results.ts'
import { asBigQueryError, type Prepared, type Session } from './session.ts'
import { onSnapshot, unlessStopped } from './transaction.ts'

/** The rows of a query, not run yet: as DuckDB's text, or batch by batch from the evaluator (where the first way fails, the second may do). */
export type Source = { readonly sql?: string; readonly evaluate: (each: EachRows) => Promise<void> }
type EachRows = (rows: readonly (readonly Value[])[]) => Promise<void>

/** The columns of a query's result, under the names that BigQuery gives them. Throws BigQueryError. */
export function schemaOf(resolved: Node, naming: (columns: readonly Field[]) => Field[] = resultNames): Field[] {
  if (resolved.isValueTable === true)
    throw new BigQueryError(
      'notImplemented',
      'SELECT AS STRUCT and AS VALUE at the top of a query are not supported by the local BigQuery. Select the columns one by one.',
      'query',
    )
  try {
    return naming(
      children(resolved, 'outputColumnList').map(output =>
        fieldOf(text(output, 'name'), child(child(output, 'column') ?? {}, 'type') ?? {}),
      ),
    )
  } catch (error) {
    throw asBigQueryError(error)
  }
}

/** What the words of a prepared statement mean, its constant parts worked out. */
export async function loweringOf(session: Session, prepared: Prepared, now: string): Promise<Lowering> {
  return {
    tables: prepared.tables,
    parameters: byName(session.parameters),
    variables: session.variables,
    now,
    constants: await foldConstants(session, prepared, now),
    rowCount: session.rowCount,
    scan: lowerScan,
  }
}

/** Where the rows of an analysed query come from: DuckDB inside the closed grammar, the evaluator outside it. Throws BigQueryError. */
export async function sourceOf(session: Session, prepared: Prepared, schema: readonly Field[], now: string): Promise<Source> {
  requirePartitionFilter(prepared)
  const lowering = await loweringOf(session, prepared, now)
  try {
    const sql = lowerQuery(
      child(prepared.resolved, 'query') ?? {},
      children(prepared.resolved, 'outputColumnList'),
      schema,
      lowering,
    )
    return { sql, evaluate: evaluationOf(session, prepared, now, 'a CAST of these texts') }
  } catch (error) {
    if (!(error instanceof NotLowered)) throw error
    return { evaluate: evaluationOf(session, prepared, now, error.part) }
  }
}

/** All rows of a source that is evaluated, at once. */
export async function allRows(source: Source): Promise<(readonly Value[])[]> {
  const all: (readonly Value[])[] = []
  await source.evaluate(async rows => {
    for (const row of rows) all.push(row)
  })
  return all
}

/** Google's evaluator as the source of a query's rows, batch by batch; `part` is what keeps the query from DuckDB. */
export function evaluationOf(session: Session, prepared: Prepared, now: string, part: string): Source['evaluate'] {
  const sql = evaluable(prepared, now, session.rowCount)
  return each => {
    const work = async ({ content }: Batch) =>
      each((await unlessStopped(session, session.google.query(sql, prepared.scope, content))).rows)
    return onSnapshot(session, () => eachBatch(session, prepared, part, work)).catch(error => {
      throw asBigQueryError(error)
    })
  }
}

/** Runs an analysed query and keeps its rows. */
export async function runQuery(session: Session, prepared: Prepared, now: string): Promise<Results & { schema: Field[] }> {
  const schema = schemaOf(prepared.resolved)
  refuseDuplicates(schema)
  const source = await sourceOf(session, prepared, schema, now)
  if (source.sql === undefined) return { schema, ...(await keepRows(session.store, schema, source.evaluate)) }
  const inTransaction = session.isolated
  try {
    return { schema, ...(await keepQuery(session.store, session.catalogue.connection, inTransaction, schema, source.sql)) }
  } catch (error) {
    // Within a transaction DuckDB has given up the whole of it by now.
    if (inTransaction || !(error instanceof Error) || !error.message.includes(beyondCast)) throw error
    return { schema, ...(await keepRows(session.store, schema, source.evaluate)) }
  }
}

import { randomBytes } from 'node:crypto'
import { child, type Node, rangeOf } from '../../googlesql/tree.ts'
import { BigQueryError, type TableMeta } from '../contract.ts'
import { quoted, rowsOf } from '../duck.ts'
import { physicalType } from '../types.ts'
import { refuseRowid } from './content.ts'
import type { Changes } from './dml.ts'
import { type Lowering, NotLowered } from './lower/grammar.ts'
import { lowerScan, type Scan } from './lower/scan.ts'
import { lowerMerge } from './mergeplan.ts'
import { requirePartitionFilter } from './partition.ts'
import { evaluationOf, loweringOf, schemaOf } from './query.ts'
import { append } from './results.ts'
import type { SqlStatement } from './script.ts'
import { matchedTwice, type Prepared, prepare, type Session } from './session.ts'
import { targetOf } from './target.ts'

/**
 * Runs a MERGE in DuckDB, step by step in temporary tables: the source's rows, then which of them meets which row of the target and the first WHEN
 * clause that applies, then each clause on its rows. A source outside the closed grammar comes from the evaluator; the rest of the statement may not
 * be outside: throws notImplemented.
 *
 * A row that would be updated or deleted twice is a run-time error (`matchedTwice`). Whether matches count that no WHEN clause applies to, the
 * documentation doesn't say: here they don't.
 */
export async function merge(session: Session, statement: SqlStatement, prepared: Prepared, now: string): Promise<Changes> {
  const table = targetOf(prepared)
  requirePartitionFilter(prepared)
  refuseRowid(table)
  const { connection } = session.catalogue
  const name = `merge_${randomBytes(6).toString('hex')}`
  const temporary = (part: string) => quoted('temp', 'main', `${name}_${part}`)
  const names = { source: temporary('source'), pairs: temporary('pairs'), evaluated: temporary('evaluated') }
  try {
    const { resolved, lowering, scan, fill } = await sourceOf(session, statement, prepared, now, names.evaluated)
    const plan = lowered(() => lowerMerge(resolved, table, scan, names, lowering))
    await fill()
    for (const step of plan.steps) await connection.run(step)
    const [twice] = await rowsOf(connection, plan.check)
    if (twice !== undefined) throw new BigQueryError('invalidQuery', matchedTwice, 'query')
    const changes = { inserted: 0, updated: 0, deleted: 0 }
    const counts = new Map((await rowsOf(connection, plan.counts)).map(({ clause, n }) => [Number(clause), Number(n)]))
    for (const [index, { kind }] of plan.clauses.entries()) changes[kind] += counts.get(index) ?? 0
    if (changes.updated + changes.deleted > 0) await connection.run(plan.removal)
    for (const [index, { add }] of plan.clauses.entries()) if (add !== undefined && counts.has(index)) await connection.run(add)
    return { table, ...changes }
  } finally {
    for (const each of Object.values(names)) await connection.run(`DROP TABLE IF EXISTS ${each}`).catch(() => undefined)
  }
}

type Source = { readonly resolved: Node; readonly lowering: Lowering; readonly scan: Scan; readonly fill: () => Promise<void> }

/** The source in DuckDB's words; one that the evaluator works out stands in a table, which `fill` fills. */
async function sourceOf(
  session: Session,
  statement: SqlStatement,
  prepared: Prepared,
  now: string,
  evaluated: string,
): Promise<Source> {
  const lowering = await loweringOf(session, prepared, now)
  const from = (resolved: Node) => child(resolved, 'fromScan') ?? {}
  try {
    return { resolved: prepared.resolved, lowering, scan: lowerScan(from(prepared.resolved), lowering), fill: async () => {} }
  } catch (error) {
    if (!(error instanceof NotLowered)) throw error
    const query = child(child(statement.node, 'tableExpression') ?? {}, 'subquery')
    const range = rangeOf(query ?? {})
    if (query === undefined || range === undefined) throw refused(error.part)
    const selected = await prepare(session, query, range)
    const schema = schemaOf(selected.resolved)
    const { connection } = session.catalogue
    await connection.run(
      `CREATE TEMP TABLE ${evaluated} (${schema.map(field => `${quoted(field.name)} ${physicalType(field)}`).join(', ')})`,
    )
    const rows: TableMeta = { ...nowhere, physical: evaluated, schema }
    const replaced = await prepare(session, statement.node, statement.range, { instead: { range, table: rows } })
    const again = await loweringOf(session, replaced, now)
    return {
      resolved: replaced.resolved,
      lowering: again,
      scan: lowered(() => lowerScan(from(replaced.resolved), again)),
      fill: () => evaluationOf(session, selected, now, error.part)(batch => append(connection, evaluated, schema, batch)),
    }
  }
}

const nowhere = {
  ref: { project: '', dataset: '', table: 'the source of MERGE' },
  kind: 'TABLE',
  etag: '',
  createdAt: 0,
  modifiedAt: 0,
} as const

function lowered<T>(lower: () => T): T {
  try {
    return lower()
  } catch (error) {
    throw error instanceof NotLowered ? refused(error.part) : error
  }
}

function refused(part: string): BigQueryError {
  return new BigQueryError(
    'notImplemented',
    `The local BigQuery can't run this MERGE: outside of a query in USING it takes columns, constants, comparisons, IS [NOT] DISTINCT FROM (also of TO_JSON_STRING), AND, OR, CASE, IF, arithmetic and common functions, but not this: ${part}. Work it out in the USING query, or try this on BigQuery itself.`,
    'query',
  )
}

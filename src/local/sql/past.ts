import { tableUses } from '../../googlesql/tables.ts'
import { child, type Node, rangeOf, walk } from '../../googlesql/tree.ts'
import { BigQueryError } from '../contract.ts'
import { nameOf } from '../names.ts'
import { timestampMicros } from '../temporal.ts'
import { evaluateExpression } from './expressions.ts'
import { resolve } from './names.ts'
import type { SqlStatement } from './script.ts'
import type { Session } from './session.ts'
import { currentTimestamp } from './transaction.ts'

/** Whether a SELECT reads a table as of a moment. */
export function readsPast(session: Session, { node }: SqlStatement): boolean {
  return tableUses(node, session.paths).some(({ past }) => past !== undefined)
}

/**
 * No rows of the past are kept here. A table that nobody has written to since a moment is what it was then: BigQuery, Access historical data: FOR SYSTEM_TIME AS OF "references the version of
 * the table that was current at that timestamp". Of any other the service's own refusal is given, as if the time travel window began with the last write. To be called within the snapshot that
 * the rows are read from. Throws BigQueryError.
 */
export async function checkPast(session: Session, { node }: SqlStatement): Promise<void> {
  if (session.transaction !== undefined) throw refused('FOR SYSTEM_TIME AS OF within a transaction')
  const points = new Map<string, bigint | undefined>()
  for (const { path, past } of tableUses(node, session.paths)) {
    const table = await session.catalogue.find(resolve(path, session.request.project, session.request.defaultDataset))
    // That it isn't there, the statement itself will say.
    if (table === undefined) continue
    const at = past === undefined ? undefined : await momentOf(session, past)
    // BigQuery: Query syntax: "A single query statement can't reference a single table at more than one point in time, including the current time."
    if (points.has(table.physical) && points.get(table.physical) !== at)
      throw invalid(`Table ${nameOf(table.ref)} is referenced at more than one point in time`)
    points.set(table.physical, at)
    if (at === undefined) continue
    const says = (why: string) =>
      invalid(`Invalid snapshot time ${at / 1000n} for table ${nameOf(table.ref)}@${at / 1000n}. ${why}`)
    const now = timestampMicros(currentTimestamp()) ?? 0n
    if (at > now) throw says(`Cannot read after ${now / 1000n}.`)
    const since = await session.catalogue.kept.writes.unchangedSince(table.physical)
    if (at < BigInt(since) * 1000n)
      throw says(
        `Cannot read before ${since}. The local BigQuery keeps no rows of the past: only what is the same now can be read.`,
      )
  }
}

async function momentOf(session: Session, clause: Node): Promise<bigint> {
  const node = child(clause, 'expression') ?? {}
  const range = rangeOf(node) ?? { start: 0, end: 0 }
  // BigQuery: Query syntax: the expression "must be a constant expression. It can't contain […] Subqueries".
  if ([...walk(node)].some(each => child(each, 'query') !== undefined))
    throw invalid('FOR SYSTEM_TIME AS OF expression must be a constant expression')
  const [value, { type }] = await evaluateExpression(session, { node, range }, undefined)
  // A text without a zone would be a time in Los Angeles there.
  if (type !== 'TIMESTAMP') throw refused(`FOR SYSTEM_TIME AS OF a value of type ${type}`, "Write it as TIMESTAMP '…'")
  const at = typeof value === 'string' ? timestampMicros(value) : undefined
  if (at === undefined) throw invalid('FOR SYSTEM_TIME AS OF expression must not be NULL')
  return at
}

const invalid = (message: string) => new BigQueryError('invalidQuery', message, 'query')

function refused(what: string, next = 'Read the table as it is now, or try this on BigQuery itself'): BigQueryError {
  return new BigQueryError('notImplemented', `${what} is not supported by the local BigQuery. ${next}.`, 'query')
}

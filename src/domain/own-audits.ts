import type { AnyRow, Column, Value } from './column.ts'
import { EtlError } from './error.ts'
import { literal } from './literal.ts'
import { type Sql, sqlText } from './sql.ts'

/** What an author's audit may name: the staged rows as the target would have them, and what the target holds now. */
export type AuditTable = 'result' | 'current'

/** An author's own audits by name: each a query that must give no row. */
export type Audits = Readonly<Record<string, Sql<AuditTable>>>

/**
 * Checks what the compiler could not see.
 * @throws EtlError `pipeline` for an audit without a name, or of other tables.
 */
export function checkAudits(audits: Audits): Audits {
  for (const [name, { names }] of Object.entries(audits)) {
    if (name.trim() === '') throw new EtlError('pipeline', 'audits: an audit has no name.', { hint: 'say what it promises' })
    const odd = (names as readonly string[]).find(each => each !== 'result' && each !== 'current')
    if (odd === undefined && names.includes('result')) continue
    const problem = odd === undefined ? 'does not look at the result' : `names ${odd}`
    throw new EtlError('pipeline', `audits: ${JSON.stringify(name)} ${problem}.`, {
      hint: "an audit selects rows of 'result' that should not be; 'current' is what the table holds now",
    })
  }
  return audits
}

/** The tables that the audits name. */
export function tablesOf(audits: Audits): readonly AuditTable[] {
  const named = new Set(Object.values(audits).flatMap(audit => audit.names))
  return (['result', 'current'] as const).filter(name => named.has(name))
}

/** One query for all of them: how many rows each gives. `tables` stands in front: the `WITH` that says what they name, or nothing. */
export function ownAuditsSql(audits: Audits, tables: string): string {
  const each = Object.values(audits).map((audit, index) => `SELECT ${index} AS audit, COUNT(*) AS n FROM (\n${bare(audit)}\n)`)
  return `${tables}${each.join('\nUNION ALL\n')}`
}

/** The rows that one of them gives, at most `limit`. */
export function ownRowsSql(audit: Sql, tables: string, limit: number): string {
  return `${tables}SELECT * FROM (\n${bare(audit)}\n)\nLIMIT ${literal.number(String(limit))}`
}

/** The audits that gave rows, by the answer to `ownAuditsSql`. */
export function refusing(audits: Audits, rows: readonly AnyRow[]): readonly { readonly name: string; readonly rows: number }[] {
  const counts = new Map(rows.map(row => [Number(row.audit), Number(row.n)]))
  return Object.keys(audits).flatMap((name, index) => {
    const n = counts.get(index)
    if (n === undefined) throw new EtlError('bug', `the audit ${JSON.stringify(name)} answered nothing.`)
    return n === 0 ? [] : [{ name, rows: n }]
  })
}

/** What an audit of the author's found, as a sentence; without `examples`, no value of a row. */
export function ownProblem(
  { name, rows }: { readonly name: string; readonly rows: number },
  columns: readonly Pick<Column, 'name'>[],
  examples: readonly AnyRow[] | null,
): string {
  const names = columns.map(column => column.name)
  const counted = rows === 1 ? '1 row' : `${rows} rows`
  if (examples === null) return `audit ${JSON.stringify(name)}: ${counted} (${names.join(', ')})`
  const told = examples.map(row => names.map(column => `${column} ${shown(row[column] ?? null)}`).join(', ')).join(' | ')
  return `audit ${JSON.stringify(name)}: ${counted} (${rows > examples.length ? 'for example ' : ''}${told})`
}

/** The author's text as a subquery holds it. */
function bare(audit: Sql): string {
  return sqlText(audit).trim().replace(/;$/, '')
}

function shown(value: Value): string {
  const text =
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : typeof value === 'object' ? json(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function json(value: Value): string {
  return value === null
    ? 'NULL'
    : JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner))
}

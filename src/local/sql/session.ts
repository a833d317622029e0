import type { GoogleSql, Named, Rows, Scope } from '../../googlesql/analyse.ts'
import { cut, type Edit, type Piece } from '../../googlesql/edit.ts'
import { GoogleSqlError } from '../../googlesql/error.ts'
import { quoted as googleQuoted, tableUses } from '../../googlesql/tables.ts'
import { type ByteRange, type Node, rangeOf } from '../../googlesql/tree.ts'
import { BigQueryError, type Catalogue, type Field, type QueryRequest, type Store, type TableMeta } from '../contract.ts'
import { noSuchDataset, noSuchTable } from '../names.ts'
import type { Claim, Conflicts } from './conflicts.ts'
import { type ExternalContext, externalUses } from './external.ts'
import { resolve } from './names.ts'
import { partitionsTable, partitionsView } from './partitionsview.ts'

/** One request while it runs: its connection, its script, and what the statements so far have left behind. */
export type Session = ExternalContext & {
  readonly store: Store
  readonly catalogue: Catalogue
  readonly google: GoogleSql
  readonly conflicts: Conflicts
  readonly request: QueryRequest
  readonly script: Buffer
  /** The paths of all tables that the script names. */
  readonly paths: readonly (readonly string[])[]
  readonly parameters: readonly Named[]
  /** By lower-case name. */
  readonly variables: Map<string, Named>
  transaction: OpenTransaction | undefined
  /** The tables that statements have written to, by their physical names. */
  readonly written: Map<string, TableMeta>
  /** Whether a DuckDB transaction is open on the connection: the script's, or that of a single statement. */
  isolated: boolean
  rowCount: number
}

/** The open transaction of a script. */
type OpenTransaction = { readonly claim: Claim; readonly now: string; lastMutated?: TableMeta }

/** A statement after Google's analyser: its resolved tree, the text that was analysed, and the tables by the names used in it. */
export type Prepared = {
  readonly resolved: Node
  readonly piece: Piece
  readonly tables: ReadonlyMap<string, TableMeta>
  readonly scope: Scope
}

/** What to do to the text before it is analysed: words around it, types that its result is assigned to, and a table in place of one query in it. */
export type Wrapping = {
  readonly before?: string
  readonly after?: string
  readonly targets?: readonly Field[]
  readonly instead?: { readonly range: ByteRange; readonly table: TableMeta }
}

/** Analyses one statement, or expression, against exactly the tables that it names. Throws BigQueryError. */
export async function prepare(session: Session, node: Node, range: ByteRange, wrapping: Wrapping = {}): Promise<Prepared> {
  const tables = new Map<string, TableMeta>()
  const edits: Edit[] = []
  const { instead } = wrapping
  if (instead !== undefined) {
    const name = nameFor(instead.table, tables)
    tables.set(name, instead.table)
    edits.push({ ...instead.range, text: `SELECT * FROM ${googleQuoted(name)}` })
  }
  const isReplaced = ({ start, end }: ByteRange) =>
    instead !== undefined && start >= instead.range.start && end <= instead.range.end
  // Google's analyser doesn't know the function: what it answers is a table like any other by then.
  for (const use of externalUses(session, node)) {
    if (isReplaced(use)) continue
    const meta = await use.read()
    const name = nameFor(meta, tables)
    tables.set(name, meta)
    edits.push(use.edit(name))
  }
  for (const use of tableUses(node, session.paths)) {
    if (isReplaced(use.edit(''))) continue
    const meta = await findTable(session, use.path)
    const name = nameFor(meta, tables)
    tables.set(name, meta)
    edits.push(use.edit(name))
    // The evaluator can't read the past, nor can DuckDB: that the present is the same, past.ts has made sure.
    if (use.past) edits.push({ ...(rangeOf(use.past) ?? range), text: '' })
  }
  const piece = cut(session.script, range, edits, wrapping.before, wrapping.after)
  const scope: Scope = {
    tables: [...tables].map(([name, { schema }]) => ({ name, schema })),
    variables: [...session.variables.values()],
    parameters: session.parameters,
    rowCount: true,
    ...(wrapping.targets && { targets: wrapping.targets }),
  }
  try {
    return { resolved: await session.google.analyse(piece.text, scope), piece, tables, scope }
  } catch (error) {
    throw asBigQueryError(piece.relocate(error))
  }
}

/** Google's error as the service answers it; others as they are. */
export function asBigQueryError(error: unknown): unknown {
  if (!(error instanceof GoogleSqlError)) return error
  // The service writes `at [1:8]` where the library writes `[at 1:8]`.
  const said = error.message.replace(/\[at (\d+:\d+)\]/g, 'at [$1]')
  const message = /^UPDATE with join requires that each row/.test(said) ? matchedTwice : said
  if (error.kind === 'invalid' || error.kind === 'failed') return new BigQueryError('invalidQuery', message, 'query')
  const next =
    error.kind === 'tooLarge'
      ? 'Make the tables smaller, simplify the query, or try this on BigQuery itself.'
      : 'Write it another way, or try this on BigQuery itself.'
  return new BigQueryError('notImplemented', `${sentence(message)} ${next}`, 'query')
}

/**
 * BigQuery: DML syntax, UPDATE, "FROM keyword": "If a row in the table to be updated joins with more than one row from the FROM clause, then the query
 * generates the following runtime error: UPDATE/MERGE must match at most one source row for each target row."
 */
export const matchedTwice = 'UPDATE/MERGE must match at most one source row for each target row'

/** Rows of the tables of a statement, by the names used in it. */
export type Content = ReadonlyMap<string, Rows>

/** The table of a path. Throws notFound, and notImplemented for views. */
async function findTable(session: Session, path: readonly string[]): Promise<TableMeta> {
  const partitions = partitionsView(path, session)
  if (partitions !== undefined) return partitionsTable(session, partitions)
  const ref = resolve(path, session.request.project, session.request.defaultDataset)
  const meta = await session.catalogue.find(ref)
  if (meta === undefined) throw (await session.catalogue.hasDataset(ref)) ? noSuchTable(ref) : noSuchDataset(ref)
  if (meta.kind === 'VIEW') {
    throw new BigQueryError(
      'notImplemented',
      `The local BigQuery can't query views (${ref.dataset}.${ref.table}). Query the tables behind it.`,
      'query',
    )
  }
  return meta
}

// BigQuery has upper and lower case in names of tables, the analyser's catalog hasn't: two tables may need two names here.
function nameFor(meta: TableMeta, taken: ReadonlyMap<string, TableMeta>): string {
  const { project, dataset, table } = meta.ref
  for (let name = `${project}.${dataset}.${table}`; ; name += "'") {
    const other = [...taken].find(([each]) => each.toLowerCase() === name.toLowerCase())
    if (other === undefined || other[1].physical === meta.physical) return other?.[0] ?? name
  }
}

function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1)
  return text.endsWith('.') ? text : `${text}.`
}

import { randomBytes } from 'node:crypto'
import type { Named } from '../../googlesql/analyse.ts'
import type { Edit } from '../../googlesql/edit.ts'
import { quoted as googleQuoted } from '../../googlesql/tables.ts'
import { child, children, type Node, rangeOf, text, walk } from '../../googlesql/tree.ts'
import { BigQueryError, type Catalogue, type QueryRequest, type TableMeta } from '../contract.ts'
import { quoted } from '../duck.ts'
import { type ConnectionRef, connectionName, readConnection } from '../external/connection.ts'
import type { Databases } from '../external/databases.ts'
import { type ExternalResult, readExternal } from '../external/read.ts'
import { type DecimalType, invalid } from '../external/types.ts'
import { physicalType } from '../types.ts'
import { append } from './results.ts'

/** Of a request: what a call of EXTERNAL_QUERY needs. */
export type ExternalContext = {
  readonly catalogue: Pick<Catalogue, 'connection'>
  readonly request: Pick<QueryRequest, 'project' | 'location' | 'maximumBytesBilled' | 'dryRun' | 'signal'>
  readonly parameters: readonly Named[]
  /** The databases behind the connections. */
  readonly external: Pick<Databases, 'urlOf'>
}

/** A call of EXTERNAL_QUERY in a statement: what it asks for, and the edit that puts a table in its place. */
export type ExternalUse = {
  readonly start: number
  readonly end: number
  /** Runs it, in Postgres, and keeps its rows in a table of this request. In a dry run the table stays empty. Throws BigQueryError. */
  read(): Promise<TableMeta>
  edit(name: string): Edit
}

/** The calls of EXTERNAL_QUERY in a parsed statement. Throws BigQueryError for one that can't be understood. */
export function externalUses(session: ExternalContext, statement: Node): ExternalUse[] {
  const calls = [...walk(statement)].filter(node => node.kind === 'astTvfNode' && isExternal(node))
  const asked = calls.map(call => ({ call, ...argumentsOf(session, call) }))
  // BigQuery: Quotas, "Federated queries": at most 10 unique connections a query.
  if (new Set(asked.map(({ connection }) => connectionName(connection))).size > 10)
    throw invalid('A query can have at most 10 unique connections')
  return asked.map(({ call, connection, sql, decimals }) => {
    const { start, end } = placeOf(call)
    return {
      start,
      end,
      read: () => readInto(session, connection, sql, decimals),
      edit: name => ({ start, end, text: `${googleQuoted(name)} ` }),
    }
  })
}

const isExternal = (node: Node) =>
  children(child(node, 'name') ?? {}, 'names')
    .map(each => text(each, 'idString').toUpperCase())
    .join('.') === 'EXTERNAL_QUERY'

function argumentsOf(session: ExternalContext, call: Node): { connection: ConnectionRef; sql: string; decimals: DecimalType } {
  if (session.request.maximumBytesBilled !== undefined)
    throw invalid('maximumBytesBilled is not supported for queries with EXTERNAL_QUERY')
  const [name, sql, options, ...more] = children(call, 'argumentEntries').map(entry =>
    argument(session, child(entry, 'expr') ?? {}),
  )
  if (name === undefined || sql === undefined || more.length > 0)
    throw invalid('Signature: EXTERNAL_QUERY(connection_id, external_database_query [, options])')
  const connection = readConnection(name, session.request.project)
  return { connection, sql, decimals: decimalsOf(options) }
}

/** A literal, or a named parameter (a positional one would change the places of the others when its call is replaced). */
function argument(session: ExternalContext, node: Node): string {
  if (node.kind === 'astStringLiteralNode') return text(node, 'stringValue')
  const name = node.kind === 'astParameterExprNode' ? text(child(node, 'name'), 'idString') : ''
  const value = session.parameters.find(({ field }) => field.name.toLowerCase() === name.toLowerCase())?.value
  if (typeof value === 'string' && name !== '') return value
  throw invalid('The arguments must be STRING literals or named query parameters of type STRING')
}

function decimalsOf(options: string | undefined): DecimalType {
  const known: Record<string, DecimalType> = {
    numeric: 'NUMERIC',
    bignumeric: 'BIGNUMERIC',
    float64: 'FLOAT64',
    string: 'STRING',
  }
  if (options === undefined || options.trim() === '') return 'NUMERIC'
  let read: Record<string, unknown>
  try {
    read = JSON.parse(options) as Record<string, unknown>
  } catch {
    throw invalid('The options are no JSON')
  }
  const { default_type_for_decimal_columns: decimals, ...others } = read
  const other = Object.keys(others)[0]
  if (other !== undefined)
    throw new BigQueryError('notImplemented', `The local BigQuery doesn't know the option ${other} of EXTERNAL_QUERY.`, 'query')
  const type = decimals === undefined ? 'NUMERIC' : known[String(decimals)]
  if (type === undefined) throw invalid(`Invalid value of default_type_for_decimal_columns: ${String(decimals)}`)
  return type
}

// The call without its alias; whatever else may stand behind a table-valued function is not for here.
function placeOf(call: Node): { start: number; end: number } {
  for (const [part, value] of Object.entries(call)) {
    if (plain.has(part) || value === false || value === undefined || (Array.isArray(value) && value.length === 0)) continue
    throw new BigQueryError('notImplemented', `The local BigQuery knows no '${part}' behind EXTERNAL_QUERY.`, 'query')
  }
  const { start, end } = rangeOf(call) ?? { start: 0, end: 0 }
  return { start, end: rangeOf(child(call, 'alias') ?? {})?.start ?? end }
}

const plain = new Set(['kind', 'parseLocationRange', 'name', 'argumentEntries', 'alias'])

async function readInto(session: ExternalContext, ref: ConnectionRef, sql: string, decimals: DecimalType): Promise<TableMeta> {
  const url = session.external.urlOf(connectionName(ref))
  const location = (session.request.location ?? 'europe-north1').toLowerCase()
  if (url === undefined) throw new BigQueryError('notFound', `Not found: Connection ${pathOf(ref)}`, 'query')
  // BigQuery: Federated queries: "the connection must be in the location of the query".
  if (ref.location !== location)
    throw new BigQueryError('notFound', `Not found: Connection ${pathOf(ref)} was not found in location ${location}`, 'query')
  return readExternal(url, sql, decimals, session.request.signal, result => keep(session, ref, result))
}

const pathOf = ({ project, location, id }: ConnectionRef) => `projects/${project}/locations/${location}/connections/${id}`

// A temporary table belongs to the connection of this request alone: nobody else sees it, and it goes with it.
async function keep(session: ExternalContext, ref: ConnectionRef, { schema, rows }: ExternalResult): Promise<TableMeta> {
  const { connection } = session.catalogue
  const physical = quoted('temp', 'main', `external_${randomBytes(9).toString('hex')}`)
  await connection.run(
    `CREATE TEMP TABLE ${physical} (${schema.map(field => `${quoted(field.name)} ${physicalType(field)}`).join(', ')})`,
  )
  if (!session.request.dryRun) await rows(page => append(connection, physical, schema, page))
  const table = { project: ref.project, dataset: 'EXTERNAL_QUERY', table: ref.id }
  return { ref: table, kind: 'TABLE', physical, schema, etag: '', createdAt: 0, modifiedAt: 0 }
}

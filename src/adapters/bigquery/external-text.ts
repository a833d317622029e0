import { nameIn } from '../../domain/env.ts'
import { literal } from '../../domain/literal.ts'
import { pgRead } from '../../domain/pg-read.ts'
import type { ExternalSource } from '../../domain/source.ts'
import type { ReadRequest } from '../../ports/reader.ts'
import { type Parameter, parameter } from './publish.ts'

/** Whose names: what a connection's name leaves out, and the environment of `env({ … })`. */
type Names = { readonly project: string; readonly location: string; readonly environment: string }

/** A statement with the values of its parameters. */
export type Statement = { readonly sql: string; readonly parameters: readonly Parameter[] }

/** A connection resource of BigQuery. */
export type ConnectionRef = { readonly project: string; readonly location: string; readonly id: string }

/** The connection of a source: what its name leaves out is the job's own. */
export function connectionRef(names: Names, source: ExternalSource): ConnectionRef {
  const parts = nameIn(source.connection, names.environment).split('.')
  const [id = '', location = names.location, ...project] = parts.reverse()
  return { project: project.length === 0 ? names.project : project.reverse().join('.'), location, id }
}

/** `project.location.name`, as people and EXTERNAL_QUERY write it. */
export function connectionName({ project, location, id }: ConnectionRef): string {
  return `${project}.${location}.${id}`
}

/**
 * A call of EXTERNAL_QUERY, which sends `inner` to the Postgres behind the source's connection. It travels as one STRING parameter or, where a text must stand
 * for itself (a sql transform, and whoever reads a plan), as a literal. No maximumBytesBilled: the service takes none here (BigQuery: Cloud SQL federated queries, "Limitations").
 */
export function externalCall(names: Names, source: ExternalSource, inner: string, as: 'parameter' | 'literal'): Statement {
  const connection = literal.string(connectionName(connectionRef(names, source)))
  const options =
    source.decimals === 'numeric'
      ? ''
      : `, ${literal.string(JSON.stringify({ default_type_for_decimal_columns: source.decimals }))}`
  const call = (text: string) => `EXTERNAL_QUERY(${connection}, ${text}${options})`
  return as === 'literal'
    ? { sql: call(literal.block(inner)), parameters: [] }
    : { sql: call('@inner_sql'), parameters: [parameter('inner_sql', 'STRING', inner)] }
}

/** The rows of a source as a text that stands for itself: for the WITH of a sql transform. */
export function externalRows(names: Names, source: ExternalSource, request: ReadRequest): string {
  return externalSelect(request, externalCall(names, source, pgRead(source.query, request), 'literal').sql)
}

/** What a read runs. Slices and bounds go into the inner SQL; the service keeps no order of it, so that the slices are put in order outside. */
export function externalRead(names: Names, source: ExternalSource, request: ReadRequest, as: 'parameter' | 'literal'): Statement {
  const { sql, parameters } = externalCall(names, source, pgRead(source.query, request), as)
  const order = request.slices === null ? '' : ` ORDER BY ${literal.name(request.slices.column)}`
  return { sql: `${externalSelect(request, sql)}${order}`, parameters }
}

function externalSelect({ columns }: ReadRequest, call: string): string {
  return `SELECT ${columns.map(column => literal.name(column.name)).join(', ')} FROM ${call}`
}

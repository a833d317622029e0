import { BigQueryError } from '../contract.ts'

/** A connection resource: what the first argument of EXTERNAL_QUERY names. */
export type ConnectionRef = { readonly project: string; readonly location: string; readonly id: string }

/**
 * Reads the name of a connection: `projects/P/locations/L/connections/C`, `P.L.C`, or `L.C` in the query's own project (BigQuery: Federated query
 * functions, EXTERNAL_QUERY, "connection_id"). Throws `invalidQuery` for any other text.
 */
export function readConnection(name: string, project: string): ConnectionRef {
  const path = /^projects\/([^/]+)\/locations\/([^/]+)\/connections\/([^/]+)$/.exec(name)
  // A project of a domain has a dot in its own name.
  const dotted = /^(?:(.+)\.)?([^./]+)\.([^./]+)$/.exec(name)
  const [, owner, location, id] = path ?? dotted ?? []
  if (location === undefined || id === undefined)
    throw new BigQueryError(
      'invalidQuery',
      `Invalid connection ID "${name}": write project.location.name, location.name or projects/…/locations/…/connections/…`,
      'query',
    )
  return { project: owner ?? project, location: location.toLowerCase(), id }
}

/** The one text of a connection, `P.L.C`. */
export function connectionName({ project, location, id }: ConnectionRef): string {
  return `${project}.${location}.${id}`
}

import type { Routes } from '../call.ts'
import { BigQueryError } from '../contract.ts'
import { connectionName, readConnection } from '../external/connection.ts'
import type { Databases } from '../external/databases.ts'
import { flag, type JsonObject, optional, text } from '../json.ts'

/**
 * Ours, not the service's: makes a connection of EXTERNAL_QUERY (`{ connection: 'project.location.name' }`) or a database of its own name
 * (`{ database }`) known, with `sql` run in it, `fresh` if it is to begin empty, `url` if it is somebody else's Postgres. Answers the address.
 */
export function postgresRoutes(databases: Databases): Routes {
  return {
    'POST /_local/postgres': async call => {
      const body = await call.json()
      const { sql, fresh, url } = {
        sql: optional(body.sql, text, 'sql'),
        fresh: optional(body.fresh, flag, 'fresh'),
        url: optional(body.url, text, 'url'),
      }
      try {
        const address = await databases.seed({
          name: nameOf(body),
          ...(sql === undefined ? {} : { sql }),
          ...(fresh === undefined ? {} : { fresh }),
          ...(url === undefined ? {} : { url }),
        })
        return { body: { url: address } }
      } catch (error) {
        throw error instanceof BigQueryError ? error : new BigQueryError('invalid', `Postgres: ${(error as Error).message}`)
      }
    },
  }
}

function nameOf(body: JsonObject): string {
  if (typeof body.connection === 'string') return connectionName(readConnection(body.connection, ''))
  return `database ${text(body.database, 'connection, or database')}`
}

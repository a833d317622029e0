import type { Routes } from '../call.ts'
import { text } from '../json.ts'
import type { Engine } from '../query.ts'

/** Ours, not the service's: the tables that a query names (`{ sql, project }`), whether they are there or not. */
export function nameRoutes(engine: Engine): Routes {
  return {
    'POST /_local/tables': async call => {
      const body = await call.json()
      const tables = await (await engine()).tables(text(body.sql, 'sql'), text(body.project, 'project'))
      return { body: { tables: tables.map(({ project, dataset, table }) => ({ project, dataset, table })) } }
    },
  }
}

import { createServer } from 'node:http'
import type { Routes } from './call.ts'
import type { SqlEngine } from './contract.ts'
import { createDatabases } from './external/databases.ts'
import { createFaults, type Fault } from './faults.ts'
import { createListener } from './http.ts'
import { createJobs } from './jobs.ts'
import { datasetRoutes } from './routes/datasets.ts'
import { jobRoutes } from './routes/jobs.ts'
import { nameRoutes } from './routes/names.ts'
import { postgresRoutes } from './routes/postgres.ts'
import { queryRoutes } from './routes/queries.ts'
import { tabledataRoutes } from './routes/tabledata.ts'
import { tableRoutes } from './routes/tables.ts'
import { uploadRoutes } from './routes/uploads.ts'
import { openDatabase } from './store.ts'

export type ServerOptions = {
  /** 0 = the system chooses. */
  readonly port: number
  /** Where everything is kept; made if it isn't there. */
  readonly dir: string
  readonly faults?: readonly Fault[]
  /** DuckDB's memory, e.g. '1GB'. */
  readonly memoryLimit?: string
}

export type Server = { readonly port: number; readonly url: string; close(): Promise<void> }

/**
 * Starts a local BigQuery on 127.0.0.1: the service's HTTP API over one DuckDB file. Throws a plain Error with a sentence when the port or
 * the directory is in use.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const database = await openDatabase(options.dir, options)
  const faults = createFaults(options.faults)
  const databases = createDatabases()
  let made: Promise<SqlEngine> | undefined
  // Google's evaluator is a process of its own: it starts with the first query.
  const engine = () => (made ??= import('./sql/engine.ts').then(({ createSqlEngine }) => createSqlEngine(database, databases)))
  const jobs = await createJobs(database)
  const { beforeCommit } = faults
  const routes: Routes = {
    'GET /_local/health': async () => ({ body: { status: 'ok' } }),
    ...faults.routes,
    ...postgresRoutes(databases),
    ...nameRoutes(engine),
    ...datasetRoutes(database),
    ...tableRoutes(database, engine),
    ...tabledataRoutes(database),
    ...jobRoutes(database, jobs, engine, beforeCommit),
    ...queryRoutes(database, jobs, engine, beforeCommit),
    ...uploadRoutes(database, jobs, beforeCommit),
  }
  const listener = createListener(routes, faults.take)
  const server = createServer((incoming, response) => void listener(incoming, response))
  // A large upload takes as long as it takes.
  server.requestTimeout = 0
  // A client that polls every few seconds keeps its connection; Node's own 5 seconds would cut it now and then just as it asks.
  server.keepAliveTimeout = 60_000
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options.port, '127.0.0.1', resolve)
    })
  } catch (error) {
    await database.close()
    throw sayPortInUse(error, options.port)
  }
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      faults.clear()
      await jobs.close()
      server.closeAllConnections()
      await closed
      await (await made?.catch(() => undefined))?.close()
      await databases.close()
      await database.close()
    },
  }
}

function sayPortInUse(error: unknown, port: number): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error
  return new Error(`Port ${port} is in use. Stop what listens there, or choose another port with --port (0 takes a free one).`)
}

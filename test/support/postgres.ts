import pg from 'pg'
import { startPostgres } from '../../src/local/postgres/process.ts'

/** A real Postgres for a test file. */
export type TestPostgres = {
  readonly port: number
  /** The address of a database, for its owner or for a role that was made with the password `passord`. */
  url(database?: string, role?: string): string
  /** Runs statements in a database. */
  run(sql: string, database?: string): Promise<pg.QueryResult>
  /** A session of its own, to be ended by the test. */
  session(database?: string, role?: string): Promise<pg.Client>
  stop(): Promise<void>
}

/** Starts an empty Postgres; `settings` are those of postgresql.conf. */
export async function startTestPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const server = await startPostgres(settings)
  const url = (database = 'postgres', role?: string) =>
    `postgres://${role ?? server.user}:${role === undefined ? server.password : 'passord'}@127.0.0.1:${server.port}/${database}`
  const session = async (database?: string, role?: string) => {
    const client = new pg.Client({ connectionString: url(database, role) })
    // A server that is stopped under an idle session is not this test's failure.
    client.on('error', () => {})
    await client.connect()
    return client
  }
  return {
    port: server.port,
    url,
    session,
    async run(sql, database) {
      const client = await session(database)
      try {
        return await client.query(sql)
      } finally {
        await client.end()
      }
    },
    stop: server.stop,
  }
}

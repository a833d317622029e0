import { type PostgresProcess, startPostgres } from '../postgres/process.ts'

/** What a client says of a database: which one, by the name of a connection (`P.L.C`) or by its own, and what happens to it. */
type Seed = {
  readonly name: string
  /** Runs in it, as its owner. */
  readonly sql?: string
  /** Thrown away and made anew first. */
  readonly fresh?: boolean
  /** Somebody else's Postgres in its place. */
  readonly url?: string
}

/** The Postgres databases that stand behind the connections of this server. */
export type Databases = {
  /** Makes a database known, does what the seed says, and gives its address. Throws what Postgres says. */
  seed(seed: Seed): Promise<string>
  /** The address of a known one. */
  urlOf(name: string): string | undefined
  close(): Promise<void>
}

/** One Postgres for all of them, started with the first seed; what is in it lasts as long as this process. */
export function createDatabases(): Databases {
  const urls = new Map<string, string>()
  let started: Promise<PostgresProcess> | undefined
  let made = 0
  const make = async (): Promise<string> => {
    started ??= startPostgres()
    started.catch(() => {
      started = undefined
    })
    const { user, password, port } = await started
    const url = (database: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`
    const database = `kilde_${++made}`
    await run(url('postgres'), `CREATE DATABASE ${database}`)
    return url(database)
  }
  return {
    async seed({ name, sql, fresh, url }) {
      const known = fresh === true ? undefined : urls.get(name)
      const address = url ?? known ?? (await make())
      urls.set(name, address)
      if (sql !== undefined) await run(address, sql)
      return address
    },
    urlOf: name => urls.get(name),
    async close() {
      await (await started?.catch(() => undefined))?.stop()
    },
  }
}

async function run(url: string, sql: string): Promise<void> {
  // Who queries no connection loads no client.
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

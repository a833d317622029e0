import type { Socket } from 'node:net'
import pg from 'pg'
import { EtlError } from '../../domain/error.ts'
import { jitter, type Policy } from '../../domain/policy.ts'
import type { Clock } from '../../ports/clock.ts'
import { type AddressVariables, addressOf } from './address.ts'
import { isTransient, toEtlError } from './errors.ts'

/** How a database is reached. */
export type Reach = {
  readonly variables: (database: string) => AddressVariables
  readonly policy: Policy
  readonly clock: Clock
  /** A statement that takes longer is ended by the server. Milliseconds; 50 minutes if left out. */
  readonly statementTimeout?: number
}

/** A connection that can only read. */
export type Session = {
  readonly client: pg.Client
  /** Asks; errors are ours. */
  query(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult>
  /** Ends what it is doing, by a request of its own: the server would go on for a client that is gone. Where nobody answers any more, the connection is given up after a while. Never throws. */
  cancel(): Promise<void>
  /** Never throws. */
  end(): Promise<void>
}

/** So long a connection may take. Milliseconds. */
const connectTimeout = 10_000

/**
 * What a session is: the zone and the formats of a query must not hang on how the server was set up, and nothing may be written. The keeper of a snapshot
 * is idle for as long as others read.
 */
const options = [
  'default_transaction_read_only=on',
  'idle_in_transaction_session_timeout=0',
  'TimeZone=UTC',
  'DateStyle=ISO',
  'IntervalStyle=postgres',
  'extra_float_digits=1',
  'bytea_output=hex',
  'client_encoding=UTF8',
]

/**
 * Connects, again if nobody answers, with the waits of the policy.
 * @throws EtlError `config`, `denied`, `notFound`, `unavailable`, `stopped`.
 */
export async function connect(reach: Reach, database: string, signal?: AbortSignal): Promise<Session> {
  const { variables, policy, clock, statementTimeout = 50 * 60_000 } = reach
  const config: pg.ClientConfig = {
    ...(await addressOf(database, variables(database))),
    application_name: `nais-etl ${database}`,
    options: [...options, `statement_timeout=${statementTimeout}`].map(option => `-c ${option}`).join(' '),
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  }
  for (let tried = 1; ; tried++) {
    if (signal?.aborted) throw new EtlError('stopped', 'told to stop while it was connecting.')
    try {
      return sessionOf(await open(config), config, database, policy.request.cap)
    } catch (error) {
      if (!isTransient(error) || tried >= policy.request.tries) throw toEtlError(error, database)
      await clock.sleep(jitter(policy.request, tried - 1, Math.random()), signal)
    }
  }
}

async function open(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config)
  // The query that is under way hears of it as well; a session without one must not end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/** `patience`: how long a session that was told to stop may take, in milliseconds. */
function sessionOf(client: pg.Client, config: pg.ClientConfig, database: string, patience: number): Session {
  return {
    client,
    async query(sql, values) {
      try {
        return await client.query(sql, values as unknown[] | undefined)
      } catch (error) {
        throw toEtlError(error, database)
      }
    },
    async cancel() {
      const { connection, processID } = client as unknown as { connection: { stream: Socket }; processID: number }
      // On a network that has gone silent neither the answer nor this request arrives.
      const given = setTimeout(() => connection.stream.destroy(new Error('Connection terminated: nobody answers')), patience)
      client.once('end', () => clearTimeout(given))
      try {
        const other = await open(config)
        await other.query('SELECT pg_cancel_backend($1)', [processID]).finally(() => other.end())
      } catch {
        // Then the server hears of it when it writes to a connection that is closed.
      }
    },
    end: () => client.end().catch(() => {}),
  }
}

import pg from 'pg'
import type { Value } from '../../googlesql/field.ts'
import type { Field } from '../contract.ts'
import { fromPostgres } from './convert.ts'
import { checkNames, type DecimalType, externalType, invalid } from './types.ts'

/** The columns of a Postgres query, and its rows: page by page, each page once, in the order that Postgres gives them. */
export type ExternalResult = { readonly schema: Field[]; rows(each: (page: Value[][]) => Promise<void>): Promise<void> }

/**
 * Runs one query in a read-only transaction of its own: one statement, one snapshot. `work` gets the columns before any row is read. Throws invalidQuery
 * with the service's words for what can't be reached, run or taken.
 */
export async function readExternal<T>(
  url: string,
  sql: string,
  decimals: DecimalType,
  signal: AbortSignal,
  work: (result: ExternalResult) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, options })
  client.on('error', () => {})
  const stop = () => (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
  try {
    await client.connect()
  } catch (error) {
    throw invalid(`Connect to PostgreSQL server failed: ${said(error)}`)
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    await client.query('BEGIN TRANSACTION READ ONLY')
    // By the extended protocol, which takes one statement.
    await ask(client, `DECLARE rader NO SCROLL CURSOR FOR ${sql}`)
    const { fields } = await ask(client, 'FETCH FORWARD 0 FROM rader')
    checkNames(fields)
    const schema = fields.map(
      ({ name, dataTypeID }): Field => ({ name, type: externalType(dataTypeID, decimals), mode: 'NULLABLE' }),
    )
    return await work({
      schema,
      async rows(each) {
        for (;;) {
          const { rows } = await ask(client, `FETCH FORWARD ${pageRows} FROM rader`)
          if (rows.length === 0) return
          await each(rows.map(row => schema.map((field, index) => fromPostgres(row[index] ?? null, field))))
        }
      },
    })
  } finally {
    signal.removeEventListener('abort', stop)
    await client.end().catch(() => undefined)
  }
}

const pageRows = 10_000
const options = '-c DateStyle=ISO -c IntervalStyle=postgres -c bytea_output=hex -c TimeZone=UTC -c extra_float_digits=1'

type Asked = { readonly fields: readonly pg.FieldDef[]; readonly rows: readonly (readonly (string | null)[])[] }

async function ask(client: pg.Client, text: string): Promise<Asked> {
  const types = { getTypeParser: () => (value: string) => value }
  try {
    return (await client.query({ text, rowMode: 'array', queryMode: 'extended', types } as never)) as unknown as Asked
  } catch (error) {
    throw invalid(`Failed to get query schema from PostgreSQL server. Error: ERROR:  ${said(error)}`)
  }
}

const said = (error: unknown) =>
  (error instanceof AggregateError ? error.errors : [error]).map(each => (each as Error).message).join('; ')

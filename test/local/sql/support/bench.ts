import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Value } from '../../../../src/googlesql/field.ts'
import type { Field, QueryOutcome, QueryParameter, QueryRequest, SqlEngine } from '../../../../src/local/contract.ts'
import { createDatabases, type Databases } from '../../../../src/local/external/databases.ts'
import { createSqlEngine } from '../../../../src/local/sql/engine.ts'
import { append } from '../../../../src/local/sql/results.ts'
import { fromDuck } from '../../../../src/local/sql/values.ts'
import { type Database, openDatabase } from '../../../../src/local/store.ts'

/** A local BigQuery without its API: the real store in a folder of its own, the real engine, and short ways to ask it. */
export type Bench = {
  readonly database: Database
  readonly engine: SqlEngine
  /** What stands behind the connections of EXTERNAL_QUERY. */
  readonly databases: Databases
  /** Runs a request and reads its result's rows back in their order. */
  run(sql: string, options?: Partial<QueryRequest>): Promise<QueryOutcome & { readonly values: Value[][] }>
  /** The rows of a request, by column name. */
  rows(sql: string, options?: Partial<QueryRequest>): Promise<Record<string, Value>[]>
  /** The message of the error that a request ends with; fails where it succeeds. */
  failure(sql: string, options?: Partial<QueryRequest>): Promise<string>
  /** Makes (or makes anew) a table `P.D.<name>` with rows. */
  table(name: string, schema: readonly Field[], rows: readonly (readonly Value[])[]): Promise<void>
  close(): Promise<void>
}

/** Opens one with the datasets D and D_etl in project P. */
export async function openBench(): Promise<Bench> {
  const dir = mkdtempSync(join(tmpdir(), 'local-bigquery-'))
  const database = await openDatabase(dir)
  const databases = createDatabases()
  const engine = await createSqlEngine(database, databases)
  await database.use(async ({ connection }) => {
    for (const [project, dataset] of [
      ['P', 'D'],
      ['P', 'D_etl'],
      ['my-project', 'D'],
    ]) {
      await connection.run(`INSERT INTO _catalogue.datasets VALUES ('${project}', '${dataset}', 'e', 0, 0, '{}')`)
    }
  })
  let jobs = 0
  const request = (sql: string, options: Partial<QueryRequest> = {}): QueryRequest => ({
    jobId: `job-${jobs++}`,
    project: 'P',
    sql,
    parameters: [],
    dryRun: false,
    signal: new AbortController().signal,
    ...options,
  })
  const run: Bench['run'] = async (sql, options) => {
    const outcome = await engine.run(request(sql, options))
    if (outcome.rows === undefined) return { ...outcome, values: [] }
    const values = await database.use(async ({ connection }) => {
      const result = await connection.runAndReadAll(`SELECT * FROM ${outcome.rows} ORDER BY rowid`)
      return result.getRows().map(row => outcome.schema.map((field, index) => fromDuck(row[index], field)))
    })
    return { ...outcome, values }
  }
  return {
    database,
    engine,
    databases,
    run,
    async rows(sql, options) {
      const { schema, values } = await run(sql, options)
      return values.map(row => Object.fromEntries(schema.map((field, index) => [field.name, row[index] ?? null])))
    },
    async failure(sql, options) {
      try {
        await engine.run(request(sql, options))
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
      throw new Error(`this should have failed: ${sql}`)
    },
    table: (name, schema, rows) =>
      database.use(async catalogue => {
        const ref = { project: 'P', dataset: 'D', table: name }
        if (await catalogue.find(ref)) await catalogue.drop(ref)
        const { physical } = await catalogue.create({ ref, kind: 'TABLE', schema })
        await append(catalogue.connection, physical, schema, rows)
      }),
    async close() {
      await engine.close()
      await databases.close()
      await database.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A column. */
export function column(name: string, type: Field['type'], mode: Field['mode'] = 'NULLABLE', fields?: readonly Field[]): Field {
  return { name, type, mode, ...(fields && { fields }) }
}

/** A named parameter as the REST API sends it. */
export function parameter(
  name: string,
  type: Field['type'],
  value: QueryParameter['value'],
  mode: Field['mode'] = 'NULLABLE',
): QueryParameter {
  return { name, type: { name: '', type, mode }, value }
}

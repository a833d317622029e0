import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../adapters/bigquery/errors.ts'
import { externalError } from '../adapters/bigquery/external-errors.ts'
import { checkTypes, typesSql } from '../adapters/bigquery/external-types.ts'
import { clock } from '../adapters/clock.ts'
import { createPostgresReader } from '../adapters/postgres/reader.ts'
import type { AnyRow, Column, Value } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import { databaseOf, inPostgres, sourceFile } from '../domain/fixture.ts'
import { pgRead } from '../domain/pg-read.ts'
import type { Pipeline } from '../domain/pipeline.ts'
import { production } from '../domain/policy.ts'
import type { ExternalSource, PostgresSource } from '../domain/source.ts'
import { createDatabases, type Databases } from '../local/external/databases.ts'
import { readExternal } from '../local/external/read.ts'
import type { DecimalType } from '../local/external/types.ts'

/**
 * The rows of a case's Postgres sources: each SOURCE.sql is run in an empty database of a real Postgres (sources of one connection share one), and then the source's own query. A federated source
 * has the types that EXTERNAL_QUERY gives, and its refusals.
 * @throws EtlError `fixture` for a file that is missing or that Postgres refuses; else as a run.
 */
export async function postgresRows(
  pipeline: Pick<Pipeline, 'from'>,
  folder: string,
): Promise<Readonly<Record<string, readonly AnyRow[]>>> {
  const sources = Object.entries(pipeline.from).flatMap(([name, source]) => (inPostgres(source) ? [[name, source] as const] : []))
  if (sources.length === 0) return {}
  databases ??= createDatabases()
  const seen = new Map<string, string>()
  for (const [name, source] of sources) {
    const path = join(folder, sourceFile(name, source))
    if (!existsSync(path))
      throw new EtlError('fixture', `${path} is not there.`, {
        hint: 'it makes what the source reads: CREATE TABLE …; INSERT INTO …',
      })
    const database = databaseOf(source)
    const sql = await readFile(path, 'utf8')
    const url = await databases.seed({ name: `${folder} ${database}`, sql, fresh: !seen.has(database) }).catch(error => {
      throw new EtlError('fixture', `${path}: Postgres says: ${(error as Error).message}.`, { cause: error })
    })
    seen.set(database, url)
  }
  const rows: Record<string, readonly AnyRow[]> = {}
  for (const [name, source] of sources) {
    const url = seen.get(databaseOf(source)) ?? ''
    rows[name] = source.kind === 'external' ? await externalRows(url, source, name) : await directRows(url, source)
  }
  return rows
}

// Ends with this process.
let databases: Databases | undefined

async function externalRows(url: string, source: ExternalSource, name: string): Promise<AnyRow[]> {
  const { columns } = source.row
  const what = `the source ${name}`
  const ask = async (sql: string, planned: boolean) =>
    read(url, sql, source.decimals.toUpperCase() as DecimalType).catch(error => {
      const failure = new Failure(400, 'invalidQuery', (error as Error).message)
      const unsaid = new EtlError('query', `${what}: ${(error as Error).message}`, { cause: failure })
      throw externalError(unsaid, { project: 'test', location: 'test', id: name }, what, { planned })
    })
  const [types] = await ask(typesSql(source.query, columns), true)
  checkTypes(source, (types ?? []) as string[], what)
  const found = await ask(pgRead(source.query, { columns, slices: null }), false)
  return found.map(row => Object.fromEntries(columns.map((column, index) => [column.name, inMemory(column, row[index] ?? null)])))
}

/** By the very reader of a run. */
async function directRows(url: string, source: PostgresSource): Promise<AnyRow[]> {
  const reader = createPostgresReader({ variables: () => ({ URL: url }), policy: production, clock })
  const rows: AnyRow[] = []
  try {
    const request = { columns: source.row.columns, slices: null }
    for await (const page of reader.read(source, request, new AbortController().signal)) rows.push(...page)
    return rows
  } finally {
    await reader.end?.()
  }
}

async function read(url: string, sql: string, decimals: DecimalType): Promise<Value[][]> {
  const all: Value[][] = []
  await readExternal(url, sql, decimals, new AbortController().signal, result =>
    result.rows(async page => void all.push(...(page as Value[][]))),
  )
  return all
}

function inMemory(column: Column, value: Value): Value {
  return column.type === 'INT64' && column.bigint !== true && typeof value === 'bigint' ? Number(value) : value
}

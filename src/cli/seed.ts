import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyRow, Column, Value } from '../domain/column.ts'
import { nameIn } from '../domain/env.ts'
import { EtlError } from '../domain/error.ts'
import { checkCaseFiles } from '../domain/fixture.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { type FileSource, type TableRef, tableRef } from '../domain/source.ts'
import { tablesOf } from '../engine/plan.ts'
import type { World } from './command.ts'
import { finished, makeDataset, refused } from './seed-calls.ts'
import { seedPostgres } from './seed-postgres.ts'
import { seedQueries } from './seed-queries.ts'

/** What was put where, for people; `rows` is null where a fixture's SQL made them. */
export type Seeded = {
  readonly case: string
  readonly tables: readonly { readonly name: string; readonly rows: number | null }[]
  /** The addresses of Postgres databases that a job reads itself, by their names in the pipeline. */
  readonly databases: Readonly<Record<string, string>>
}

/**
 * Prepares a local BigQuery for a pipeline as nais and its sources would: the target's datasets, each source table with the rows of one fixture case, the
 * tables of its queries and the Postgres behind each connection with what their SOURCE.sql makes. What is there already is replaced; targets are left alone.
 * @throws EtlError `fixture`.
 */
export async function seed(
  url: string,
  pipeline: NamedPipeline,
  { settings, ports }: Pick<World, 'settings' | 'ports'>,
  root: string,
  wanted?: string,
): Promise<Seeded> {
  const tables = tablesOf(pipeline, settings)
  for (const { project, dataset } of [tables.target, tables.head]) await makeDataset(url, project, dataset, settings.location)
  const chosen = await fixtureCase(root, pipeline.name, wanted)
  const folder = join('fixtures', pipeline.name, chosen)
  checkCaseFiles(folder, await readdir(join(root, folder)), pipeline)
  const postgres = await seedPostgres(url, pipeline, settings, join(root, folder))
  const made: Seeded['tables'][number][] = [...postgres.made]
  for (const [name, source] of Object.entries(pipeline.from)) {
    if (source.kind !== 'table') continue
    const ref = tableRef(nameIn(source.table, settings.environment), settings.project)
    const file: FileSource = {
      kind: 'file',
      row: source.row,
      path: join(folder, `${name}.csv`),
      format: 'csv',
    }
    const lines: string[] = []
    for await (const page of ports.readers.file.read(
      file,
      { columns: source.row.columns, slices: null },
      new AbortController().signal,
    )) {
      for (const row of page) lines.push(JSON.stringify(restRow(row, source.row.columns)))
    }
    await makeDataset(url, ref.project, ref.dataset, settings.location)
    await load(url, ref, source.row.columns, lines)
    made.push({ name: `${ref.project}.${ref.dataset}.${ref.table}`, rows: lines.length })
  }
  made.push(...(await seedQueries(url, pipeline, settings, root, folder)))
  return { case: chosen, tables: made, databases: postgres.databases }
}

/** The case to load: the one that was named, or the first that is not there to be refused. */
async function fixtureCase(root: string, pipeline: string, wanted?: string): Promise<string> {
  const folder = join(root, 'fixtures', pipeline)
  const cases = existsSync(folder) ? (await readdir(folder)).sort() : []
  const accepted = cases.filter(name => !existsSync(join(folder, name, 'error.txt')))
  const chosen = wanted ?? accepted[0]
  if (chosen === undefined || !cases.includes(chosen)) {
    throw new EtlError(
      'fixture',
      wanted === undefined ? `fixtures/${pipeline} has no case.` : `fixtures/${pipeline} has no case ${wanted}.`,
      {
        hint: cases.length === 0 ? 'add a folder with a CSV for each source and expected.csv' : `there are: ${cases.join(', ')}`,
      },
    )
  }
  return chosen
}

async function load(url: string, ref: TableRef, columns: readonly Column[], lines: readonly string[]): Promise<void> {
  const boundary = 'nais-etl-seed'
  const configuration = {
    load: {
      destinationTable: { projectId: ref.project, datasetId: ref.dataset, tableId: ref.table },
      sourceFormat: 'NEWLINE_DELIMITED_JSON',
      writeDisposition: 'WRITE_TRUNCATE',
      schema: { fields: columns.map(restField) },
    },
  }
  const body = [
    `--${boundary}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ configuration })}`,
    `--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n${lines.join('\n')}`,
    `--${boundary}--`,
  ].join('\r\n')
  const answer = await fetch(`${url}/upload/bigquery/v2/projects/${ref.project}/jobs?uploadType=multipart`, {
    method: 'POST',
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body,
  })
  if (!answer.ok) throw await refused(answer, `table ${ref.table}`)
  const failure = await finished(url, ref.project, answer)
  if (failure !== undefined) throw new EtlError('fixture', `the local BigQuery did not take the rows of ${ref.table}: ${failure}`)
}

type RestField = { name: string; type: string; mode: string; fields?: RestField[] }

function restField(column: Column): RestField {
  return {
    name: column.name,
    type: column.type,
    mode: column.mode,
    ...(column.fields === undefined ? {} : { fields: column.fields.map(restField) }),
  }
}

/** A row as a load job's JSON line: what JSON can't say exactly is text (BigQuery: Loading JSON data). */
function restRow(row: AnyRow, columns: readonly Column[]): Record<string, unknown> {
  return Object.fromEntries(columns.map(column => [column.name, restValue(row[column.name] ?? null, column)]))
}

function restValue(value: Value, column: Column): unknown {
  if (Array.isArray(value)) return value.map(element => restValue(element, { ...column, mode: 'REQUIRED' }))
  if (value === null) return null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'object') return restRow(value as AnyRow, column.fields ?? [])
  if (column.type === 'JSON') return JSON.parse(String(value))
  return typeof value === 'boolean' ? value : String(value)
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nameIn } from '../domain/env.ts'
import { EtlError } from '../domain/error.ts'
import { tablesFile } from '../domain/fixture.ts'
import { type NamedPipeline, partsOf } from '../domain/pipeline.ts'
import { type QuerySource, type TableRef, tableName, tableRef } from '../domain/source.ts'
import { sqlText } from '../domain/sql.ts'
import { tablesOf } from '../engine/plan.ts'
import type { Settings } from '../engine/settings.ts'
import { call, finished, makeDataset, namedTables, refused } from './seed-calls.ts'

/**
 * Makes what the queries of a pipeline read, by SOURCE.sql of a fixture case: each table that they name begins anew, unless the pipeline names it as a
 * source or target too. `folder` starts at `root`.
 * @throws EtlError `fixture` for a table that nothing makes, or a SOURCE.sql that the local BigQuery refuses.
 */
export async function seedQueries(
  url: string,
  pipeline: NamedPipeline,
  settings: Settings,
  root: string,
  folder: string,
): Promise<readonly { readonly name: string; readonly rows: null }[]> {
  const others = othersOf(pipeline, settings)
  const sources = await Promise.all(
    Object.entries(pipeline.from).flatMap(([name, source]) =>
      source.kind === 'query' ? [readSource(url, name, source, settings, join(root, folder))] : [],
    ),
  )
  const making = sources.filter(({ script }) => script !== undefined)
  for (const table of unique(sources.flatMap(({ tables }) => tables))) {
    await makeDataset(url, table.project, table.dataset, settings.location)
    const isOurs = !others.includes(tableName(table)) && making.some(({ tables }) => tables.some(each => isSame(each, table)))
    if (isOurs) await drop(url, table)
  }
  for (const { name, script = '' } of making) await make(url, settings.project, `${folder}/${tablesFile(name)}`, script)
  for (const { name, tables } of sources)
    for (const table of tables) await expectTable(url, table, `${folder}/${tablesFile(name)}`, name)
  return unique(making.flatMap(({ tables }) => tables))
    .map(tableName)
    .filter(name => !others.includes(name))
    .map(name => ({ name, rows: null }))
}

type Read = { readonly name: string; readonly tables: readonly TableRef[]; readonly script: string | undefined }

async function readSource(url: string, name: string, { query }: QuerySource, settings: Settings, folder: string): Promise<Read> {
  const tables = await namedTables(url, sqlText(query), settings.project)
  const script = await readFile(join(folder, tablesFile(name)), 'utf8').catch(() => undefined)
  // Of those the local BigQuery says itself that it can't read them.
  return { name, tables: tables.filter(({ table }) => !table.includes('*') && !table.startsWith('__')), script }
}

/** The tables that are made elsewhere, or are the run's to make. */
function othersOf(pipeline: NamedPipeline, settings: Settings): readonly string[] {
  const read = Object.values(pipeline.from).flatMap(source =>
    source.kind === 'table' ? [tableName(tableRef(nameIn(source.table, settings.environment), settings.project))] : [],
  )
  return [...read, ...partsOf(pipeline).map(part => tableName(tablesOf(part, settings).target))]
}

async function drop(url: string, { project, dataset, table }: TableRef): Promise<void> {
  const answer = await fetch(`${url}/bigquery/v2/projects/${project}/datasets/${dataset}/tables/${table}`, { method: 'DELETE' })
  if (!answer.ok && answer.status !== 404) throw await refused(answer, `table ${dataset}.${table} anew`)
}

async function make(url: string, project: string, file: string, script: string): Promise<void> {
  const answer = await call(url, `${project}/jobs`, { configuration: { query: { query: script, useLegacySql: false } } })
  const failure = answer.ok ? await finished(url, project, answer) : (await refused(answer, 'a job')).problem
  if (failure !== undefined)
    throw new EtlError('fixture', `${file}: ${failure.replace(/\.?$/, '.')}`, {
      hint: 'it is run by the local BigQuery: CREATE TABLE …; INSERT INTO … (docs/local-bigquery.md has what it takes)',
    })
}

async function expectTable(url: string, table: TableRef, file: string, source: string): Promise<void> {
  const answer = await call(url, `${table.project}/datasets/${table.dataset}/tables/${table.table}`)
  if (answer.ok) return
  const name = tableName(table)
  throw new EtlError('fixture', `nothing makes ${name}, which the query ${source} reads.`, {
    hint: `${file} is to make it: CREATE TABLE \`${name}\` (…); INSERT INTO \`${name}\` (…) VALUES (…)`,
  })
}

const isSame = (one: TableRef, other: TableRef) => tableName(one) === tableName(other)

function unique(tables: readonly TableRef[]): TableRef[] {
  return tables.filter((table, index) => tables.findIndex(other => isSame(other, table)) === index)
}

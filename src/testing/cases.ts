import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCsv } from '../adapters/files/csv.ts'
import { checkRows, duplicateKey } from '../domain/check.ts'
import type { AnyRow } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import { checkCaseFiles, sourceFile } from '../domain/fixture.ts'
import type { Pipeline } from '../domain/pipeline.ts'
import { postgresRows } from './postgres.ts'

/** A folder under fixtures/PIPELINE. */
export type Case = {
  readonly name: string
  readonly folder: string
  /** Of input that must be refused: the lines of error.txt, each of which the message contains. */
  readonly refused: readonly string[] | null
}

/** Rows of every source, by the source's name. */
export type SourceRows = Readonly<Record<string, readonly object[]>>

/**
 * The cases of a pipeline: the folders of fixtures/NAME, in the order of their names.
 * @throws EtlError `fixture` if there is none, or a folder has not exactly one of expected.csv and error.txt.
 */
export function cases(name: string, fixtures = 'fixtures'): Case[] {
  const home = join(fixtures, name)
  const folders = existsSync(home) ? readdirSync(home, { withFileTypes: true }).filter(entry => entry.isDirectory()) : []
  if (folders.length === 0)
    throw new EtlError('fixture', `${home} has no case.`, {
      hint: `make a folder ${home}/first with a csv file a source, and expected.csv`,
    })
  return folders.map(entry => caseIn(home, entry.name)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * One case by its name.
 * @throws EtlError `fixture` with the names that there are.
 */
export function caseOf(name: string, caseName: string, fixtures = 'fixtures'): Case {
  const all = cases(name, fixtures)
  const found = all.find(each => each.name === caseName)
  if (found === undefined)
    throw new EtlError('fixture', `${name} has no case ${caseName} (there are: ${all.map(each => each.name).join(', ')}).`)
  return found
}

/**
 * The rows of a case's sources, checked by the source's row schema: each from SOURCE.csv, or its own query's where it reads a Postgres, which SOURCE.sql
 * fills. Columns that the schema does not name are left out.
 * @throws EtlError `row` for the first row that does not fit, `fixture` for a csv that is no source's, `notFound` for a file that is missing,
 * `schema` for a missing column.
 */
export async function sourceRows(pipeline: Pipeline, { folder }: Case): Promise<SourceRows> {
  checkCaseFiles(folder, existsSync(folder) ? readdirSync(folder) : [], pipeline)
  const fromPostgres = postgresRows(pipeline, folder)
  const read = Object.entries(pipeline.from).map(async ([name, source]) => {
    const path = join(folder, sourceFile(name, source))
    const rows = (await fromPostgres)[name] ?? (await readCsv(path, source.row.columns))
    return [name, inFile(path, () => checkRows(source.row, rows) as AnyRow[])] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

/**
 * The rows that a case expects, from expected.csv (or the file of a further result), checked by the target's row schema.
 * @throws EtlError `row` or `fixture`, as for the sources.
 */
export async function expectedRows(pipeline: Pick<Pipeline, 'to'>, { folder }: Case, file = 'expected.csv'): Promise<AnyRow[]> {
  const path = join(folder, file)
  const read = await readCsv(path, pipeline.to.row.columns)
  return inFile(path, () => {
    const rows = checkRows(pipeline.to.row, read) as AnyRow[]
    duplicateKey(pipeline.to.row, rows)
    return rows
  })
}

function caseIn(home: string, name: string): Case {
  const folder = join(home, name)
  const error = join(folder, 'error.txt')
  const refused = existsSync(error) ? linesOf(readFileSync(error, 'utf8')) : null
  if ((refused === null) === !existsSync(join(folder, 'expected.csv'))) {
    throw new EtlError('fixture', `${folder} needs one of expected.csv and error.txt.`, {
      hint: 'expected.csv holds the rows that must come out; error.txt what the refusal must say',
    })
  }
  if (refused?.length === 0)
    throw new EtlError('fixture', `${error} is empty.`, { hint: 'write what the message must contain, a line each' })
  return { name, folder, refused }
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}

function inFile<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof EtlError ? error.within({ step: path }) : error
  }
}

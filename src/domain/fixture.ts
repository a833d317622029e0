import { EtlError, nearest } from './error.ts'
import type { Pipeline } from './pipeline.ts'
import type { ExternalSource, PostgresSource, Source } from './source.ts'

/** The CSV of a case that holds what each result of a pipeline expects: expected.csv of the first, expected.TABLE.csv of a further one. */
export function expectedFiles({ also }: Pick<Pipeline, 'also'>): readonly string[] {
  return ['expected.csv', ...also.map(({ to }) => `expected.${to.table}.csv`)]
}

/** The file of a case that holds what a source reads: SOURCE.sql makes what its Postgres has, SOURCE.csv has the rows of any other. */
export function sourceFile(name: string, source: Source): string {
  return `${name}.${inPostgres(source) ? 'sql' : 'csv'}`
}

/** The file of a case that makes the tables which a query source reads, for a local BigQuery; what the query answers is in its SOURCE.csv. */
export function tablesFile(name: string): string {
  return `${name}.sql`
}

/** Whether a source's own query runs in a Postgres. */
export function inPostgres(source: Source): source is ExternalSource | PostgresSource {
  return source.kind === 'external' || source.kind === 'postgres'
}

/** Sources of one name here share a database: what both of their files make lies in it. */
export function databaseOf(source: ExternalSource | PostgresSource): string {
  return source.kind === 'postgres' ? source.database : `connection ${JSON.stringify(source.connection)}`
}

/**
 * Refuses a file of a case's folder that nothing reads: a name that is written wrong, or a source that is gone. `files` are the names in `folder`.
 * @throws EtlError `fixture` with the name that was probably meant.
 */
export function checkCaseFiles(folder: string, files: readonly string[], pipeline: Pick<Pipeline, 'from' | 'also'>): void {
  const sources = Object.entries(pipeline.from)
  const known = [
    ...sources.map(([name, source]) => sourceFile(name, source)),
    ...sources.flatMap(([name, { kind }]) => (kind === 'query' ? [tablesFile(name)] : [])),
    ...expectedFiles(pipeline),
  ]
  const stray = files.find(file => /\.(csv|sql)$/i.test(file) && !known.includes(file))
  if (stray === undefined) return
  const guess = nearest(
    stray,
    known.filter(file => !files.includes(file)),
  )
  const what = known.some(file => file.endsWith('.sql')) ? 'a csv or sql' : 'a csv'
  throw new EtlError('fixture', `${folder} has ${stray}, which nothing reads.`, {
    hint: `${guess === undefined ? '' : `did you mean ${guess}? `}${what} is called as a source in the pipeline's from, or expected.csv: ${known.join(', ')}`,
  })
}

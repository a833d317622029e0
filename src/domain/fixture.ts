import { EtlError, nearest } from './error.ts'
import type { Pipeline } from './pipeline.ts'

/** The CSV of a case that holds what each result of a pipeline expects: expected.csv of the first, expected.TABLE.csv of a further one. */
export function expectedFiles({ also }: Pick<Pipeline, 'also'>): readonly string[] {
  return ['expected.csv', ...also.map(({ to }) => `expected.${to.table}.csv`)]
}

/**
 * Refuses a CSV of a case's folder that nothing reads: a name that is written wrong, or a source that is gone. `files` are the names in `folder`.
 * @throws EtlError `fixture` with the name that was probably meant.
 */
export function checkCaseFiles(folder: string, files: readonly string[], pipeline: Pick<Pipeline, 'from' | 'also'>): void {
  const known = [...Object.keys(pipeline.from).map(source => `${source}.csv`), ...expectedFiles(pipeline)]
  const stray = files.find(file => /\.csv$/i.test(file) && !known.includes(file))
  if (stray === undefined) return
  const guess = nearest(
    stray,
    known.filter(file => !files.includes(file)),
  )
  throw new EtlError('fixture', `${folder} has ${stray}, which nothing reads.`, {
    hint: `${guess === undefined ? '' : `did you mean ${guess}? `}a csv is called as a source in the pipeline's from, or expected.csv: ${known.join(', ')}`,
  })
}

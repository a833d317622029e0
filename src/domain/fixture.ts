import { EtlError, nearest } from './error.ts'

/**
 * Refuses a CSV of a case's folder that nothing reads: a name that is written wrong, or a source that is gone. `files` are the names in `folder`.
 * @throws EtlError `fixture` with the name that was probably meant.
 */
export function checkCaseFiles(folder: string, files: readonly string[], sources: readonly string[]): void {
  const known = [...sources.map(source => `${source}.csv`), 'expected.csv']
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

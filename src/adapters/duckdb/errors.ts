import { EtlError } from '../../domain/error.ts'

/** A failure of DuckDB as an error of ours. Its text can quote a row and name folders, so only its kind passes. */
export function toEtlError(error: unknown): EtlError {
  if (error instanceof EtlError) return error
  const text = error instanceof Error ? error.message : ''
  if (/no space left|ENOSPC|Could not write/i.test(text)) {
    return new EtlError('config', 'the disk for temporary files is full.', {
      hint: 'on nais /tmp is an emptyDir: ask for more ephemeral storage',
      cause: error,
    })
  }
  if (/permission denied|EACCES|EROFS|EEXIST|ENOTDIR|Cannot open file|read-only/i.test(text)) {
    return new EtlError('config', 'the folder for temporary files can not be written.', {
      hint: 'on nais it is /tmp; elsewhere set TMPDIR',
      cause: error,
    })
  }
  if (/Out of Memory/i.test(text))
    return new EtlError('config', 'DuckDB needs more memory than it may have.', {
      hint: 'a single row may be very large',
      cause: error,
    })
  return new EtlError('bug', `DuckDB failed (${/^[A-Z][A-Za-z ]+ Error/.exec(text)?.[0] ?? 'unknown'}).`, { cause: error })
}

import { mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { EtlError } from '../../domain/error.ts'

/** Makes a folder of its own under `directory`. */
export function openFolder(directory: string): Promise<string> {
  return safely(async () => {
    await mkdir(directory, { recursive: true })
    return mkdtemp(join(directory, 'etl-'))
  })
}

/** What the file system says, as an error of ours. */
export async function safely<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const { code } = cause as { code?: unknown }
    // Other errors have numbers.
    if (typeof code !== 'string') throw cause
    throw new EtlError(
      'config',
      code === 'ENOSPC'
        ? 'the disk for temporary files is full.'
        : `the folder for temporary files can not be written (${code}).`,
      { hint: 'on nais it is /tmp, an emptyDir: ask for more ephemeral storage; elsewhere set TMPDIR', cause },
    )
  }
}

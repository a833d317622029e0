import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { EtlError, nearest } from '../../domain/error.ts'
import { CsvFault } from './parse.ts'
import { utf8 } from './utf8.ts'

/** The file's text; a file that is not there is an error with the names beside it. */
export async function* textOf(root: string, path: string): AsyncGenerator<string> {
  try {
    yield* utf8(createReadStream(resolve(root, path)))
  } catch (cause) {
    if (cause instanceof CsvFault) throw cause
    throw await unreadable(root, path, cause)
  }
}

/** The error for a file that can't be opened: the names beside it, where there is none of its name. */
export async function unreadable(root: string, path: string, cause: unknown): Promise<EtlError> {
  const code = (cause as { code?: string }).code
  if (code !== 'ENOENT' && code !== 'EISDIR' && code !== 'ENOTDIR')
    return new EtlError('denied', `${path} can not be read (${code}).`, { cause })
  const beside = await readdir(resolve(root, dirname(path))).catch(() => [])
  const guess = nearest(basename(path), beside)
  const there = beside.length === 0 ? `there is no folder ${dirname(path)}` : `beside it: ${beside.slice(0, 8).join(', ')}`
  return new EtlError('notFound', `there is no file ${path}.`, {
    hint: guess === undefined ? there : `did you mean ${join(dirname(path), guess)}?`,
    cause,
  })
}

import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EtlError } from '../domain/error.ts'

/** Writes all files or none. Throws EtlError `usage` if one of them exists. */
export async function writeNew(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const path of Object.keys(files)) {
    if (await exists(join(root, path)))
      throw new EtlError('usage', `${path} exists already.`, { hint: 'choose another name, or remove the file first' })
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text, { flag: 'wx' })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../support/project.ts'

test('a disk that takes a part of the end of a file only is full, and nothing stays', () => {
  const directory = mkdtempSync(join(tmpdir(), 'full-test-'))
  // The pages have room, and the footer behind them has not: its columns take more bytes than their values.
  const work = `
    import { openRows } from '${root}/src/adapters/parquet/rows.ts'
    const columns = Array.from({ length: 40 }, (_, n) => ({ name: 'a_long_name_' + n, type: 'STRING', mode: 'REQUIRED', rules: [] }))
    const writer = await openRows(columns, { directory: '${directory}' })
    await writer.write([Object.fromEntries(columns.map(({ name }) => [name, 'x']))])
    console.log(await writer.finish().then(() => 'written', error => error.message))
    await writer.discard()`
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  // No file of more than three times 1024 bytes.
  const run = (limit: string) =>
    execFileSync('bash', ['-c', `${limit}; "$0" --input-type=module -e "$1"`, process.execPath, work], { env, encoding: 'utf8' })
  try {
    expect(run('true')).toBe('written\n')
    expect(run('ulimit -f 3')).toContain('the disk for temporary files is full')
    expect(readdirSync(directory)).toEqual([])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

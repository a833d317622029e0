import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { row } from 'nais-etl'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { toEtlError } from '../../../src/adapters/duckdb/errors.ts'
import { createSpool } from '../../../src/adapters/duckdb/spool.ts'
import { EtlError } from '../../../src/domain/error.ts'

test('a folder that can not be written is said, without its path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'errors-test-'))
  try {
    const taken = join(folder, 'a-file')
    await writeFile(taken, '')
    const error = await createSpool({ directory: taken })
      .open(row({ id: z.int() }).columns)
      .catch(caught => caught)
    expect(error).toBeInstanceOf(EtlError)
    expect(error.message).not.toContain(folder)
    expect(error).toMatchObject({ kind: 'config' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test.each([
  ['IO Error: Could not write file "/tmp/x": No space left on device', 'config', 'the disk for temporary files is full.'],
  ['Out of Memory Error: failed to allocate data of size 128.0 MiB', 'config', 'DuckDB needs more memory than it may have.'],
  ["Conversion Error: Could not convert string '01017012345' to INT64", 'bug', 'DuckDB failed (Conversion Error).'],
])("DuckDB's own text is left out: %s", (text, kind, problem) => {
  expect(toEtlError(new Error(text))).toMatchObject({ kind, problem })
})

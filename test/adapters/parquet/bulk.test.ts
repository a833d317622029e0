import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { bq, row } from 'nais-etl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { openBulk } from '../../../src/adapters/parquet/bulk.ts'
import type { Vector, VectorPage } from '../../../src/ports/vectors.ts'

// What a reader of Postgres makes is in test/adapters/postgres/types.test.ts; here the pages are made by hand, and another's reader reads the files.
const { columns } = row({ id: bq.int64(), flag: z.boolean().nullable(), tags: z.array(z.string()) })
const present = (flags: readonly (boolean | null)[]) =>
  flags.includes(null) ? Uint8Array.from(flags, flag => (flag === null ? 0 : 1)) : null

function page(ids: readonly number[], flags: readonly (boolean | null)[], tags: readonly (readonly string[])[]): VectorPage {
  const numbers = Buffer.alloc(8 * ids.length)
  for (const [index, id] of ids.entries()) numbers.writeBigInt64LE(BigInt(id), 8 * index)
  const texts = tags.flat().map(text => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(Buffer.byteLength(text))
    return Buffer.concat([size, Buffer.from(text)])
  })
  const vectors: Vector[] = [
    { values: numbers, present: null, lengths: null },
    { values: Uint8Array.from(flags.filter(flag => flag !== null).map(Number)), present: present(flags), lengths: null },
    { values: Buffer.concat(texts), present: null, lengths: Uint32Array.from(tags, ({ length }) => length) },
  ]
  return { rows: ids.length, columns: vectors }
}

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulk-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function read(files: readonly string[]): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const answer = await connection.runAndReadAll(`SELECT * FROM read_parquet(['${files.join("','")}']) ORDER BY id`)
  connection.closeSync()
  instance.closeSync()
  return answer.getRowsJson()
}

test.each([
  ['lists of all lengths, NULLs at the borders of bytes', 20],
  ['no value at all', 8],
  ['one row', 1],
])('%s', async (what, rows) => {
  const ids = Array.from({ length: rows }, (_, index) => index)
  const flags = ids.map(id => (what === 'no value at all' ? null : id % 8 === 7 || id === 0 ? null : id % 3 === 0))
  const tags = ids.map(id =>
    what === 'no value at all' ? [] : Array.from({ length: id % 5 }, (_, tag) => `å${tag}`.repeat(tag)),
  )
  const writer = await openBulk(columns, { directory })
  await writer.write(page(ids, flags, tags))
  const { files } = await writer.finish()
  expect(await read(files)).toEqual(ids.map((id, index) => [String(id), flags[index], tags[index]]))
})

test('a file that is large enough is followed by another', async () => {
  const writer = await openBulk(columns, { directory, partBytes: 1 })
  for (let id = 0; id < 3; id++) await writer.write(page([id], [true], [['x']]))
  const { files, rows, contentHash } = await writer.finish()
  expect([files.length, rows, contentHash]).toEqual([3, 3, null])
  expect(await read(files)).toEqual([0, 1, 2].map(id => [String(id), true, ['x']]))
  await writer.discard()
  await writer.discard()
  expect(await readdir(directory)).toEqual([])
})

test('without a page there is no file', async () => {
  const writer = await openBulk(columns, { directory })
  expect(await writer.finish()).toEqual({ files: [], rows: 0, contentHash: null })
  await writer.discard()
})

test('what is half written is deleted', async () => {
  const writer = await openBulk(columns, { directory })
  await writer.write(page([1], [null], [[]]))
  await writer.discard()
  expect(await readdir(directory)).toEqual([])
})

test('a folder that can not be written is a sentence', async () => {
  const file = join(directory, 'file')
  await writeFile(file, '')
  await chmod(file, 0o600)
  const error = await openBulk(columns, { directory: file }).catch(error => error)
  expect(error).toMatchObject({ kind: 'config' })
  expect(error.message).toContain('the folder for temporary files can not be written (E')
})

// MD5 of many lines at once, by WebAssembly that is assembled here and by node:crypto, against node:crypto line by line.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type Batch, cryptoBatch, openBatch, wasmBatch } from '../../../src/adapters/parquet/md5/batch.ts'
import { linesAt, startBehind } from '../../../src/adapters/parquet/md5/module.ts'
import { hashOf as contentHash, Sums } from '../../../src/adapters/parquet/sums.ts'
import type { Column } from '../../../src/domain/column.ts'

const columns: readonly Column[] = [{ name: 'a', type: 'STRING', mode: 'NULLABLE', rules: [] }]

/** Cut from the digest's hexadecimal text, as the query does (domain/content.ts). */
function hashOf(lines: readonly Uint8Array[]): string {
  let [first, second] = [0n, 0n]
  for (const line of lines) {
    const text = createHash('md5').update(line).digest('hex')
    first += BigInt(`0x${text.slice(0, 15)}`)
    second += BigInt(`0x${text.slice(15, 30)}`)
  }
  return `2-${lines.length}-${first}-${second}`
}

/** The same by `Sums`, in a batch that is full of something else at first. */
function sumsOf(lines: readonly Uint8Array[], batch: Batch): string {
  batch.lines.fill(0xa5)
  const sums = new Sums(batch)
  for (const line of lines) {
    sums.line.copy(line, 0, line.length)
    expect(sums.add()).toBe(line.length)
  }
  return contentHash(columns, [sums.totals()])
}

const lineOf = (length: number, seed = length) => Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17) & 255)

test('WebAssembly is taken where there is one, else node:crypto', () => {
  const isWasm = ({ lines }: Batch) => lines.byteOffset === linesAt
  expect(isWasm(openBatch())).toBe(true)
  vi.stubGlobal('WebAssembly', undefined)
  try {
    expect(isWasm(openBatch())).toBe(false)
    expect(wasmBatch).toThrow(TypeError)
  } finally {
    vi.unstubAllGlobals()
  }
})

describe.each([
  ['WebAssembly', wasmBatch],
  ['node:crypto', cryptoBatch],
])('%s', (_, open) => {
  test('nothing', () => expect(sumsOf([], open())).toBe('2-0-0-0'))

  test('a line of every length, with the borders of the padding among them, alone and behind all shorter ones', () => {
    const lines = Array.from({ length: 400 }, (_, length) => lineOf(length))
    for (const line of lines) expect(sumsOf([line], open())).toBe(hashOf([line]))
    expect(sumsOf(lines, open())).toBe(hashOf(lines))
    expect(sumsOf(lines.toReversed(), open())).toBe(hashOf(lines))
  })

  test('any lines in batches of every size', () => {
    const batch = open()
    const lines = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(lines, lines => {
        batch.sums.fill(0n)
        expect(sumsOf(lines, batch)).toBe(hashOf(lines))
      }),
      { numRuns: 200 },
    )
  })

  test('each line for itself, whatever stands beside it', () => {
    const lengths = [0, 55, 56, 63, 64, 119, 120, 183, 184, 1000]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lengths), { minLength: 1, maxLength: 12 }), chosen => {
        const lines = chosen.map((length, index) => lineOf(length, index))
        expect(sumsOf(lines, open())).toBe(hashOf(lines))
      }),
      { numRuns: 50 },
    )
  })

  test('so many that the halves carry, in many batches', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => lineOf(index % 211, index))
    expect(sumsOf(lines, open())).toBe(hashOf(lines))
  })

  test('long lines: up to the room of a batch, over it, and short ones between', () => {
    const kib = 1024
    const lengths = [
      5,
      32 * kib,
      96 * kib,
      200 * kib,
      7,
      0,
      128 * kib,
      40 * kib,
      40 * kib,
      40 * kib,
      9,
      1,
      300 * kib,
      129 * kib,
      3,
    ]
    const lines = lengths.map(lineOf)
    expect(sumsOf(lines, open())).toBe(hashOf(lines))
    const alone = 128 * kib - 1
    expect(sumsOf([lineOf(alone)], open())).toBe(hashOf([lineOf(alone)]))
    expect(sumsOf([lineOf(alone + 1), lineOf(1)], open())).toBe(hashOf([lineOf(alone + 1), lineOf(1)]))
  })
})

test('two results that are written by turns keep to themselves', () => {
  const [one, other] = [new Sums(), new Sums()]
  const lines = [lineOf(70), lineOf(3), lineOf(170)]
  for (const line of lines) {
    one.line.copy(line, 0, line.length)
    one.add()
    other.line.copy(line, 1, line.length)
    other.add()
  }
  expect(contentHash(columns, [one.totals()])).toBe(hashOf(lines))
  expect(contentHash(columns, [other.totals()])).toBe(hashOf(lines.map(line => line.subarray(1))))
})

test('a line begins at a block, with nine bytes at least behind the one before', () => {
  expect([0, 55, 56, 64, 119, 120].map(startBehind)).toEqual([64, 64, 128, 128, 128, 192])
})

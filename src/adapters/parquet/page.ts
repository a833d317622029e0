import type { Column } from '../../domain/column.ts'
import type { Vector } from '../../ports/vectors.ts'

/** A data page before it is compressed, in pieces: levels, then values. `entries` counts both the values and the NULLs. */
export type Page = { readonly pieces: readonly Uint8Array[]; readonly entries: number }

/**
 * A Vector as Parquet's first data page (Encodings.md, 'RLE/bit-packing hybrid'): which rows have a value is said by a bit each, and of a list by the
 * levels of its elements.
 */
export function pageOf(column: Column, { values, present, lengths }: Vector, rows: number): Page {
  const plain = column.type === 'BOOL' ? bits(values) : values
  if (lengths === null) {
    const levels = present === null ? run(rows, 1, 1) : packed(bits(present))
    return { pieces: [sized(levels), plain], entries: rows }
  }
  const { repetition, definition } = listLevels(lengths)
  return {
    pieces: [sized(packed(bits(repetition))), sized(packed(pairs(definition))), plain],
    entries: repetition.length,
  }
}

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}

/** Levels in front of values stand behind their own length. */
function sized(levels: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(levels.length)
  return Buffer.concat([size, levels])
}

/** One level, so many times. */
function run(count: number, level: number, bytesOfLevel: number): Uint8Array {
  return Buffer.concat([varint(count * 2), Buffer.alloc(bytesOfLevel, level)])
}

/** Levels that are packed already, eight at a time. */
function packed(levels: Uint8Array & { readonly groups: number }): Uint8Array {
  return Buffer.concat([varint(levels.groups * 2 + 1), levels])
}

/** A bit for each byte, the lowest first. */
function bits(flags: Uint8Array): Uint8Array & { readonly groups: number } {
  const groups = Math.ceil(flags.length / 8)
  const result = new Uint8Array(groups)
  for (let index = 0; index < flags.length; index++)
    result[index >> 3] = (result[index >> 3] as number) | ((flags[index] as number) << (index & 7))
  return Object.assign(result, { groups })
}

/** Two bits for each byte. */
function pairs(levels: Uint8Array): Uint8Array & { readonly groups: number } {
  const groups = Math.ceil(levels.length / 8)
  const result = new Uint8Array(groups * 2)
  for (let index = 0; index < levels.length; index++)
    result[index >> 2] = (result[index >> 2] as number) | ((levels[index] as number) << ((index & 3) * 2))
  return Object.assign(result, { groups })
}

/** An empty list is one entry without an element (definition 1); an element that is there has 3, and repeats its list after the first. */
function listLevels(lengths: Uint32Array): { repetition: Uint8Array; definition: Uint8Array } {
  const entries = lengths.reduce((sum, length) => sum + Math.max(1, length), 0)
  const [repetition, definition] = [new Uint8Array(entries), new Uint8Array(entries)]
  let at = 0
  for (const length of lengths) {
    definition.fill(length === 0 ? 1 : 3, at, at + Math.max(1, length))
    repetition.fill(1, at + 1, at + Math.max(1, length))
    at += Math.max(1, length)
  }
  return { repetition, definition }
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}

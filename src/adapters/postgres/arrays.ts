import type { Value } from '../../domain/column.ts'
import type { Builder } from './builder.ts'
import { type Codec, Unfit } from './codecs.ts'

/**
 * The elements of an array of one dimension (src/backend/utils/adt/arrayfuncs.c, array_send): number of dimensions, flags, type, and for each dimension
 * its length and first index, then each element's size and bytes. A list has neither a lower bound nor an inner list.
 */
export function putArray(element: Codec, from: Buffer, at: number, to: Builder): number {
  const count = countOf(from, at)
  let place = at + 20
  for (let index = 0; index < count; index++) {
    const size = sizeOf(from, place)
    to.room(3 * size + 48)
    element.put(from, place + 4, size, to)
    place += 4 + size
  }
  return count
}

export function arrayValue(element: Codec, from: Buffer, at: number): Value {
  const count = countOf(from, at)
  const values: Value[] = []
  let place = at + 20
  for (let index = 0; index < count; index++) {
    const size = sizeOf(from, place)
    values.push(element.value(from, place + 4, size))
    place += 4 + size
  }
  return values
}

function countOf(from: Buffer, at: number): number {
  const dimensions = from.readInt32BE(at)
  if (dimensions > 1) throw new Unfit('an array of more than one dimension')
  return dimensions === 0 ? 0 : from.readInt32BE(at + 12)
}

function sizeOf(from: Buffer, place: number): number {
  const size = from.readInt32BE(place)
  if (size < 0) throw new Unfit('an array with a NULL in it')
  return size
}

import type { Column, Value } from '../../domain/column.ts'
import { int32 } from '../../domain/int32.ts'
import { jsonProblem } from '../../domain/json.ts'
import type { Builder } from './builder.ts'
import { numericProblem, numericText, putNumeric } from './numeric.ts'
import { texts } from './texts.ts'
import { dateText, outside, putDate, putTime, putTimestamp, timestampText, timeText } from './times.ts'

/** A value that BigQuery has no place for. */
export class Unfit extends Error {}

/** How values of one Postgres type in its binary format become those of a column. Both throw Unfit, without the value. */
export type Codec = {
  /** As Parquet's bytes, at the end of the builder, which has room for 48 bytes more than three times the value's. */
  readonly put: (from: Buffer, at: number, size: number, to: Builder) => void
  /** As the value in memory (domain/column.ts). */
  readonly value: (from: Buffer, at: number, size: number) => Value
}

/** A way of sending values; `select.ts` casts so that one of them comes. */
export type Wire =
  | 'text'
  | 'jsonb'
  | 'bytea'
  | 'uuid'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'float4'
  | 'float8'
  | 'bool'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'numeric'

/** The codec of a scalar, or of an array's elements. */
export function codecOf(wire: Wire, column: Column): Codec {
  switch (wire) {
    case 'text':
      return column.type === 'JSON' ? json(0) : { put: bytes, value: texts() }
    case 'jsonb':
      // In front of the text stands the format's number, 1.
      return column.type === 'JSON'
        ? json(1)
        : {
            put: (from, at, size, to) => bytes(from, at + 1, size - 1, to),
            value: (from, at, size) => from.toString('utf8', at + 1, at + size),
          }
    case 'bytea':
      return { put: bytes, value: (from, at, size) => new Uint8Array(from.subarray(at, at + size)) }
    case 'uuid':
      return { put: putUuid, value: uuidText }
    case 'bool':
      return {
        put: (from, at, _, to) => {
          to.bytes[to.used++] = from[at] as number
        },
        value: (from, at) => from[at] === 1,
      }
    case 'int2':
    case 'int4':
    case 'int8':
      return integer(wire, column)
    case 'float4':
      return float((from, at) => from.readFloatBE(at))
    case 'float8':
      return float((from, at) => from.readDoubleBE(at))
    case 'date':
      return { put: fixed(4, putDate), value: (from, at) => dateText(from, at) ?? unfit(outside.date) }
    case 'time':
      return { put: fixed(8, putTime), value: (from, at) => timeText(from, at) ?? unfit(outside.time) }
    case 'timestamp':
      return {
        put: fixed(8, putTimestamp),
        value:
          column.type === 'TIMESTAMP'
            ? (from, at) => timestampText(from, at, 'Z') ?? unfit(outside.timestamp)
            : (from, at) => timestampText(from, at, '') ?? unfit(outside.timestamp),
      }
    case 'numeric':
      return numeric(column.type === 'BIGNUMERIC' ? 'BIGNUMERIC' : 'NUMERIC')
  }
}

function fixed(size: number, write: (from: Buffer, at: number, to: Buffer, place: number) => string | undefined): Codec['put'] {
  return (from, at, _, to) => {
    const wrong = write(from, at, to.bytes, to.used)
    if (wrong !== undefined) unfit(wrong)
    to.used += size
  }
}

function unfit(what: string): never {
  throw new Unfit(what)
}

function numeric(type: 'NUMERIC' | 'BIGNUMERIC'): Codec {
  const textOf = (from: Buffer, at: number) => {
    const found = numericText(from, at)
    const wrong = numericProblem(found, type)
    if (wrong !== undefined) throw new Unfit(wrong)
    return found
  }
  if (type === 'NUMERIC') return { put: fixed(16, putNumeric), value: textOf }
  return {
    put(from, at, _, to) {
      const found = textOf(from, at)
      to.room(4 + found.length)
      to.bytes.writeUInt32LE(found.length, to.used)
      to.bytes.write(found, to.used + 4, 'latin1')
      to.used += 4 + found.length
    },
    value: textOf,
  }
}

/** The two halves of a number, the lower one first as every machine here has it, and the number: five times as quick as readBigInt64BE. */
const whole = new BigInt64Array(1)
const halves = new Int32Array(whole.buffer)

function integer(wire: 'int2' | 'int4' | 'int8', column: Column): Codec {
  const size = { int2: 2, int4: 4, int8: 8 }[wire]
  const isBig = column.bigint === true
  const safe = (high: number, low: number) => {
    const number = high * 2 ** 32 + low
    if (!isBig && !Number.isSafeInteger(number)) throw new Unfit('a whole number beyond 2^53; with bq.int64() it is read exactly')
    return number
  }
  return {
    put(from, at, _, to) {
      // Two halves of 32 bits; a shorter number's sign fills the upper one.
      const low = size === 2 ? from.readInt16BE(at) : int32(from, at + size - 4)
      const high = size === 8 ? int32(from, at) : low >> 31
      if (size === 8) safe(high, low >>> 0)
      const { bytes: target, used } = to
      target[used] = low
      target[used + 1] = low >>> 8
      target[used + 2] = low >>> 16
      target[used + 3] = low >>> 24
      target[used + 4] = high
      target[used + 5] = high >>> 8
      target[used + 6] = high >>> 16
      target[used + 7] = high >>> 24
      to.used += 8
    },
    value:
      size < 8
        ? (from, at) => {
            const number = size === 2 ? from.readInt16BE(at) : int32(from, at)
            return isBig ? BigInt(number) : number
          }
        : isBig
          ? (from, at) => {
              halves[0] = int32(from, at + 4)
              halves[1] = int32(from, at)
              return whole[0] as bigint
            }
          : (from, at) => safe(int32(from, at), int32(from, at + 4) >>> 0),
  }
}

function float(read: (from: Buffer, at: number) => number): Codec {
  const value = (from: Buffer, at: number) => {
    const number = read(from, at)
    if (!Number.isFinite(number)) throw new Unfit(Number.isNaN(number) ? 'NaN' : 'infinity')
    return number
  }
  return {
    put(from, at, _, to) {
      to.bytes.writeDoubleLE(value(from, at), to.used)
      to.used += 8
    },
    value,
  }
}

function json(skip: number): Codec {
  const value = (from: Buffer, at: number, size: number) => {
    const found = from.toString('utf8', at + skip, at + size)
    const wrong = jsonProblem(found)
    if (wrong !== undefined) throw new Unfit(`JSON with ${wrong}`)
    return found
  }
  return {
    put(from, at, size, to) {
      value(from, at, size)
      bytes(from, at + skip, size - skip, to)
    },
    value,
  }
}

/** Length, four bytes, and the bytes. */
function bytes(from: Buffer, at: number, size: number, to: Builder): void {
  const target = to.bytes
  let place = to.used
  target[place++] = size
  target[place++] = size >>> 8
  target[place++] = size >>> 16
  target[place++] = size >>> 24
  // A call costs more than a few bytes.
  if (size < 24) for (let end = at + size; at < end; at++) target[place++] = from[at] as number
  else {
    from.copy(target, place, at, at + size)
    place += size
  }
  to.used = place
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const upper = Uint8Array.from(hex, pair => pair.charCodeAt(0))
const lower = Uint8Array.from(hex, pair => pair.charCodeAt(1))

function putUuid(from: Buffer, at: number, _: number, to: Builder): void {
  const target = to.bytes
  target[to.used] = 36
  target[to.used + 1] = target[to.used + 2] = target[to.used + 3] = 0
  writeUuid(from, at, target, to.used + 4)
  to.used += 40
}

/** One call with all characters: a text cut from a buffer costs twice as much. */
function uuidText(from: Buffer, at: number): string {
  const u = (index: number) => upper[from[at + index] as number] as number
  const l = (index: number) => lower[from[at + index] as number] as number
  // biome-ignore format: as a uuid is written
  return String.fromCharCode(
    u(0), l(0), u(1), l(1), u(2), l(2), u(3), l(3), 45, u(4), l(4), u(5), l(5), 45, u(6), l(6), u(7), l(7), 45,
    u(8), l(8), u(9), l(9), 45, u(10), l(10), u(11), l(11), u(12), l(12), u(13), l(13), u(14), l(14), u(15), l(15),
  )
}

function writeUuid(from: Buffer, at: number, to: Buffer, start: number): void {
  let place = start
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) to[place++] = 45
    const byte = from[at + index] as number
    to[place++] = upper[byte] as number
    to[place++] = lower[byte] as number
  }
}

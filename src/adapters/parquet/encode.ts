import type { Column, ColumnType, Value } from '../../domain/column.ts'
import { shortest } from '../../domain/decimal.ts'
import { inside, noPlace } from '../../domain/misfit.ts'
import { isDecimal } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'
import { doubleText, putNumeric } from './decimal.ts'
import type { Sink } from './sink.ts'
import { putDate, putDatetime, putTime, putTimestamp } from './times.ts'

/** Writes a value to its column, and to the text of its row that is hashed (domain/content.ts). Throws Misfit. */
export type Put = (value: Value | undefined, to: Sink, line: Bytes) => void

const [semicolon, colon, bracket, letterN] = [59, 58, 91, 110]

/** Compiles what writes the values of a column that is no record. */
export function encoder(column: Column): Put {
  const scalar = scalarOf(column.type)
  const end = sized.has(column.type) ? colon : semicolon
  if (column.mode === 'REPEATED') {
    const element: Column = { ...column, mode: 'REQUIRED' }
    const one = (value: Value | undefined, to: Bytes, line: Bytes) => {
      if (value === null || value === undefined || !scalar(value, to, line)) throw noPlace(element, value, false)
      if (end === semicolon) close(line)
    }
    return (value, to, line) => {
      if (!Array.isArray(value)) throw noPlace(column, value, false)
      line.room(20)
      line.decimal(value.length)
      line.byte(bracket)
      for (let index = 0; index < value.length; index++) inside(`[${index}]`, () => one(value[index], to.values, line))
      to.list(value.length)
    }
  }
  return (value, to, line) => {
    if (value === null || value === undefined) {
      if (column.mode !== 'NULLABLE') throw noPlace(column, null, false)
      to.null()
      line.room(2)
      line.byte(letterN)
      line.byte(end)
      return
    }
    if (!scalar(value, to.values, line)) throw noPlace(column, value, false)
    to.value()
    if (end === semicolon) close(line)
  }
}

/** Their text stands behind its own length, and nothing behind it. */
const sized: ReadonlySet<ColumnType> = new Set(['STRING', 'JSON', 'BIGNUMERIC'])

function close(line: Bytes): void {
  line.room(1)
  line.byte(semicolon)
}

/** False: the value has no place there. */
type Scalar = (value: Value, to: Bytes, line: Bytes) => boolean

function scalarOf(type: ColumnType): Scalar {
  const text = (put: (text: string, to: Bytes, line: Bytes) => boolean): Scalar => {
    return (value, to, line) => typeof value === 'string' && put(value, to, line)
  }
  switch (type) {
    case 'INT64':
      return putInteger
    case 'FLOAT64':
      return putDouble
    case 'BOOL':
      return putFlag
    case 'BYTES':
      return putBytes
    case 'NUMERIC':
      return text(putNumeric)
    case 'BIGNUMERIC':
      return text((value, to, line) => isDecimal(value, 39, 38) && putText(shortest(value), to, line))
    case 'TIMESTAMP':
      return text(putTimestamp)
    case 'DATETIME':
      return text(putDatetime)
    case 'DATE':
      return text(putDate)
    case 'TIME':
      return text(putTime)
    case 'GEOGRAPHY':
      return text(putPlace)
    case 'RECORD':
      throw new TypeError('a record has no vector')
    default:
      return text(putText)
  }
}

function putText(text: string, to: Bytes, line: Bytes): boolean {
  const size = putSized(text, to)
  if (size < 0) return false
  line.room(16)
  line.decimal(size)
  line.byte(colon)
  line.copy(to.bytes, to.used - size, to.used)
  return true
}

/** Only whether there is one is hashed: BigQuery makes a text of its own. */
function putPlace(text: string, to: Bytes, line: Bytes): boolean {
  if (putSized(text, to) < 0) return false
  line.room(1)
  line.ascii('g')
  return true
}

/** @returns how many bytes, -1 for what has no UTF-8. */
function putSized(text: string, to: Bytes): number {
  // A half of a surrogate pair has no UTF-8.
  if (!text.isWellFormed()) return -1
  to.room(4)
  const at = to.used
  to.used += 4
  const size = to.text(text)
  to.used = at
  to.int32(size)
  to.used += size
  return size
}

function putInteger(value: Value, to: Bytes, line: Bytes): boolean {
  to.room(8)
  line.room(24)
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) return false
    const number = Number(value)
    if (!Number.isSafeInteger(number)) {
      to.bytes.writeBigInt64LE(value, to.used)
      to.used += 8
      line.ascii(String(value))
      return true
    }
    to.int64(number)
    line.decimal(number)
    return true
  }
  if (!Number.isSafeInteger(value)) return false
  to.int64(value as number)
  line.decimal(value as number)
  return true
}

function putDouble(value: Value, to: Bytes, line: Bytes): boolean {
  if (typeof value !== 'number') return false
  to.room(8)
  to.bytes.writeDoubleLE(value, to.used)
  to.used += 8
  line.room(32)
  line.ascii(doubleText(value))
  return true
}

function putFlag(value: Value, to: Bytes, line: Bytes): boolean {
  if (typeof value !== 'boolean') return false
  to.room(1)
  to.byte(value ? 1 : 0)
  line.room(5)
  line.ascii(value ? 'true' : 'false')
  return true
}

function putBytes(value: Value, to: Bytes, line: Bytes): boolean {
  if (!(value instanceof Uint8Array)) return false
  to.room(4)
  to.int32(value.length)
  to.copy(value, 0, value.length)
  line.room(2 * value.length)
  line.used += line.bytes.write(Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex'), line.used, 'latin1')
  return true
}

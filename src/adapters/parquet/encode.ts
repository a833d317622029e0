import type { AnyRow, Column, ColumnType, Value } from '../../domain/column.ts'
import { compile, quoted } from '../../domain/compile.ts'
import { shortest } from '../../domain/decimal.ts'
import { inside, noPlace } from '../../domain/misfit.ts'
import { isDecimal } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'
import { doubleText, putNumeric } from './decimal.ts'
import type { Sink } from './sink.ts'
import { putDate, putDatetime, putTime, putTimestamp } from './times.ts'

/** Writes the values of a row to their columns, and to the text of the row that is hashed (domain/content.ts). Throws Misfit. */
export type PutRow = (row: AnyRow, sinks: readonly Sink[], line: Bytes) => void

/** Makes what writes rows of these columns, none of them a record: a call of its own for each (domain/compile.ts). */
export function rowEncoder(columns: readonly Column[]): PutRow {
  const scope: Record<string, unknown> = {
    absent(index: number, sink: Sink, line: Bytes) {
      putNull(columns[index] as Column, sink, line)
    },
    refuse(index: number, value: Value) {
      throw noPlace(columns[index] as Column, value, false)
    },
  }
  const lines = columns.map((column, index) => {
    const value = `row[${quoted(column.name)}]`
    if (column.mode === 'REPEATED') {
      scope[`p${index}`] = listEncoder(column)
      return `p${index}(${value}, sinks[${index}], line)`
    }
    scope[`p${index}`] = scalarOf(column.type)
    return `value = ${value}; sink = sinks[${index}]
      if (value === null || value === undefined) absent(${index}, sink, line)
      else if (p${index}(value, sink.values, line)) sink.value()
      else refuse(${index}, value)`
  })
  return compile(scope, `(row, sinks, line) => { let value, sink; ${lines.join('\n')} }`)
}

const [semicolon, colon, bracket, letterN] = [59, 58, 91, 110]

function putNull(column: Column, to: Sink, line: Bytes): void {
  if (column.mode !== 'NULLABLE') throw noPlace(column, null, false)
  to.null()
  line.room(2)
  line.byte(letterN)
  line.byte(sized.has(column.type) ? colon : semicolon)
}

/** Their text stands behind its own length, and nothing behind it. */
const sized: ReadonlySet<ColumnType> = new Set(['STRING', 'JSON', 'BIGNUMERIC'])

function listEncoder(column: Column): (value: Value | undefined, to: Sink, line: Bytes) => void {
  const scalar = scalarOf(column.type)
  const element: Column = { ...column, mode: 'REQUIRED' }
  const one = (value: Value | undefined, to: Bytes, line: Bytes) => {
    if (value === null || value === undefined || !scalar(value, to, line)) throw noPlace(element, value, false)
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

/** Writes what is there, and what ends it on the line. False: the value has no place there. */
type Scalar = (value: Value, to: Bytes, line: Bytes) => boolean

function scalarOf(type: ColumnType): Scalar {
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
      return putNumeric
    case 'BIGNUMERIC':
      return (value, to, line) => typeof value === 'string' && isDecimal(value, 39, 38) && putText(shortest(value), to, line)
    case 'TIMESTAMP':
      return putTimestamp
    case 'DATETIME':
      return putDatetime
    case 'DATE':
      return putDate
    case 'TIME':
      return putTime
    case 'GEOGRAPHY':
      return putPlace
    case 'RECORD':
      throw new TypeError('a record has no vector')
    default:
      return putText
  }
}

function putText(text: Value, to: Bytes, line: Bytes): boolean {
  if (typeof text !== 'string') return false
  const size = putSized(text, to)
  if (size < 0) return false
  line.room(16)
  line.decimal(size)
  line.byte(colon)
  line.copy(to.bytes, to.used - size, to.used)
  return true
}

/** Only whether there is one is hashed: BigQuery makes a text of its own. */
function putPlace(text: Value, to: Bytes, line: Bytes): boolean {
  if (typeof text !== 'string' || putSized(text, to) < 0) return false
  line.room(2)
  line.ascii('g;')
  return true
}

/** @returns how many bytes, -1 for what has no UTF-8. */
function putSized(text: string, to: Bytes): number {
  to.room(4)
  const at = to.used
  to.used += 4
  const size = to.text(text)
  if (size < 0) return size
  to.used = at
  to.int32(size)
  to.used += size
  return size
}

/** A number of 64 bits, and its halves, the lower one first. */
const big = new BigInt64Array(1)
const halves = new Int32Array(big.buffer)

function putInteger(value: Value, to: Bytes, line: Bytes): boolean {
  to.room(8)
  line.room(24)
  if (typeof value === 'bigint') {
    big[0] = value
    if (big[0] !== value) return false
    const [low, high] = [halves[0] as number, halves[1] as number]
    to.int32(low)
    to.int32(high)
    const number = high * 2 ** 32 + (low >>> 0)
    if (Number.isSafeInteger(number)) line.decimal(number)
    else line.ascii(String(value))
  } else {
    if (!Number.isSafeInteger(value)) return false
    to.int64(value as number)
    line.decimal(value as number)
  }
  line.byte(semicolon)
  return true
}

function putDouble(value: Value, to: Bytes, line: Bytes): boolean {
  if (typeof value !== 'number') return false
  to.room(8)
  to.bytes.writeDoubleLE(value, to.used)
  to.used += 8
  line.room(32)
  line.ascii(doubleText(value))
  line.byte(semicolon)
  return true
}

function putFlag(value: Value, to: Bytes, line: Bytes): boolean {
  if (typeof value !== 'boolean') return false
  to.room(1)
  to.byte(value ? 1 : 0)
  line.room(6)
  line.ascii(value ? 'true;' : 'false;')
  return true
}

function putBytes(value: Value, to: Bytes, line: Bytes): boolean {
  if (!(value instanceof Uint8Array)) return false
  to.room(4)
  to.int32(value.length)
  to.copy(value, 0, value.length)
  line.room(2 * value.length + 1)
  line.used += line.bytes.write(Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex'), line.used, 'latin1')
  line.byte(semicolon)
  return true
}

import type { AnyRow, Column, ColumnType, Value } from '../../domain/column.ts'
import { compile, quoted } from '../../domain/compile.ts'
import { shortest } from '../../domain/decimal.ts'
import { inside, noPlace } from '../../domain/misfit.ts'
import { isDecimal } from '../../domain/text.ts'
import type { Bytes } from './bytes.ts'
import { putNumeric } from './numeric.ts'
import type { Sink } from './sink.ts'
import { putDate, putDatetime, putTime, putTimestamp } from './times.ts'

/** Writes the values of a row to their columns. @returns how many bytes there are now in all of them. Throws Misfit. */
export type PutRow = (row: AnyRow, sinks: readonly Sink[]) => number

/** Makes what writes rows of these columns, none of them a record: a call of its own for each (domain/compile.ts). */
export function rowEncoder(columns: readonly Column[]): PutRow {
  const scope: Record<string, unknown> = {
    absent(index: number, sink: Sink) {
      const column = columns[index] as Column
      if (column.mode !== 'NULLABLE') throw noPlace(column, null, false)
      sink.null()
    },
    refuse(index: number, value: Value) {
      throw noPlace(columns[index] as Column, value, false)
    },
  }
  const parts = columns.map((column, index) => {
    const value = `row[${quoted(column.name)}]`
    if (column.mode === 'REPEATED') {
      scope[`p${index}`] = listEncoder(column)
      return `sink = sinks[${index}]; p${index}(${value}, sink); size += sink.values.used`
    }
    scope[`p${index}`] = scalarOf(column.type)
    return `value = ${value}; sink = sinks[${index}]
      if (value === null || value === undefined) absent(${index}, sink)
      else if (p${index}(value, sink.values)) sink.value()
      else refuse(${index}, value)
      size += sink.values.used`
  })
  return compile(scope, `(row, sinks) => { let value, sink, size = 0; ${parts.join('\n')}; return size }`)
}

function listEncoder(column: Column): (value: Value | undefined, to: Sink) => void {
  const scalar = scalarOf(column.type)
  const element: Column = { ...column, mode: 'REQUIRED' }
  const one = (value: Value | undefined, to: Bytes) => {
    if (value === null || value === undefined || !scalar(value, to)) throw noPlace(element, value, false)
  }
  return (value, to) => {
    if (!Array.isArray(value)) throw noPlace(column, value, false)
    for (let index = 0; index < value.length; index++) inside(`[${index}]`, () => one(value[index], to.values))
    to.list(value.length)
  }
}

/** Writes what is there. False: the value has no place there. */
type Scalar = (value: Value, to: Bytes) => boolean

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
      return (value, to) => typeof value === 'string' && isDecimal(value, 39, 38) && putText(shortest(value), to)
    case 'TIMESTAMP':
      return putTimestamp
    case 'DATETIME':
      return putDatetime
    case 'DATE':
      return putDate
    case 'TIME':
      return putTime
    case 'RECORD':
      throw new TypeError('a record has no vector')
    default:
      return putText
  }
}

/** False for what has no UTF-8. */
function putText(text: Value, to: Bytes): boolean {
  if (typeof text !== 'string') return false
  to.room(4)
  const at = to.used
  to.used += 4
  const size = to.text(text)
  if (size < 0) return false
  to.used = at
  to.int32(size)
  to.used += size
  return true
}

/** A number of 64 bits, and its halves, the lower one first. */
const big = new BigInt64Array(1)
const halves = new Int32Array(big.buffer)

function putInteger(value: Value, to: Bytes): boolean {
  to.room(8)
  if (typeof value === 'bigint') {
    big[0] = value
    if (big[0] !== value) return false
    to.int32(halves[0] as number)
    to.int32(halves[1] as number)
    return true
  }
  if (!Number.isSafeInteger(value)) return false
  to.int64(value as number)
  return true
}

function putDouble(value: Value, to: Bytes): boolean {
  if (typeof value !== 'number') return false
  to.room(8)
  to.bytes.writeDoubleLE(value, to.used)
  to.used += 8
  return true
}

function putFlag(value: Value, to: Bytes): boolean {
  if (typeof value !== 'boolean') return false
  to.room(1)
  to.byte(value ? 1 : 0)
  return true
}

function putBytes(value: Value, to: Bytes): boolean {
  if (!(value instanceof Uint8Array)) return false
  to.room(4)
  to.int32(value.length)
  to.copy(value, 0, value.length)
  return true
}

import type { ColumnType, Value } from '../../../domain/column.ts'
import type { ArrowField } from './arrow.ts'
import { strings, viewOf } from './strings.ts'
import { dateText, datetimeText, decimalText, timeText } from './texts.ts'

/**
 * Compiles what reads the values of a column without children from its buffers, of which `buffer` gives the next; NULLs are looked at elsewhere. `type`
 * undefined: the column is not wanted, only passed over. `doubt` hears of a number that its column should not have.
 * @throws RangeError for a form that we don't know or that the type never has.
 */
export function scalar(
  type: ColumnType | undefined,
  { form, scale }: ArrowField,
  bigint: boolean,
): (buffer: () => Uint8Array, doubt: () => void) => (row: number) => Value {
  const fits = type === undefined || (forms[type] ?? []).includes(form)
  if (!fits) throw new RangeError(`a ${type} column as ${form}`)
  switch (form) {
    case 'utf8':
      return buffer => strings(viewOf(buffer()), buffer())
    case 'binary':
      return buffer => {
        const offsets = viewOf(buffer())
        const bytes = buffer()
        return row => new Uint8Array(bytes.subarray(offsets.getInt32(4 * row, true), offsets.getInt32(4 * row + 4, true)))
      }
    case 'bool':
      return buffer => {
        const bits = buffer()
        return row => (((bits[row >> 3] as number) >> (row & 7)) & 1) === 1
      }
    case 'int64':
      return (buffer, doubt) => {
        const view = viewOf(buffer())
        if (bigint) return row => view.getBigInt64(8 * row, true)
        return row => {
          const value = rounded(view, 8 * row)
          if (!Number.isSafeInteger(value)) doubt()
          return value
        }
      }
    case 'float64':
      return buffer => {
        const view = viewOf(buffer())
        return row => view.getFloat64(8 * row, true)
      }
    case 'days':
      return buffer => {
        const view = viewOf(buffer())
        return row => dateText(view.getInt32(4 * row, true))
      }
    case 'time microseconds':
      return buffer => {
        const view = viewOf(buffer())
        return row => timeText(rounded(view, 8 * row))
      }
    case 'timestamp microseconds':
      return buffer => {
        const view = viewOf(buffer())
        const zone = type === 'TIMESTAMP' ? 'Z' : ''
        return row => {
          const micros = rounded(view, 8 * row)
          return `${datetimeText(Number.isSafeInteger(micros) ? micros : view.getBigInt64(8 * row, true))}${zone}`
        }
      }
    case 'decimal128':
    case 'decimal256': {
      const size = form === 'decimal128' ? 16 : 32
      return buffer => {
        const view = viewOf(buffer())
        return row => {
          const from = row * size
          // The highest word has the sign.
          let value = view.getBigInt64(from + size - 8, true)
          for (let at = from + size - 16; at >= from; at -= 8) value = (value << 64n) | view.getBigUint64(at, true)
          return decimalText(value, scale)
        }
      }
    }
    default:
      throw new RangeError(`a column as ${form}`)
  }
}

/** BigQuery: Storage Read API, 'Arrow schema details'. JSON and GEOGRAPHY come as text. */
const forms: Readonly<Partial<Record<ColumnType, readonly string[]>>> = {
  STRING: ['utf8'],
  JSON: ['utf8'],
  GEOGRAPHY: ['utf8'],
  BYTES: ['binary'],
  INT64: ['int64'],
  FLOAT64: ['float64'],
  BOOL: ['bool'],
  NUMERIC: ['decimal128'],
  BIGNUMERIC: ['decimal128', 'decimal256'],
  DATE: ['days'],
  TIME: ['time microseconds'],
  DATETIME: ['timestamp microseconds'],
  TIMESTAMP: ['timestamp microseconds'],
}

/** A 64-bit number as a double: exact up to 2^53, and an unsafe integer beyond. */
function rounded(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 4_294_967_296 + view.getUint32(at, true)
}

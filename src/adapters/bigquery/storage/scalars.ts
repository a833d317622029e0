import type { ColumnType, Value } from '../../../domain/column.ts'
import type { ArrowField } from './arrow.ts'
import { strings } from './strings.ts'
import { dateText, datetimeText, decimalText, timeText } from './texts.ts'

/**
 * Compiles what reads the values of a column without children from its buffers, of which `buffer` gives the next; NULLs are looked at elsewhere. `type`
 * undefined: the column is not wanted, only passed over.
 * @throws RangeError for a form that we don't know or that the type never has.
 */
export function scalar(
  type: ColumnType | undefined,
  { form, scale }: ArrowField,
  bigint: boolean,
): (buffer: () => Uint8Array) => (row: number) => Value {
  const fits = type === undefined || (forms[type] ?? []).includes(form)
  if (!fits) throw new RangeError(`a ${type} column as ${form}`)
  switch (form) {
    case 'utf8':
      return buffer => strings(ints(buffer()), buffer())
    case 'binary':
      return buffer => {
        const offsets = ints(buffer())
        const bytes = buffer()
        return row => new Uint8Array(bytes.subarray(offsets[row], offsets[row + 1]))
      }
    case 'bool':
      return buffer => {
        const bits = buffer()
        return row => (((bits[row >> 3] as number) >> (row & 7)) & 1) === 1
      }
    case 'int64':
      return buffer => {
        const bytes = buffer()
        const whole = longs(bytes)
        if (bigint) return row => whole[row] as bigint
        const halves = ints(bytes)
        return row => (halves[2 * row + 1] as number) * 4_294_967_296 + ((halves[2 * row] as number) >>> 0)
      }
    case 'float64':
      return buffer => {
        const bytes = buffer()
        const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)
        return row => numbers[row] as number
      }
    case 'days':
      return buffer => {
        const days = ints(buffer())
        return row => dateText(days[row] as number)
      }
    case 'time microseconds':
      return buffer => {
        const micros = longs(buffer())
        return row => timeText(Number(micros[row]))
      }
    case 'timestamp microseconds':
      return buffer => {
        const micros = longs(buffer())
        const zone = type === 'TIMESTAMP' ? 'Z' : ''
        return row => `${datetimeText(micros[row] as bigint)}${zone}`
      }
    case 'decimal128':
    case 'decimal256': {
      const words = form === 'decimal128' ? 2 : 4
      return buffer => {
        const [whole, unsigned] = ((bytes: Uint8Array) => [longs(bytes), unsignedLongs(bytes)] as const)(buffer())
        return row => {
          // The highest word has the sign.
          let value = whole[row * words + words - 1] as bigint
          for (let word = words - 2; word >= 0; word--) value = (value << 64n) | (unsigned[row * words + word] as bigint)
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

/** 32-bit numbers of a buffer. */
export const ints = (bytes: Uint8Array) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
const longs = (bytes: Uint8Array) => new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)
const unsignedLongs = (bytes: Uint8Array) => new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)

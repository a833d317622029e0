import type { AnyRow, Column, ColumnType, Value } from '../../domain/column.ts'
import { timestampOf } from '../../domain/micros.ts'

/** A cell as the REST API writes it: text, a record, or an array of cells. */
export type RawCell = { readonly v: null | string | boolean | RawRow | readonly RawCell[] }
export type RawRow = { readonly f: readonly RawCell[] }

/**
 * Compiles what turns an answer's row into a row in memory: the columns stand in the order of the answer. Values are exact, except that
 * an INT64 beyond 2^53 in a column of numbers rounds to an unsafe integer, which the row's check refuses.
 */
export function decoder(columns: readonly Column[]): (row: RawRow) => AnyRow {
  const names = columns.map(column => column.name)
  const cells = columns.map(cellDecoder)
  const count = columns.length
  return row => {
    const decoded: Record<string, Value> = {}
    for (let index = 0; index < count; index++)
      decoded[names[index] as string] = (cells[index] as Decode)((row.f[index] as RawCell).v)
    return decoded
  }
}

type Decode = (cell: RawCell['v']) => Value

function cellDecoder(column: Column): Decode {
  const one = column.type === 'RECORD' ? recordDecoder(column) : scalarDecoder(column.type, column.bigint === true)
  if (column.mode !== 'REPEATED') return cell => (cell === null ? null : one(cell))
  return cell => (cell as readonly RawCell[]).map(element => one(element.v))
}

function recordDecoder(column: Column): Decode {
  const decode = decoder(column.fields ?? [])
  return cell => decode(cell as RawRow)
}

function scalarDecoder(type: ColumnType, bigint: boolean): Decode {
  switch (type) {
    case 'INT64':
      return bigint ? cell => BigInt(cell as string) : cell => Number(cell)
    case 'FLOAT64':
      return cell => float(String(cell))
    case 'BOOL':
      return cell => cell === 'true' || cell === true
    case 'BYTES':
      return cell => new Uint8Array(Buffer.from(cell as string, 'base64'))
    case 'TIMESTAMP':
      return cell => timestampOf(BigInt(cell as string))
    case 'TIME':
    case 'DATETIME':
      return cell => sixDigitsOrNone(cell as string)
    default:
      return cell => cell as string
  }
}

function float(text: string): number {
  const named: Record<string, number> = {
    Infinity: Number.POSITIVE_INFINITY,
    inf: Number.POSITIVE_INFINITY,
    '-Infinity': Number.NEGATIVE_INFINITY,
    '-inf': Number.NEGATIVE_INFINITY,
  }
  return named[text] ?? Number(text)
}

/** One text for one time, whoever wrote it: `06:30:00.5` is `06:30:00.500000`, `06:30:00.000000` is `06:30:00`. */
function sixDigitsOrNone(text: string): string {
  const point = text.indexOf('.')
  if (point < 0) return text
  const fraction = text.slice(point + 1).padEnd(6, '0')
  return /^0+$/.test(fraction) ? text.slice(0, point) : `${text.slice(0, point)}.${fraction}`
}

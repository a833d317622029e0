import type { Column, ColumnType } from '../../domain/column.ts'
import { compile } from '../../domain/compile.ts'
import type { Vector, VectorPage } from '../../ports/vectors.ts'
import type { Bytes } from './bytes.ts'
import { dateLine, datetimeLine, timeLine } from './clocks.ts'
import { type Cursor, int32 } from './cursor.ts'
import { doubleText } from './double.ts'
import { numericLine } from './numeric.ts'
import type { Sums } from './sums.ts'

type Place = Cursor & Pick<Vector, 'present' | 'lengths'>

/** Puts the text of the next value on the line, and what ends it. */
type Line = (from: Cursor, line: Bytes) => void

/**
 * Makes what adds the rows of a page to the sums: the text of each row (domain/content.ts) is made of what the file holds of it and not of what was given, so that the warehouse's hash of the stage
 * answers for both. Columns are no records.
 */
export function pageHasher(columns: readonly Column[]): (page: VectorPage, sums: Sums) => void {
  const lines = columns.map(({ type }) => lineOf(type))
  const scope = Object.fromEntries(lines.map((line, index) => [`l${index}`, line]))
  const parts = columns.map(({ mode, type }, index) => {
    const from = `from[${index}]`
    if (mode === 'REPEATED') return `putList(${from}, ${from}.lengths[row], l${index}, line)`
    const none = sized.has(type) ? colon : semicolon
    return `if (${from}.present === null || ${from}.present[row] === 1) l${index}(${from}, line); else putNull(${none}, line)`
  })
  const work = compile<(from: readonly Place[], rows: number, sums: Sums, line: Bytes) => void>(
    { ...scope, putList, putNull },
    `(from, rows, sums, line) => { for (let row = 0; row < rows; row++) { ${parts.join('\n')}; sums.add() } }`,
  )
  return ({ columns: vectors, rows }, sums) => {
    const from = vectors.map(({ values, present, lengths }) => {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.length)
      return { bytes, at: 0, present, lengths }
    })
    work(from, rows, sums, sums.line)
  }
}

const [semicolon, colon, bracket, letterN, letterG] = [59, 58, 91, 110, 103]

/** Their text stands behind its own length, and nothing behind it. */
const sized: ReadonlySet<ColumnType> = new Set(['STRING', 'JSON', 'BIGNUMERIC'])

function putNull(end: number, line: Bytes): void {
  line.room(2)
  line.byte(letterN)
  line.byte(end)
}

function putList(from: Place, length: number, element: Line, line: Bytes): void {
  line.room(20)
  line.decimal(length)
  line.byte(bracket)
  for (let index = 0; index < length; index++) element(from, line)
}

function lineOf(type: ColumnType): Line {
  switch (type) {
    case 'INT64':
    case 'TIMESTAMP':
      return integerLine
    case 'FLOAT64':
      return doubleLine
    case 'BOOL':
      return flagLine
    case 'BYTES':
      return hexLine
    case 'NUMERIC':
      return numericLine
    case 'DATETIME':
      return datetimeLine
    case 'DATE':
      return dateLine
    case 'TIME':
      return timeLine
    case 'GEOGRAPHY':
      return placeLine
    case 'RECORD':
      throw new TypeError('a record has no vector')
    default:
      return textLine
  }
}

/** A TIMESTAMP is its microseconds. */
function integerLine(from: Cursor, line: Bytes): void {
  const { bytes, at } = from
  from.at = at + 8
  line.room(24)
  const number = int32(bytes, at + 4) * 2 ** 32 + (int32(bytes, at) >>> 0)
  if (Number.isSafeInteger(number)) line.decimal(number)
  else line.ascii(String(bytes.readBigInt64LE(at)))
  line.byte(semicolon)
}

function doubleLine(from: Cursor, line: Bytes): void {
  line.room(32)
  line.ascii(doubleText(from.bytes.readDoubleLE(from.at)))
  from.at += 8
  line.byte(semicolon)
}

function flagLine(from: Cursor, line: Bytes): void {
  line.room(6)
  line.ascii(from.bytes[from.at++] === 1 ? 'true;' : 'false;')
}

function textLine(from: Cursor, line: Bytes): void {
  const start = from.at + 4
  const size = int32(from.bytes, from.at)
  from.at = start + size
  line.room(16)
  line.decimal(size)
  line.byte(colon)
  line.copy(from.bytes, start, from.at)
}

function hexLine(from: Cursor, line: Bytes): void {
  const start = from.at + 4
  const size = int32(from.bytes, from.at)
  from.at = start + size
  line.room(2 * size + 1)
  line.used += line.bytes.write(from.bytes.toString('hex', start, from.at), line.used, 'latin1')
  line.byte(semicolon)
}

/** Only whether there is one is hashed: BigQuery makes a text of its own. */
function placeLine(from: Cursor, line: Bytes): void {
  from.at += 4 + int32(from.bytes, from.at)
  line.room(2)
  line.byte(letterG)
  line.byte(semicolon)
}

import type { AnyRow, Column, Value } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import type { VectorPage } from '../../ports/vectors.ts'
import { arrayValue, putArray } from './arrays.ts'
import { Builder } from './builder.ts'
import { type Codec, codecOf, Unfit, type Wire } from './codecs.ts'
import type { Frame } from './copy.ts'

/** A column of the outer SELECT, and how its values come. */
export type Field = { readonly column: Column; readonly wire: Wire }

/** A page is given away with the first frame that makes it so large. */
const [pageRows, pageBytes] = [65_536, 4 * 1024 * 1024]

/** Frames as columns of bytes: no row becomes an object. */
export async function* vectorPages(frames: AsyncIterable<Frame>, fields: readonly Field[]): AsyncGenerator<VectorPage> {
  const codecs = fields.map(({ column, wire }) => codecOf(wire, column))
  const builders = () => fields.map(({ column }) => new Builder(column.mode === 'REPEATED'))
  // One page is at work elsewhere while the next one fills.
  let [filling, away] = [builders(), builders()]
  let [rows, given] = [0, 0]
  const page = (): VectorPage => ({ rows, columns: filling.map(builder => builder.vector()) })
  for await (const frame of frames) {
    fields.forEach((field, index) => {
      fill(frame, index, fields.length, field, codecs[index] as Codec, filling[index] as Builder, given + rows)
    })
    rows += frame.rows
    if (rows < pageRows && filling.reduce((sum, { used }) => sum + used, 0) < pageBytes) continue
    yield page()
    given += rows
    rows = 0
    ;[filling, away] = [away, filling]
    for (const builder of filling) builder.reset()
  }
  if (rows > 0) yield page()
}

function fill(frame: Frame, index: number, width: number, { column }: Field, codec: Codec, to: Builder, before: number): void {
  const { bytes, rows, starts, sizes } = frame
  const isList = column.mode === 'REPEATED'
  to.roomForRows(rows)
  let row = 0
  try {
    for (let field = index; row < rows; row++, field += width) {
      const size = sizes[field] as number
      if (size < 0) missing(column, to)
      else if (isList) to.list(putArray(codec, bytes, starts[field] as number, to))
      else {
        to.room(3 * size + 48)
        codec.put(bytes, starts[field] as number, size, to)
        to.value()
      }
    }
  } catch (error) {
    throw placed(error, column, before + row + 1)
  }
}

function missing(column: Column, to: Builder): void {
  if (column.mode === 'REQUIRED') throw new Unfit('NULL')
  if (column.mode === 'REPEATED') to.list(0)
  else to.null()
}

/** Rows of a page that a transform gets, at least: what is alive at once is copied by every collection of the young generation. */
const rowsOfPage = 512

/** Frames as pages of rows, for a transform that asks for them. */
export async function* rowPages(frames: AsyncIterable<Frame>, fields: readonly Field[]): AsyncGenerator<readonly AnyRow[]> {
  const decode = rowDecoder(fields)
  let page: AnyRow[] = []
  let before = 0
  for await (const frame of frames) {
    decode(frame, before, page)
    before += frame.rows
    if (page.length < rowsOfPage) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

function rowDecoder(fields: readonly Field[]): (frame: Frame, before: number, page: AnyRow[]) => void {
  const codecs = fields.map(({ column, wire }) => codecOf(wire, column))
  // A copy has room for all fields at once: one that grows by each field is allocated several times.
  const empty: Readonly<Record<string, Value>> = Object.fromEntries(fields.map(({ column }) => [column.name, null]))
  return ({ bytes, rows, starts, sizes }, before, page) => {
    let [row, index] = [0, 0]
    try {
      for (let field = 0; row < rows; row++) {
        const values: Record<string, Value> = { ...empty }
        for (index = 0; index < fields.length; index++, field++) {
          const size = sizes[field] as number
          const { column } = fields[index] as Field
          values[column.name] =
            size < 0 ? absent(column) : present(codecs[index] as Codec, column, bytes, starts[field] as number, size)
        }
        page.push(values)
      }
    } catch (error) {
      throw placed(error, (fields[index] as Field).column, before + row + 1)
    }
  }
}

function present(codec: Codec, column: Column, bytes: Buffer, at: number, size: number): Value {
  return column.mode === 'REPEATED' ? arrayValue(codec, bytes, at) : codec.value(bytes, at, size)
}

function absent(column: Column): Value {
  if (column.mode === 'REPEATED') return []
  if (column.mode === 'NULLABLE') return null
  throw new Unfit('NULL')
}

function placed(error: unknown, { name, type, mode }: Column, row: number): unknown {
  if (!(error instanceof Unfit)) return error
  const expected = mode === 'REPEATED' ? `an array of ${type}` : `a ${type}`
  return new EtlError('row', `expected ${expected}, got ${error.message}.`, {
    where: { at: `row ${row} › ${name}` },
    hint:
      error.message === 'NULL'
        ? 'filter it in the query, or make the column nullable in the row schema'
        : 'filter or convert it in the query, for example with nullif() or a CASE',
  })
}

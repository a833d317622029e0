import type { AnyRow, Column, Value } from '../../domain/column.ts'
import { compile, quoted } from '../../domain/compile.ts'
import { EtlError } from '../../domain/error.ts'
import type { Page } from '../../ports/reader.ts'
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
  if (column.mode === 'REQUIRED') refuseNull()
  if (column.mode === 'REPEATED') to.list(0)
  else to.null()
}

/** Rows of a page that a transform gets, at most: what is alive at once is copied by every collection of the young generation. */
const rowsOfPage = 256

/** Frames as pages of rows, for a transform that asks for them. */
export async function* rowPages(frames: AsyncIterable<Frame>, fields: readonly Field[]): AsyncGenerator<Page> {
  const decode = rowDecoder(fields)
  let before = 0
  for await (const frame of frames) {
    for (let row = 0; row < frame.rows; row += rowsOfPage) {
      const page = decode(frame, row, Math.min(row + rowsOfPage, frame.rows), before)
      yield Object.assign(page, { isTyped: true } as const)
    }
    before += frame.rows
  }
}

type Cell = (bytes: Buffer, at: number, size: number) => Value
type Decode = (bytes: Buffer, starts: Int32Array, sizes: Int32Array, from: number, to: number, page: AnyRow[]) => void

/** Makes some rows of a frame. All come from one literal, so that they have one shape, and each column has a call of its own (domain/compile.ts). */
function rowDecoder(fields: readonly Field[]): (frame: Frame, from: number, to: number, before: number) => AnyRow[] {
  const cells = fields.map(({ column, wire }) => cellOf(column, codecOf(wire, column)))
  const parts = fields.map(({ column: { name, mode } }, index) => {
    const at = `field + ${index}`
    return `${quoted(name)}: sizes[${at}] < 0 ? ${absent[mode]} : c${index}(bytes, starts[${at}], sizes[${at}])`
  })
  const decode = compile<Decode>(
    { refuseNull, ...Object.fromEntries(cells.map((cell, index) => [`c${index}`, cell])) },
    `(bytes, starts, sizes, from, to, page) => {
      for (let field = from; field < to; field += ${fields.length}) page.push({ ${parts.join(', ')} })
    }`,
  )
  return ({ bytes, starts, sizes }, from, to, before) => {
    const page: AnyRow[] = []
    try {
      decode(bytes, starts, sizes, from * fields.length, to * fields.length, page)
    } catch (error) {
      const row = from + page.length
      throw placed(error, guilty(row), before + row + 1)
    }
    return page
    /** The column of a row that can't be read: the first that throws once more. */
    function guilty(row: number): Column {
      for (const [index, { column }] of fields.entries()) {
        const field = row * fields.length + index
        const size = sizes[field] as number
        try {
          if (size >= 0) (cells[index] as Cell)(bytes, starts[field] as number, size)
          else if (column.mode === 'REQUIRED') return column
        } catch {
          return column
        }
      }
      throw new EtlError('bug', `row ${before + row + 1} could not be read, and then could.`)
    }
  }
}

/** What stands for a NULL, in the text of the decoder. */
const absent: Readonly<Record<Column['mode'], string>> = { NULLABLE: 'null', REPEATED: '[]', REQUIRED: 'refuseNull()' }

function refuseNull(): never {
  throw new Unfit('NULL')
}

function cellOf(column: Column, codec: Codec): Cell {
  return column.mode === 'REPEATED' ? (bytes, at) => arrayValue(codec, bytes, at) : codec.value
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

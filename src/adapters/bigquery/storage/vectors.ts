import type { AnyRow, Column, Value } from '../../../domain/column.ts'
import { compile, quoted } from '../../../domain/compile.ts'
import type { ArrowBatch, ArrowField } from './arrow.ts'
import { scalar } from './scalars.ts'
import { viewOf } from './strings.ts'

/** A column of one batch: the value of a row. */
type Vector = (row: number) => Value
/** Takes a column's nodes and buffers from the batch, in the order in which they stand there. */
type Take = (from: Taken) => Vector
type Taken = {
  readonly node: () => { readonly nulls: number }
  readonly buffer: () => Uint8Array
  /** Something has come that a column of the row schema may not have: whether, the rows' check says. */
  readonly doubt: () => void
}

/** Rows of one batch, any stretch. */
type BatchRows = {
  rows(from: number, to: number): AnyRow[]
  /** Whether all values that were given by now are of their columns' types (ports/reader.ts). */
  isTyped(): boolean
}

/**
 * Compiles what turns batches of one schema into rows. Values are those of the REST decoder, exactly: the same texts,
 * an INT64 beyond 2^53 in a column of numbers rounded to an unsafe integer.
 * @throws RangeError for a form that we don't know or a column that isn't there.
 */
export function rowReader(columns: readonly Column[], schema: readonly ArrowField[]): (batch: ArrowBatch) => BatchRows {
  const names = columns.map(column => column.name)
  const places = columns.map(({ name }) => schema.findIndex(field => field.name.toLowerCase() === name.toLowerCase()))
  const missing = names.find((_, index) => (places[index] as number) < 0)
  if (missing !== undefined) throw new RangeError(`no column ${missing}`)
  const takes = schema.map((field, index) => takeOf(columns[places.indexOf(index)], field))
  const rowsOf = rowMaker(names)
  // A JSON text is taken as it comes, and a BIGNUMERIC may have a digit more than the row schema's.
  const isAsked = columns.some(({ type }) => type === 'JSON' || type === 'BIGNUMERIC')
  return batch => {
    let isDoubted = isAsked
    const doubt = () => {
      isDoubted = true
    }
    const all = takes.map(takeFrom(batch, doubt))
    return { rows: rowsOf(...places.map(place => all[place] as Vector)), isTyped: () => !isDoubted }
  }
}

/**
 * Each column has a call of its own (domain/compile.ts), and all rows one shape. Not by a literal: of those V8 keeps book, takes rows that lived through a
 * collection or two for long-lived ones, and makes all others in the old generation at once, whose collection takes ten times as long.
 */
function rowMaker(names: readonly string[]): (...vectors: readonly Vector[]) => (from: number, to: number) => AnyRow[] {
  const vectors = names.map((_, index) => `v${index}`)
  return compile(
    {},
    `(() => {
      function Row(${vectors}) { ${names.map((name, index) => `this[${quoted(name)}] = v${index}`).join('; ')} }
      Row.prototype = Object.prototype
      return (${vectors}) => (from, to) => {
        const rows = new Array(to - from)
        for (let row = from; row < to; row++) rows[row - from] = new Row(${vectors.map(vector => `${vector}(row)`)})
        return rows
      }
    })()`,
  )
}

function takeFrom(batch: ArrowBatch, doubt: () => void): (take: Take) => Vector {
  let [nodes, buffers] = [0, 0]
  const next = <T>(list: readonly T[], at: number): T => {
    const found = list[at]
    if (found === undefined) throw new RangeError('the batch has fewer columns than the schema')
    return found
  }
  const taken: Taken = { node: () => next(batch.nodes, nodes++), buffer: () => next(batch.buffers, buffers++), doubt }
  return take => take(taken)
}

/** `column` is undefined for one that is not read: its buffers are passed over. */
function takeOf(column: Column | undefined, field: ArrowField): Take {
  const isList = field.form === 'list'
  if (column !== undefined && (column.mode === 'REPEATED') !== isList) throw new RangeError(`${column.name} as ${field.form}`)
  if (isList) {
    const [element] = field.children
    if (element === undefined) throw new RangeError('a list of nothing')
    const takeElement = takeOf(column === undefined ? undefined : { ...column, mode: 'NULLABLE' }, element)
    return from => {
      const isNull = nulls(from)
      const offsets = viewOf(from.buffer())
      const at = takeElement(from)
      return row => {
        const values: Value[] = []
        if (!isNull?.(row))
          for (let index = offsets.getInt32(4 * row, true); index < offsets.getInt32(4 * row + 4, true); index++)
            values.push(at(index))
        return values
      }
    }
  }
  if (field.form === 'struct') {
    const fields = column?.fields ?? []
    if (column !== undefined && column.type !== 'RECORD') throw new RangeError(`a ${column.type} column as struct`)
    const absent = fields.find(wanted => !field.children.some(child => fieldOf([wanted], child) !== undefined))
    if (absent !== undefined) throw new RangeError(`no field ${absent.name}`)
    const takes = field.children.map(child => ({ name: fieldName(fields, child), take: takeOf(fieldOf(fields, child), child) }))
    return from => {
      const isNull = nulls(from)
      if (isNull !== undefined && column?.mode === 'REQUIRED') from.doubt()
      const vectors = takes.map(({ name, take }) => ({ name, at: take(from) })).filter(({ name }) => name !== undefined)
      return row => (isNull?.(row) ? null : Object.fromEntries(vectors.map(({ name, at }) => [name, at(row)])))
    }
  }
  const take = scalar(column?.type, field, column?.bigint === true)
  return from => {
    const isNull = nulls(from)
    if (isNull !== undefined && column?.mode === 'REQUIRED') from.doubt()
    const at = take(from.buffer, from.doubt)
    return isNull === undefined ? at : row => (isNull(row) ? null : at(row))
  }
}

function fieldOf(fields: readonly Column[], { name }: ArrowField): Column | undefined {
  return fields.find(field => field.name.toLowerCase() === name.toLowerCase())
}

const fieldName = (fields: readonly Column[], child: ArrowField) => fieldOf(fields, child)?.name

/** Which rows are NULL, by the validity bitmap; undefined where none is. */
function nulls({ node, buffer }: Taken): ((row: number) => boolean) | undefined {
  const none = node().nulls === 0
  const bits = buffer()
  return none || bits.length === 0 ? undefined : row => (((bits[row >> 3] as number) >> (row & 7)) & 1) === 0
}

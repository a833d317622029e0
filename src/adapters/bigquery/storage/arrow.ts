import { type FlatTable, flatRoot } from './flat.ts'

/*
 * As much of Arrow's IPC format as BigQuery sends (Arrow columnar format: 'Serialization and Interprocess Communication'; Message.fbs and Schema.fbs say
 * which field has which number).
 */

/** A column's physical form. `scale` is a decimal's; `children` are a list's element or a struct's fields. */
export type ArrowField = {
  readonly name: string
  readonly form: string
  readonly scale: number
  readonly children: readonly ArrowField[]
}

/** A record batch before its columns are told apart: `nodes` and `buffers` stand in the order in which the schema's tree is walked. */
export type ArrowBatch = {
  readonly rows: number
  readonly nodes: readonly { readonly length: number; readonly nulls: number }[]
  readonly buffers: readonly Uint8Array[]
}

/** The columns of a serialized schema. Throws RangeError where it is none. */
export function arrowSchema(bytes: Uint8Array): readonly ArrowField[] {
  return message(bytes, schemaMessage).header.tables(1).map(fieldOf)
}

/** A serialized record batch. Throws RangeError where it is none, or is compressed: nobody asked for that. */
export function arrowBatch(bytes: Uint8Array): ArrowBatch {
  const { header, body } = message(bytes, batchMessage)
  if (header.has(3)) throw new RangeError('the record batch is compressed')
  return {
    rows: header.long(0),
    nodes: header.pairs(1).map(([length, nulls]) => ({ length, nulls })),
    buffers: header.pairs(2).map(([from, length]) => body.subarray(from, from + length)),
  }
}

const schemaMessage = 1
const batchMessage = 3

function message(bytes: Uint8Array, kind: number): { readonly header: FlatTable; readonly body: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // Older writers have no continuation mark in front of the length.
  const from = view.getInt32(0, true) === -1 ? 8 : 4
  const length = view.getInt32(from - 4, true)
  const root = flatRoot(bytes.subarray(from, from + length))
  if (root.byte(1, 0) !== kind) throw new RangeError(`an Arrow message of kind ${root.byte(1, 0)}, not ${kind}`)
  return { header: root.table(2), body: bytes.subarray(from + length, from + length + root.long(3)) }
}

function fieldOf(field: FlatTable): ArrowField {
  const type = field.has(3) ? field.table(3) : undefined
  const { form, scale = 0 } = formOf(field.byte(2, 0), type)
  return { name: field.text(0), form, scale, children: field.tables(5).map(fieldOf) }
}

/** Forms that BigQuery has (Storage Read API: 'Arrow schema details'); others keep their number, so that whoever meets them can say so. */
function formOf(kind: number, type: FlatTable | undefined): { readonly form: string; readonly scale?: number } {
  const units = ['seconds', 'milliseconds', 'microseconds', 'nanoseconds']
  switch (kind) {
    case 2:
      return { form: `int${type?.int(0, 0)}` }
    case 3:
      return { form: `float${16 << (type?.short(0, 0) ?? 0)}` }
    case 4:
      return { form: 'binary' }
    case 5:
      return { form: 'utf8' }
    case 6:
      return { form: 'bool' }
    case 7:
      return { form: `decimal${type?.int(2, 128)}`, scale: type?.int(1, 0) ?? 0 }
    case 8:
      return { form: type?.short(0, 1) === 0 ? 'days' : 'milliseconds' }
    case 9:
      return { form: `time ${units[type?.short(0, 1) ?? 0]}` }
    case 10:
      return { form: `timestamp ${units[type?.short(0, 0) ?? 0]}` }
    case 12:
      return { form: 'list' }
    case 13:
      return { form: 'struct' }
    default:
      return { form: `type ${kind}` }
  }
}

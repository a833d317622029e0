/** A table of a FlatBuffer: its fields by number, in the order of the schema. What is absent has the default that the caller names. (FlatBuffers: Internals.) */
export type FlatTable = {
  has(field: number): boolean
  byte(field: number, absent: number): number
  short(field: number, absent: number): number
  int(field: number, absent: number): number
  /** An int64 that is a length or an offset: below 2^53. */
  long(field: number): number
  text(field: number): string
  table(field: number): FlatTable
  tables(field: number): readonly FlatTable[]
  /** A vector of structs of two int64 each. */
  pairs(field: number): readonly (readonly [number, number])[]
}

/** The root table of a FlatBuffer. Reading beyond its end throws RangeError. */
export function flatRoot(bytes: Uint8Array): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return tableAt(view, view.getUint32(0, true))
}

function tableAt(view: DataView, at: number): FlatTable {
  const layout = at - view.getInt32(at, true)
  const size = view.getUint16(layout, true)
  /** Where a field's value stands; 0 where it is absent. */
  const place = (field: number) => {
    const entry = 4 + 2 * field
    const offset = entry < size ? view.getUint16(layout + entry, true) : 0
    return offset === 0 ? 0 : at + offset
  }
  const target = (from: number) => from + view.getUint32(from, true)
  const vector = (field: number) => {
    const from = place(field)
    if (from === 0) return { from: 0, length: 0 }
    const begin = target(from)
    return { from: begin + 4, length: view.getUint32(begin, true) }
  }
  const when = (field: number, absent: number, read: (from: number) => number) => {
    const from = place(field)
    return from === 0 ? absent : read(from)
  }
  return {
    has: field => place(field) !== 0,
    byte: (field, absent) => when(field, absent, from => view.getUint8(from)),
    short: (field, absent) => when(field, absent, from => view.getInt16(from, true)),
    int: (field, absent) => when(field, absent, from => view.getInt32(from, true)),
    long: field => when(field, 0, from => Number(view.getBigInt64(from, true))),
    text: field => {
      const { from, length } = vector(field)
      return Buffer.from(view.buffer, view.byteOffset + from, length).toString('utf8')
    },
    table: field => tableAt(view, target(place(field))),
    tables: field => {
      const { from, length } = vector(field)
      return Array.from({ length }, (_, index) => tableAt(view, target(from + 4 * index)))
    },
    pairs: field => {
      const { from, length } = vector(field)
      const one = (index: number) => Number(view.getBigInt64(from + 8 * index, true))
      return Array.from({ length }, (_, index) => [one(2 * index), one(2 * index + 1)] as const)
    },
  }
}

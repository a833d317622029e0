/** What of Thrift's compact protocol (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md) Parquet's metadata needs: written, never read. */
type ThriftValue =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly list: readonly ThriftValue[] }
  | { readonly struct: ThriftStruct }

/** The fields of a struct by their numbers; undefined ones are left out. */
export type ThriftStruct = Readonly<Record<number, ThriftValue | undefined>>

/** The bytes of a struct. */
export function thrift(struct: ThriftStruct): Buffer {
  const bytes: number[] = []
  putStruct(bytes, struct)
  return Buffer.from(bytes)
}

function putStruct(bytes: number[], struct: ThriftStruct): void {
  let last = 0
  // Numbers of an object's keys come in ascending order.
  for (const [key, value] of Object.entries(struct)) {
    if (value === undefined) continue
    const id = Number(key)
    const type = 'bool' in value ? (value.bool ? 1 : 2) : typeOf(value)
    if (id - last > 0 && id - last < 16) bytes.push(((id - last) << 4) | type)
    else {
      bytes.push(type)
      putInteger(bytes, id)
    }
    last = id
    if (!('bool' in value)) putValue(bytes, value)
  }
  bytes.push(0)
}

function typeOf(value: ThriftValue): number {
  if ('i32' in value) return 5
  if ('i64' in value) return 6
  if ('text' in value) return 8
  if ('list' in value) return 9
  return 'struct' in value ? 12 : 1
}

function putValue(bytes: number[], value: ThriftValue): void {
  if ('i32' in value) putInteger(bytes, value.i32)
  else if ('i64' in value) putInteger(bytes, value.i64)
  else if ('bool' in value) bytes.push(value.bool ? 1 : 2)
  else if ('struct' in value) putStruct(bytes, value.struct)
  else if ('text' in value) {
    const text = Buffer.from(value.text)
    putVarint(bytes, text.length)
    bytes.push(...text)
  } else {
    const { list } = value
    const type = list[0] === undefined ? 5 : typeOf(list[0])
    if (list.length < 15) bytes.push((list.length << 4) | type)
    else {
      bytes.push(0xf0 | type)
      putVarint(bytes, list.length)
    }
    for (const element of list) putValue(bytes, element)
  }
}

/** Zigzag; all numbers here are safe integers. */
function putInteger(bytes: number[], value: number): void {
  putVarint(bytes, value >= 0 ? value * 2 : -value * 2 - 1)
}

function putVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}

import type { Vector, VectorPage } from '../../ports/vectors.ts'

/** A page in memory of two threads: where its parts begin, and how many bytes they have. */
export type SharedPage = {
  readonly memory: SharedArrayBuffer
  readonly rows: number
  readonly columns: readonly { readonly [part in keyof Vector]: readonly [number, number] | null }[]
}

/** Makes what copies pages into one memory, page after page, so that nobody has to collect it. */
export function share(): (page: VectorPage) => SharedPage {
  let memory = new SharedArrayBuffer(64 * 1024)
  return ({ rows, columns }) => {
    const pieces = columns.flatMap(({ values, present, lengths }) => [values, present, lengths])
    const size = pieces.reduce((sum, piece) => sum + (piece === null ? 0 : aligned(piece.byteLength)), 0)
    if (size > memory.byteLength) memory = new SharedArrayBuffer(size + (size >> 2))
    const bytes = new Uint8Array(memory)
    let at = 0
    const put = (piece: Uint8Array | Uint32Array | null): [number, number] | null => {
      if (piece === null) return null
      const start = at
      bytes.set(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength), start)
      at = start + aligned(piece.byteLength)
      return [start, piece.byteLength]
    }
    const places = columns.map(({ values, present, lengths }) => ({
      values: put(values),
      present: put(present),
      lengths: put(lengths),
    }))
    return { memory, rows, columns: places }
  }
}

/** The page as it lies there. */
export function seen({ memory, rows, columns }: SharedPage): VectorPage {
  return {
    rows,
    columns: columns.map(({ values, present, lengths }) => ({
      values: new Uint8Array(memory, ...(values ?? [0, 0])),
      present: present && new Uint8Array(memory, ...present),
      lengths: lengths && new Uint32Array(memory, lengths[0], lengths[1] / 4),
    })),
  }
}

/** Numbers of four bytes begin at a multiple of that. */
function aligned(size: number): number {
  return (size + 7) & ~7
}

import { open } from 'node:fs/promises'

/** The lines of a UTF-8 file, with the byte where each starts; the file is read piece by piece. */
export async function* linesOf(path: string): AsyncGenerator<{ readonly text: string; readonly position: number }> {
  let position = 0
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of pieces(path)) {
    const data = rest.length > 0 ? Buffer.concat([rest, piece]) : piece
    let from = 0
    for (let end = data.indexOf(10, from); end >= 0; end = data.indexOf(10, from)) {
      yield { text: lineText(data, from, end, position === 0), position }
      position += end + 1 - from
      from = end + 1
    }
    rest = data.subarray(from)
  }
  if (rest.length > 0) yield { text: lineText(rest, 0, rest.length, position === 0), position }
}

/** The bytes of a file, a mebibyte at a time. */
export async function* pieces(path: string): AsyncGenerator<Buffer> {
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(1 << 20))
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

function lineText(data: Buffer, from: number, end: number, isFirst: boolean): string {
  const text = data.toString('utf8', from, data[end - 1] === 13 ? end - 1 : end)
  return isFirst && text.startsWith('\uFEFF') ? text.slice(1) : text
}

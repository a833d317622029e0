import { CsvFault } from './parse.ts'

/**
 * The text of a file's bytes, line by line or several at a time.
 * @throws CsvFault where they are not UTF-8: read anyway, a letter of another encoding would become U+FFFD, and the row be published so.
 */
export async function* utf8(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let line = 1
  let open: Uint8Array[] = []
  for await (const piece of pieces) {
    // A line end is never a part of another character, so that whole lines can be decoded by themselves.
    const end = piece.lastIndexOf(lineEnd) + 1
    if (end > 0) {
      const lines = Buffer.concat([...open, piece.subarray(0, end)])
      yield decoded(lines, line)
      line += lineEnds(lines)
      open = []
    }
    open.push(piece.subarray(end))
  }
  yield decoded(Buffer.concat(open), line)
}

const lineEnd = 10
// A byte order mark is left in: only the first one of a file is none of its text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decoded(lines: Buffer, first: number): string {
  try {
    return decoder.decode(lines)
  } catch {
    const line = first + lineEnds(lines.subarray(0, validLength(lines)))
    throw new CsvFault(line, 'a character is not UTF-8: save the file as UTF-8 (a spreadsheet calls it "CSV UTF-8")')
  }
}

/** How many bytes of the lines are before the first line that can't be decoded. */
function validLength(lines: Buffer): number {
  for (let from = 0; ; ) {
    const end = lines.indexOf(lineEnd, from)
    try {
      decoder.decode(lines.subarray(from, end < 0 ? lines.length : end))
    } catch {
      return from
    }
    if (end < 0) return lines.length
    from = end + 1
  }
}

function lineEnds(bytes: Buffer): number {
  let found = 0
  for (let at = bytes.indexOf(lineEnd); at >= 0; at = bytes.indexOf(lineEnd, at + 1)) found += 1
  return found
}

/** A field: its text, and whether it stood in quotes. */
export type Cell = { readonly text: string; readonly quoted: boolean }
/** A record and the line it begins in; a quoted field may hold line ends, so that lines and records count differently. */
export type CsvRecord = { readonly line: number; readonly cells: readonly Cell[] }

/** What is wrong with a file's form, and in which line. */
export class CsvFault extends Error {
  readonly line: number
  constructor(line: number, problem: string) {
    super(problem)
    this.line = line
  }
}

/**
 * Reads CSV as RFC 4180 says, piece by piece: commas, quotes doubled inside quotes, line ends \n or \r\n. Empty lines are skipped.
 * @throws CsvFault for a quote in the wrong place.
 */
export async function* parseCsv(pieces: AsyncIterable<string> | Iterable<string>): AsyncGenerator<CsvRecord> {
  let cells: Cell[] = []
  let text = ''
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start'
  let line = 1
  let began = 1
  let afterReturn = false
  let first = true

  const endCell = () => {
    cells.push({ text, quoted: state === 'closed' })
    text = ''
    state = 'start'
  }

  for await (const piece of pieces) {
    const from = first && piece.startsWith('\ufeff') ? 1 : 0
    first = false
    for (let at = from; at < piece.length; at++) {
      const character = piece[at] as string
      if (state === 'quoted') {
        if (character === '"') state = 'closed'
        else {
          // Runs of plain characters are taken at once.
          const end = piece.indexOf('"', at)
          const run = piece.slice(at, end < 0 ? piece.length : end)
          text += run
          line += count(run, '\n')
          at += run.length - 1
        }
        continue
      }
      if (afterReturn && character !== '\n') throw new CsvFault(line, 'a carriage return stands alone')
      if (character === '"') {
        if (state === 'closed') {
          text += '"'
          state = 'quoted'
        } else if (state === 'start') state = 'quoted'
        else
          throw new CsvFault(
            line,
            'a quote stands inside a field without quotes: put the field in quotes and write the quote twice',
          )
      } else if (character === ',') endCell()
      else if (character === '\n') {
        afterReturn = false
        const empty = cells.length === 0 && state === 'start'
        if (!empty) {
          endCell()
          yield { line: began, cells }
        }
        cells = []
        line += 1
        began = line
      } else if (character === '\r') afterReturn = true
      else if (state === 'closed') throw new CsvFault(line, 'text follows the closing quote of a field')
      else {
        state = 'plain'
        text += character
      }
    }
  }
  if (state === 'quoted') throw new CsvFault(began, 'a quote is never closed')
  if (cells.length > 0 || state !== 'start') {
    endCell()
    yield { line: began, cells }
  }
}

function count(text: string, wanted: string): number {
  let found = 0
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) found += 1
  return found
}

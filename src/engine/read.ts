import { checkRows } from '../domain/check.ts'
import { EtlError } from '../domain/error.ts'
import type { Source } from '../domain/source.ts'
import type { Reader, ReadRequest } from '../ports/reader.ts'
import { placed } from './step.ts'

type Checked = Record<string, unknown>

/** Pages of one source, every row checked: reading and checking are one step, so that a bad row is reported where it was read. */
export async function* readChecked(
  name: string,
  source: Source,
  reader: Reader,
  request: ReadRequest,
  signal: AbortSignal,
  onPage: (rows: number) => void,
  told?: (way: string) => void,
): AsyncGenerator<readonly Checked[]> {
  const where = { step: `read ${name}` }
  let read = 0
  try {
    for await (const page of reader.read(source, request, signal, told)) {
      if (signal.aborted) throw new EtlError('stopped', 'told to stop while it was reading.')
      const rows = checkRows(source.row, page, { from: read, isTyped: page.isTyped === true })
      read += page.length
      onPage(page.length)
      yield rows as readonly Checked[]
    }
    // A reader that was told to stop ends early: what it gave is not the whole.
    if (signal.aborted) throw new EtlError('stopped', 'told to stop while it was reading.')
  } catch (error) {
    throw placed(error, where)
  }
}

/** Cuts pages that are sorted by a column into slices: each value once, with all its rows. Memory is one slice and one page. */
export async function* slicesOf(
  pages: AsyncIterable<readonly Checked[]>,
  column: string,
): AsyncGenerator<{ date: string; rows: Checked[] }> {
  let date: string | undefined
  let rows: Checked[] = []
  for await (const page of pages) {
    let from = 0
    for (let index = 0; index < page.length; index++) {
      const value = page[index]?.[column] as string
      if (value === date) continue
      if (date !== undefined) {
        if (value < date)
          throw new EtlError('query', `rows are not in the order of ${column}.`, {
            hint: 'a defect of the reader; please report it',
          })
        for (let i = from; i < index; i++) rows.push(page[i] as Checked)
        yield { date, rows }
        rows = []
      }
      date = value
      from = index
    }
    for (let i = from; i < page.length; i++) rows.push(page[i] as Checked)
  }
  if (date !== undefined) yield { date, rows }
}

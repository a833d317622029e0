import type { RawRow } from './decode.ts'
import type { Field } from './types.ts'

/** A page of a query's answer as it came. */
export type RawPage = {
  readonly jobReference?: { readonly jobId?: string }
  readonly jobComplete: boolean
  readonly schema?: { readonly fields?: readonly Field[] }
  readonly rows?: readonly RawRow[]
  readonly pageToken?: string
  readonly totalRows?: string
}

/** A page's text, of which the rows are not parsed yet. */
export type TextPage = {
  readonly head: Omit<RawPage, 'rows'>
  readonly count: number
  /** Characters of its rows, without what stands between them. */
  readonly length: number
  /** Its rows, some at a time. */
  parts(): Iterable<readonly RawRow[]>
}

/** About so many characters are parsed at a time: as objects they are several times that, and garbage before the next ones are made. */
const partLength = 64 * 1024

/**
 * Reads a page. A row begins with `{"f":[`, and behind a comma nothing else does: records in a row stand behind `"v":`, and in a text quotes have a backslash
 * in front. A page that is written with blanks is parsed in one piece. Throws SyntaxError for what is no JSON.
 */
export function pageOf(text: string): TextPage {
  const array = text.indexOf(begin)
  if (array < 0) return whole(text)
  const from = array + begin.length - rowBegin.length
  const cuts: number[] = []
  let [count, part, last] = [1, from, from]
  for (let at = text.indexOf(between, from); at >= 0; at = text.indexOf(between, last)) {
    count++
    last = at + 2
    if (last - part < partLength) continue
    part = last
    cuts.push(part)
  }
  const to = endOf(text, last)
  return {
    head: JSON.parse(`${text.slice(0, from)}${text.slice(to)}`),
    count,
    length: to - from - (count - 1),
    *parts() {
      let start = from
      for (const cut of [...cuts, to + 1]) {
        yield JSON.parse(`[${text.slice(start, cut - 1)}]`)
        start = cut
      }
    },
  }
}

const rowBegin = '{"f":['
const begin = `"rows":[${rowBegin}`
const between = `},${rowBegin}`

/**
 * Where the row ends that begins at `from` and is the last: neither a shorter piece nor a longer one is JSON. What stands behind the rows is little, while lists of records
 * in a row end alike again and again: so it is looked for from behind.
 */
function endOf(text: string, from: number): number {
  for (let at = text.lastIndexOf(rowsEnd); at >= from; at = text.lastIndexOf(rowsEnd, at - 1)) {
    const to = at + rowsEnd.length - 1
    if (isJson(text.slice(from, to))) return to
  }
  throw new SyntaxError('the rows of a page have no end')
}

const rowsEnd = ']}]'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function whole(text: string): TextPage {
  const { rows = [], ...head } = JSON.parse(text) as RawPage
  return { head, count: rows.length, length: text.length, parts: () => (rows.length === 0 ? [] : [rows]) }
}

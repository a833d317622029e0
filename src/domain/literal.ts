import type { TableRef } from './source.ts'
import { isDate, isTimestamp } from './text.ts'

/** A value as SQL text. The only place where a literal or a name becomes SQL. Throws RangeError for what it can't render. */
export const literal = {
  /** GoogleSQL: String literals; every character that could end or change it is escaped. */
  string(text: string): string {
    if (!text.isWellFormed()) throw new RangeError('half a character has no UTF-8')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
    const escaped = text.replace(/[\\'"`\u0000-\u001f\u007f\u2028\u2029]/g, character => {
      const simple: Record<string, string> = {
        '\\': '\\\\',
        "'": "\\'",
        '"': '\\"',
        '`': '\\`',
        '\n': '\\n',
        '\r': '\\r',
        '\t': '\\t',
      }
      return simple[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    })
    return `'${escaped}'`
  },
  /** A text of several lines that people read, in three quotes: it keeps its line ends (GoogleSQL: Triple-quoted strings). */
  block(text: string): string {
    const lines = text.split('\n').map(line => literal.string(line).slice(1, -1).replaceAll('\\"', '"'))
    return `'''${lines.join('\n')}'''`
  },
  date(text: string): string {
    if (!isDate(text)) throw new RangeError('not a date')
    return `DATE '${text}'`
  },
  timestamp(text: string): string {
    if (!isTimestamp(text)) throw new RangeError('not a timestamp')
    return `TIMESTAMP '${text.replace('T', ' ').replace('Z', '+00')}'`
  },
  /** A number's own text. */
  number(text: string): string {
    if (!/^-?\d+(\.\d+)?$/.test(text)) throw new RangeError('not a number')
    return text
  },
  /** A column, in back-quotes. */
  name(name: string): string {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`not a column name: ${JSON.stringify(name)}`)
    return `\`${name}\``
  },
  /** A table, `project.dataset.table` in back-quotes. */
  table(ref: TableRef): string {
    const name = `${ref.project}.${ref.dataset}.${ref.table}`
    const fits =
      /^[a-z0-9:.-]+$/i.test(ref.project) &&
      /^\w+$/.test(ref.dataset) &&
      /^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]+$/u.test(ref.table)
    if (!fits) throw new RangeError(`not a table name: ${JSON.stringify(name)}`)
    return `\`${name}\``
  },
  /** The view that tells of the partitions of a table, and of all others in its dataset. */
  partitions(ref: TableRef): string {
    literal.table(ref)
    return `\`${ref.project}.${ref.dataset}\`.INFORMATION_SCHEMA.PARTITIONS`
  },
  /**
   * A table of which these columns are named without an alias. Its own name would stand for a whole row of it, also where a column is called the same
   * (GoogleSQL: Query syntax, 'Range variables'; the analyser gives the row precedence): such a table gets another name. `asOf`: the table as it was then, with a zone, since the default there
   * is that of Los Angeles (BigQuery: Query syntax, 'FOR SYSTEM_TIME AS OF').
   */
  from(ref: TableRef, columns: readonly string[], asOf: string | null = null): string {
    const past = asOf === null ? '' : ` FOR SYSTEM_TIME AS OF ${literal.timestamp(asOf)}`
    const names = columns.map(column => column.toLowerCase())
    if (!names.includes(ref.table.toLowerCase())) return `${literal.table(ref)}${past}`
    let alias = 'this_table'
    while (names.includes(alias)) alias += '_'
    return `${literal.table(ref)} AS ${literal.name(alias)}${past}`
  },
} as const

/** `column IN (…)` or BETWEEN for days in a row: literals, so that partitions prune (BigQuery: Querying partitioned tables). Dates ascend. */
export function datesCondition(column: string, dates: readonly string[]): string {
  const name = literal.name(column)
  if (dates.length === 0) return 'FALSE'
  const ranges = runsOfDays(dates).map(([first, last]) =>
    first === last ? `${name} = ${literal.date(first)}` : `${name} BETWEEN ${literal.date(first)} AND ${literal.date(last)}`,
  )
  const singles = dates.length === ranges.length && dates.length > 1
  if (singles) return `${name} IN (${dates.map(literal.date).join(', ')})`
  return ranges.length === 1 ? (ranges[0] ?? 'FALSE') : `(${ranges.join(' OR ')})`
}

function runsOfDays(dates: readonly string[]): [string, string][] {
  const runs: [string, string][] = []
  for (const date of dates) {
    const last = runs.at(-1)
    if (last !== undefined && Date.parse(date) - Date.parse(last[1]) === 86_400_000) last[1] = date
    else runs.push([date, date])
  }
  return runs
}

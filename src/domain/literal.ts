import type { TableRef } from './source.ts'

/** A value as SQL text. The only place where a literal or a name becomes SQL. Throws RangeError for what it can't render. */
export const literal = {
  /** GoogleSQL: String literals; every character that could end or change it is escaped. */
  string(text: string): string {
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
  date(text: string): string {
    if (!/^\d{4}-\d\d-\d\d$/.test(text)) throw new RangeError('not a date')
    return `DATE '${text}'`
  },
  timestamp(text: string): string {
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(text)) throw new RangeError('not a timestamp')
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
    if (/[`\\\n\r]/.test(name)) throw new RangeError(`not a table name: ${JSON.stringify(name)}`)
    return `\`${name}\``
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

import type { Window } from './changes.ts'
import { type Pg, pgLiteral } from './pg.ts'

/** What is read of a query: these columns, in its slices, in its window. */
type Part = {
  readonly columns: readonly { readonly name: string }[]
  /** `column` is a date. */
  readonly slices: { readonly column: string; readonly dates: readonly string[] } | null
  readonly window?: Window | null
}

/**
 * The author's query as a part of itself, in Postgres' SQL: bounds are literals, so that its planner can use indexes and prune partitions. `render` says how a column is
 * written; its name if left out.
 */
export function pgRead(query: Pg, { columns, slices, window }: Part, render: (name: string) => string = pgLiteral.name): string {
  const wanted = columns.map(({ name }) => {
    const [text, alias] = [render(name), pgLiteral.name(name)]
    return text === alias ? alias : `${text} AS ${alias}`
  })
  const conditions = [
    ...(slices === null ? [] : [dates(slices)]),
    ...(window === null || window === undefined ? [] : bounds(window)),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const order = slices === null ? '' : ` ORDER BY ${pgLiteral.name(slices.column)}`
  return `SELECT ${wanted.join(', ')} FROM (\n${query.text}\n) AS q${where}${order}`
}

function dates({ column, dates }: NonNullable<Part['slices']>): string {
  if (dates.length === 0) return 'FALSE'
  return `${pgLiteral.name(column)} IN (${dates.map(date => `DATE ${pgLiteral.string(date)}`).join(', ')})`
}

function bounds({ column, type, from, to }: Window): string[] {
  const name = pgLiteral.name(column)
  // A `timestamp` has no zone: it is taken as UTC.
  const literal = (time: string) =>
    type === 'TIMESTAMP' ? `TIMESTAMPTZ ${pgLiteral.string(time)}` : `TIMESTAMP ${pgLiteral.string(time.replace(/Z$/, ''))}`
  return [...(from === null ? [] : [`${name} > ${literal(from)}`]), `${name} <= ${literal(to)}`]
}

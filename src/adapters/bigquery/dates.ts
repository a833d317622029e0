import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import { bytesAllowed, type QuerySource, type TableSource } from '../../domain/source.ts'
import type { Api } from './api.ts'
import { ask } from './query.ts'

/** The rows that dates are asked of: behind FROM, and what is read in sentences. */
type Dated = {
  readonly from: string
  readonly what: string
  readonly filter?: string
  readonly source: TableSource | QuerySource
}

/**
 * The dates that a column has, ascending, up to a day.
 * @throws EtlError `row` for NULL in a column that the row schema says is required.
 */
export async function datesOf(
  api: Api,
  { from, what, filter = '', source }: Dated,
  column: string,
  upTo: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const name = literal.name(column)
  const answer = await ask(
    api,
    `SELECT DISTINCT ${name} FROM ${from}${filter} ORDER BY ${name}`,
    what,
    [],
    signal,
    bytesAllowed([source]),
  )
  const dates = answer.rows.map(row => row[column] as string | null)
  const required = source.row.columns.find(candidate => candidate.name === column)?.mode === 'REQUIRED'
  if (required && dates.includes(null)) {
    throw new EtlError('row', `${what}: column ${column} holds NULL, the row schema says it is required.`, {
      hint: 'a row without a date belongs to no slice: filter it in a view, or have it corrected at the source',
    })
  }
  return dates.filter((date): date is string => date !== null && date <= upTo)
}

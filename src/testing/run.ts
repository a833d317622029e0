import { checkRows, duplicateKey } from '../domain/check.ts'
import type { AnyRow } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import type { Pipeline } from '../domain/pipeline.ts'
import type { SourceRows } from './cases.ts'
import { evaluated, evaluatedSets } from './sql.ts'

/**
 * Runs a pipeline's transform on rows as a run does: the rows are checked at both borders, a partition pipeline's function sees one slice a call,
 * and a `sql` transform runs on Google's evaluator. Nothing is read or written.
 * @throws EtlError `row` for a row that does not fit, or two result rows of one key; whatever the transform throws.
 */
export async function runOn(pipeline: Pipeline, rows: SourceRows): Promise<AnyRow[]> {
  const checked = checkSources(pipeline, rows)
  const result =
    pipeline.transform.kind === 'sql' ? await evaluated(pipeline, pipeline.transform, checked) : called(pipeline, checked)
  return checkResult(pipeline, result)
}

/**
 * The same with the pipeline's twin, on Google's evaluator.
 * @throws EtlError `pipeline` if it has none; else as runOn.
 */
export async function twinOn(pipeline: Pipeline, rows: SourceRows): Promise<AnyRow[]> {
  const [result] = await twinOnSets(pipeline, [rows])
  return result ?? []
}

/** The same for several sets of rows in one request. */
export async function twinOnSets(pipeline: Pipeline, sets: readonly SourceRows[]): Promise<AnyRow[][]> {
  if (pipeline.twin === undefined)
    throw new EtlError('pipeline', 'there is no twin.', { hint: 'add twin: sql`…` to the pipeline' })
  const checked = sets.map(rows => checkSources(pipeline, rows))
  const results = await evaluatedSets(pipeline, pipeline.twin, checked)
  return results.map(rows => checkResult(pipeline, rows, 'twin'))
}

type Checked = Readonly<Record<string, readonly AnyRow[]>>

function checkSources(pipeline: Pipeline, rows: SourceRows): Checked {
  const checked = Object.entries(pipeline.from).map(([name, source]) => {
    const given = rows[name]
    if (given === undefined)
      throw new EtlError('fixture', `there are no rows for the source ${name}.`, {
        hint: `the sources are: ${Object.keys(pipeline.from).join(', ')}`,
      })
    return [name, placed(`read ${name}`, () => checkRows(source.row, given) as AnyRow[])] as const
  })
  return Object.fromEntries(checked)
}

function checkResult(pipeline: Pipeline, result: readonly unknown[], step = 'transform'): AnyRow[] {
  return placed(step, () => {
    const rows = checkRows(pipeline.to.row, result) as AnyRow[]
    duplicateKey(pipeline.to.row, rows)
    return rows
  })
}

function called({ transform, write }: Pipeline, rows: Checked): readonly unknown[] {
  if (transform.kind === 'none') return Object.values(rows).flat()
  if (transform.kind === 'each') {
    return Object.entries(rows).flatMap(([name, each]) => each.flatMap(row => listed(transform.each({ [name]: row }))))
  }
  if (transform.kind !== 'rows') throw new EtlError('bug', 'a sql transform is evaluated, not called')
  if (write.mode !== 'partition') return listed(transform.rows(rows))
  const { column } = write
  return slicesOf(rows, column).flatMap(([date, slice]) => {
    const result = listed(transform.rows(slice))
    for (const row of result) refuseStray(column, date, row)
    return result
  })
}

/** The rows of each value of the slice column, in its order. */
function slicesOf(rows: Checked, column: string): [string, Record<string, AnyRow[]>][] {
  const dates = [...new Set(Object.values(rows).flatMap(each => each.map(row => String(row[column]))))].sort()
  const cut = (date: string) =>
    Object.entries(rows).map(([name, each]) => [name, each.filter(row => row[column] === date)] as const)
  return dates.map(date => [date, Object.fromEntries(cut(date))])
}

function refuseStray(column: string, date: string, row: unknown): void {
  const found = (row as Record<string, unknown> | null)?.[column]
  if (found === date || typeof found !== 'string') return
  throw new EtlError('row', `the transform got the slice ${date} and returned a row of ${found}.`, {
    where: { step: 'transform', at: column },
    hint: 'a transform of slices returns rows of its own slice only',
  })
}

function listed(result: unknown): readonly unknown[] {
  if (Array.isArray(result)) return result
  throw new EtlError('transform', `expected an array of rows, got ${result === null ? 'null' : typeof result}.`, {
    hint: 'return rows; a transform is not async',
  })
}

function placed<T>(step: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof EtlError ? error.within({ step }) : error
  }
}

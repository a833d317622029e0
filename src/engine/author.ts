import { checkRows, duplicateKey, type Known } from '../domain/check.ts'
import type { AnyRow } from '../domain/column.ts'
import { EtlError, frames } from '../domain/error.ts'
import { guarded, handlesPersonal } from '../domain/personal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { placed } from './step.ts'

/** Calls the author's function; what it throws points at the author's line. */
export function call(pipeline: NamedPipeline, slice: string | null, work: () => readonly unknown[]): readonly unknown[] {
  let result: unknown
  try {
    result = work()
  } catch (error) {
    throw thrown(pipeline, slice, error)
  }
  if (Array.isArray(result)) return result
  throw new EtlError('transform', `expected an array of rows, got ${result === null ? 'null' : typeof result}.`, {
    where: place(slice),
    hint: 'return rows; a transform is not async',
  })
}

/** The message of a thrown error can quote a row: it is shown only where no column is marked as personal data. */
function thrown(pipeline: NamedPipeline, slice: string | null, error: unknown): EtlError {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const text = handlesPersonal(pipeline)
    ? 'it threw; its message is left out, since the rows hold personal data'
    : `it threw ${said}`
  return new EtlError('transform', `${text}.`, { where: place(slice), cause: error, hint: authorsLine(error, pipeline.name) })
}

function authorsLine(error: unknown, name: string): string {
  const frame =
    error instanceof Error
      ? frames(error)
          .split('\n')
          .find(line => line.includes('/pipelines/'))
      : undefined
  const at = /pipelines\/([^)\s]+:\d+):\d+/.exec(frame ?? '')?.[1]
  return at === undefined ? `see src/pipelines/${name}.ts` : `see src/pipelines/${at}`
}

/** What a transform returned. */
export type Made = {
  readonly out: readonly unknown[]
  readonly slice: string | null
  /** Others of the same slice come before or behind it. */
  readonly isPart: boolean
  /** The source row that each was made from, where it was one. */
  readonly madeFrom?: Known['madeFrom']
}

/** Checks result rows against the target's schema, that they stay in their slice, and that no two have one key; of parts only the first is asked for that, since the audit asks all. */
export function checkResult(pipeline: NamedPipeline, { out, slice, isPart, madeFrom }: Made, from: number): readonly AnyRow[] {
  try {
    const known = madeFrom === undefined ? { from } : { from, madeFrom }
    const result = checkRows(guarded(pipeline), out, known) as readonly AnyRow[]
    if (!isPart || from === 0) duplicateKey(guarded(pipeline), result, { from })
    if (slice !== null) refuseStrays(pipeline, result, slice, from)
    return result
  } catch (error) {
    const failure = placed(error, place(slice))
    if (failure.kind !== 'row') throw failure
    // The check's own advice is for rows of a source.
    throw new EtlError('row', failure.problem, {
      where: failure.where,
      cause: error,
      hint: `src/pipelines/${pipeline.name}.ts returned it`,
    })
  }
}

/** Refuses a result row of another slice than the one it was made from: it would be lost when its own slice is recomputed. */
export function refuseStrays(
  pipeline: NamedPipeline,
  rows: readonly Readonly<Record<string, unknown>>[],
  slice: string,
  from: number,
): void {
  if (pipeline.write.mode !== 'partition') return
  const { column } = pipeline.write
  // What is no row, the check says.
  const stray = rows.findIndex(row => typeof row === 'object' && row !== null && row[column] !== slice)
  if (stray < 0) return
  const got = handlesPersonal(pipeline) ? 'another date' : String(rows[stray]?.[column])
  throw new EtlError('row', `expected ${slice}, the slice of its source rows, got ${got}.`, {
    where: { ...place(slice), at: `row ${from + stray + 1} › ${column}` },
    hint: 'a transform of slices returns rows of its own slice only',
  })
}

function place(slice: string | null): { step: string } {
  return { step: slice === null ? 'transform' : `transform ${slice}` }
}

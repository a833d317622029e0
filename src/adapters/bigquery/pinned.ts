import type { AnyRow } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import type { ReadRequest } from '../../ports/reader.ts'
import { Failure } from './errors.ts'

type Pages = AsyncIterable<readonly AnyRow[]>

/**
 * The rows of a table as they were at the moment that is asked for. Where BigQuery shows this reader no past of it, as they are: what could be read before others were
 * pinned is still read, and `told` hears of it. BigQuery: Row-level security, 'Time travel': "Only a table administrator can access historical data for a table that has, or has previously had,
 * row-level access policies. Other users get an access denied error".
 * @throws EtlError `unavailable` where the table was made, or made anew, after the moment: there will be a later one.
 */
export async function* pinned(
  request: ReadRequest,
  read: (request: ReadRequest, told?: (way: string) => void) => Pages,
  told: (way: string) => void = () => {},
): AsyncGenerator<readonly AnyRow[]> {
  const { asOf = null } = request
  if (asOf === null) return yield* read(request, told)
  let isBegun = false
  let refusal: EtlError
  try {
    for await (const page of read(request, told)) {
      isBegun = true
      yield page
    }
    return
  } catch (error) {
    if (isBegun || !(error instanceof EtlError) || !(error.cause instanceof Failure)) throw error
    if (isOutsideWindow(error.cause))
      throw new EtlError('unavailable', error.problem, {
        hint: `this run reads its sources as they were at ${asOf}, and of then nothing is kept of this one: it was made, or made anew, since. Run it again`,
        cause: error,
      })
    if (!refusals.has(error.cause.reason)) throw error
    refusal = error
  }
  told(`its rows as they are, not as they were at ${asOf}: ${refusal.problem}`)
  yield* read({ ...request, asOf: null }, told)
}

/** BigQuery: Access historical data: "If the timestamp specifies a time from prior to the time travel window or from before the table was created"; copies say 'time travel timestamp' (Restore deleted tables). */
export function isOutsideWindow({ text }: Failure): boolean {
  return /^Invalid (snapshot time|time travel timestamp) /.test(text)
}

/** Denied, or not possible: not a limit of bytes, not a table that is gone, nothing that passes. */
export const refusals: ReadonlySet<string> = new Set(['accessDenied', 'invalid', 'invalidQuery', 'notImplemented'])

import { EtlError, type Where } from '../domain/error.ts'

/** Runs one step of a run; an error gets the place it lacks. The only place that does so. */
export async function step<T>(where: Where, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw placed(error, where)
  }
}

/** Any failure as ours, with its place. What is not ours is a bug: its text is not shown, for it can quote a row; its frames are. */
export function placed(error: unknown, where: Where): EtlError {
  if (error instanceof EtlError) return error.within(where)
  const name = error instanceof Error ? error.name : typeof error
  return new EtlError('bug', `${name} (a defect: its text is left out, since it could hold a row).`, {
    where,
    cause: error,
    hint: 'see stack_trace; please report it',
  })
}

/**
 * Does a piece of work unless, and as long as, nobody says stop: then it is left to itself. Only for what may end alone without harm: questions, notes,
 * stages that expire; never for a publication.
 * @throws EtlError `stopped`.
 */
export async function untilStopped<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const told = () => new EtlError('stopped', 'told to stop before it published.')
  if (signal.aborted) throw told()
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(told())
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work(), stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

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

/**
 * Every wait of a run, in one place, in milliseconds. Tests scale all of them by one factor; test/domain/policy.test.ts pins the production values.
 */
export type Policy = {
  /** The same request again after it got no answer (docs/versions.md): full jitter from `first`, doubling, at most `cap`, `tries` times. */
  readonly request: { readonly first: number; readonly cap: number; readonly tries: number }
  /** After a conflict: full jitter from `first`, doubling, at most `cap`, for at least `window`. */
  readonly conflict: { readonly first: number; readonly cap: number; readonly window: number }
  /** How long one question for a job's end may hang at the service, and the pause between two of them. */
  readonly poll: { readonly hang: number; readonly pause: number }
  /** A job id that is not found is looked up once more after this long. */
  readonly settle: number
  /** So much of the Job's time must be left to begin to publish (mission: 'SIGTERM and activeDeadlineSeconds'). */
  readonly deadline: number
}

export const production: Policy = {
  request: { first: 500, cap: 10_000, tries: 6 },
  conflict: { first: 2_000, cap: 60_000, window: 300_000 },
  poll: { hang: 10_000, pause: 500 },
  settle: 10_000,
  deadline: 60_000,
}

/** The same policy with every wait multiplied; numbers of tries stay. */
export function scaled(policy: Policy, factor: number): Policy {
  const { request, conflict, poll, settle, deadline } = policy
  return {
    request: { first: request.first * factor, cap: request.cap * factor, tries: request.tries },
    conflict: { first: conflict.first * factor, cap: conflict.cap * factor, window: conflict.window * factor },
    poll: { hang: poll.hang * factor, pause: poll.pause * factor },
    settle: settle * factor,
    deadline: deadline * factor,
  }
}

/** A wait with full jitter: somewhere between nothing and the doubled bound. `random` is in [0, 1). */
export function jitter(wait: { readonly first: number; readonly cap: number }, tried: number, random: number): number {
  return Math.min(wait.cap, wait.first * 2 ** tried) * random
}

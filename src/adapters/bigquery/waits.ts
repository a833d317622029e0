import type { Clock } from '../../ports/clock.ts'

/** How often and how long the adapter waits, in milliseconds: the one policy of all its retries and polls. */
export type Waits = {
  /** Tries of one request or one job, the first included. */
  readonly tries: number
  /** Retries wait a random time up to `first`, then up to twice that, and so on up to `most` ("full jitter"). */
  readonly first: number
  readonly most: number
  /** A job that is not a query is looked at after this long, then half as long again each time, up to `pollMost`. */
  readonly poll: number
  readonly pollMost: number
  /** The service holds an answer about an unfinished query for this long (getQueryResults, timeoutMs). */
  readonly hold: number
  /** Between the two looks that prove that a job was never submitted. */
  readonly absent: number
}

/** What production waits. Tests scale it by one factor. */
export const productionWaits: Waits = {
  tries: 7,
  first: 1_000,
  most: 20_000,
  poll: 200,
  pollMost: 3_000,
  hold: 20_000,
  absent: 10_000,
}

/** The same policy, faster; how often it tries stays. */
export function scaled(waits: Waits, factor: number): Waits {
  const { tries, hold, ...times } = waits
  const entries = Object.entries(times).map(([name, milliseconds]) => [name, milliseconds * factor])
  return { tries, hold, ...(Object.fromEntries(entries) as Omit<Waits, 'tries' | 'hold'>) }
}

/** Waits before try number `next` (2 is the first retry). */
export function beforeTry(next: number, waits: Waits, clock: Clock): Promise<void> {
  return clock.sleep(Math.random() * Math.min(waits.most, waits.first * 2 ** (next - 2)))
}

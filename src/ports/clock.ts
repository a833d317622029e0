/** The only source of the current time and of waiting; no identity depends on it. */
export type Clock = {
  now(): Date
  /** Waits; ends early when `signal` aborts, without an error. Milliseconds. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

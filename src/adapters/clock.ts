import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../ports/clock.ts'

/** The machine's clock. */
export const clock: Clock = {
  now: () => new Date(),
  async sleep(milliseconds, signal) {
    await wait(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(error => {
      if (!(signal?.aborted ?? false)) throw error
    })
  },
}

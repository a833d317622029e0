import { expect, test } from 'vitest'
import { clock } from '../../src/adapters/clock.ts'

test('a wait ends early, without an error, when it is told to stop', async () => {
  const stop = new AbortController()
  const waiting = clock.sleep(60_000, stop.signal)
  stop.abort()
  await waiting
  await clock.sleep(60_000, stop.signal)
  await clock.sleep(1)
})

test('the clock goes forward', async () => {
  const before = clock.now()
  await clock.sleep(5)
  expect(clock.now().getTime()).toBeGreaterThan(before.getTime())
})

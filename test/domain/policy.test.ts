import { expect, test } from 'vitest'
import { jitter, production, scaled } from '../../src/domain/policy.ts'

// Every wait of a run, as it is in production; whoever changes one sees it here (protocol: Losing, and the crash table).
test('the waits of production, in milliseconds', () => {
  expect(production).toEqual({
    request: { first: 500, cap: 10_000, tries: 6 },
    conflict: { first: 2_000, cap: 60_000, window: 300_000 },
    poll: { hang: 10_000, pause: 500 },
    settle: 10_000,
    deadline: 60_000,
  })
})

test('a factor scales every wait, and no number of tries', () => {
  const numbers = (value: unknown): number[] =>
    typeof value === 'number' ? [value] : Object.values(value as object).flatMap(numbers)
  const { request, ...waits } = production
  const { request: scaledRequest, ...scaledWaits } = scaled(production, 0.01)
  expect(numbers(scaledWaits)).toEqual(numbers(waits).map(wait => wait * 0.01))
  expect(scaledRequest).toEqual({ first: request.first * 0.01, cap: request.cap * 0.01, tries: request.tries })
})

test('full jitter: from nothing up to a bound that doubles, and never beyond the cap', () => {
  const wait = { first: 100, cap: 1000 }
  expect([0, 1, 2, 3, 4].map(tried => jitter(wait, tried, 0.999999)).map(Math.round)).toEqual([100, 200, 400, 800, 1000])
  expect(jitter(wait, 3, 0)).toBe(0)
})

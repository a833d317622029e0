import { expect, test } from 'vitest'
import { production, scaled } from '../../src/domain/policy.ts'

test('the waits of production, in milliseconds', () => {
  expect(production).toEqual({
    request: { first: 500, cap: 10_000, tries: 6 },
    conflict: { first: 2_000, cap: 60_000, window: 300_000 },
    poll: { hang: 10_000, pause: 500 },
    settle: 10_000,
    deadline: 60_000,
  })
})

test('one factor scales every wait and no number of tries', () => {
  expect(scaled(production, 0.01)).toEqual({
    request: { first: 5, cap: 100, tries: 6 },
    conflict: { first: 20, cap: 600, window: 3_000 },
    poll: { hang: 100, pause: 5 },
    settle: 100,
    deadline: 600,
  })
})

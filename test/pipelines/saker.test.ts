import { testPipeline } from 'nais-etl/testing'
import { expect, test } from 'vitest'
import saker, { wholeDays } from '../../src/pipelines/saker.ts'

testPipeline(saker, 'saker')

test('the day on which the clock is put forward is a day of 24 hours in UTC, and microseconds short of a day are none', () => {
  expect(wholeDays('2026-03-28T23:30:00Z', '2026-03-29T23:30:00Z')).toBe(1)
  expect(wholeDays('2026-03-28T00:00:00Z', '2026-03-28T23:59:59.999999Z')).toBe(0)
})

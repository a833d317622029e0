import { expect, test } from 'vitest'
import { cronOf } from '../../src/engine/tick.ts'
import { groupsOf, longestGap } from '../../src/nais/schedules.ts'
import { copying } from './support.ts'

const hour = 3600

test.each([
  ['daily in Norway, when summer time ends', '30 6 * * *', 'Europe/Oslo', 25 * hour],
  ['daily in UTC', '30 6 * * *', 'UTC', 24 * hour],
  ['hourly', '5 * * * *', 'Europe/Oslo', hour],
  ['Mondays', '0 7 * * 1', 'Europe/Oslo', (7 * 24 + 1) * hour],
  ['working days', '0 7 * * 1-5', 'Europe/Oslo', (3 * 24 + 1) * hour],
  ['every minute of the working hours', '* 8-16 * * 1-5', 'Europe/Oslo', (2 * 24 + 15 + 1) * hour + 60],
  ['the first of the month', '0 7 1 * *', 'UTC', 31 * 24 * hour],
])('the longest time between two ticks: %s', (_, schedule, timeZone, seconds) => {
  expect(longestGap({ schedule, timeZone }, cronOf)).toBe(seconds)
})

test.each([
  ['no cron', 'every day', /a: schedule "every day" in Europe\/Oslo can't be read/],
  ['six fields', '0 30 6 * * *', /can't be read/],
  ['an hour that summer time skips', '30 2 * * *', /a: schedule "30 2 \* \* \*" ticks between 02:00 and 02:59 in Europe\/Oslo/],
  ['the last day of the month, which Kubernetes does not know', '0 7 L * *', /a: .*Kubernetes can't read "L"/],
  ['weekday 7, which Kubernetes does not know', '0 7 * * 1-7', /no weekday 7. Hint: Sunday is 0/],
])('%s is refused in a sentence that names the pipeline', (_, schedule, sentence) => {
  expect(() => groupsOf([copying('a', { schedule })], cronOf)).toThrow(sentence)
})

test.each(['30 2 * * *'])('%s is fine where clocks never change', schedule => {
  expect(groupsOf([copying('a', { schedule, timeZone: 'UTC' })], cronOf)).toHaveLength(1)
})

test.each(['0 7 * JAN-MAR MON,FRI', '*/15 6-18/2 1,15 * 0'])('%s is fine', schedule => {
  expect(groupsOf([copying('a', { schedule, timeZone: 'UTC' })], cronOf)).toHaveLength(1)
})

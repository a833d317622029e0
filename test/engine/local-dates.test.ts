import { partition } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import { datesCondition } from '../../src/domain/literal.ts'
import { workList } from '../../src/engine/slices.ts'
import { cronOf, jobName, lastTick, localDate, slotOf } from '../../src/engine/tick.ts'

// Oslo: on 2026-03-29 01:59:59 is followed by 03:00:00 (01:00 UTC), so that the day has 23 hours; on 2026-10-25 02:59:59 by 02:00:00, and it has 25.
const oslo = (schedule: string) => ({ schedule, timeZone: 'Europe/Oslo' })
const morning = oslo('30 6 * * *')

describe('the local date of a slot', () => {
  test.each([
    ['the last microsecond before the short day', '2026-03-28T22:59:59.999999Z', '2026-03-28'],
    ['its first', '2026-03-28T23:00:00Z', '2026-03-29'],
    ['before the clocks change', '2026-03-29T00:59:59Z', '2026-03-29'],
    ['after', '2026-03-29T01:00:00Z', '2026-03-29'],
    ['its last microsecond, 23 hours later', '2026-03-29T21:59:59.999999Z', '2026-03-29'],
    ['the day after', '2026-03-29T22:00:00Z', '2026-03-30'],
    ['the last microsecond before the long day', '2026-10-24T21:59:59.999999Z', '2026-10-24'],
    ['its first', '2026-10-24T22:00:00Z', '2026-10-25'],
    ['02:30 for the first time', '2026-10-25T00:30:00Z', '2026-10-25'],
    ['02:30 for the second time', '2026-10-25T01:30:00Z', '2026-10-25'],
    ['24 hours after midnight', '2026-10-25T22:30:00Z', '2026-10-25'],
    ['its last microsecond, 25 hours later', '2026-10-25T22:59:59.999999Z', '2026-10-25'],
    ['the day after', '2026-10-25T23:00:00Z', '2026-10-26'],
  ])('%s', (_, time, date) => {
    expect(localDate(time, 'Europe/Oslo')).toBe(date)
  })

  test('is another in another zone', () => {
    expect(localDate('2026-10-25T23:30:00Z', 'UTC')).toBe('2026-10-25')
    expect(localDate('2026-03-29T03:30:00Z', 'America/New_York')).toBe('2026-03-28')
  })
})

describe('every day at 06:30', () => {
  test.each([
    ['2026-03-28T23:30:00Z', '2026-03-28T05:30:00Z', '2026-03-28'],
    ['2026-03-29T04:29:59Z', '2026-03-28T05:30:00Z', '2026-03-28'],
    ['2026-03-29T04:30:00Z', '2026-03-29T04:30:00Z', '2026-03-29'],
    ['2026-03-29T22:30:00Z', '2026-03-29T04:30:00Z', '2026-03-29'],
    ['2026-03-30T04:30:00Z', '2026-03-30T04:30:00Z', '2026-03-30'],
    ['2026-10-25T04:30:00Z', '2026-10-24T04:30:00Z', '2026-10-24'],
    ['2026-10-25T05:29:59Z', '2026-10-24T04:30:00Z', '2026-10-24'],
    ['2026-10-25T05:30:00Z', '2026-10-25T05:30:00Z', '2026-10-25'],
    ['2026-10-25T23:30:00Z', '2026-10-25T05:30:00Z', '2026-10-25'],
    ['2026-10-26T05:30:00Z', '2026-10-26T05:30:00Z', '2026-10-26'],
  ])('at %s the last tick was %s, and the newest slice is that of %s', (now, tick, date) => {
    expect(lastTick(morning, now)).toBe(tick)
    expect(scopeAt(tick).at(-1)).toBe(date)
  })

  test.each(['2026-03-29T04:30:00Z', '2026-10-25T05:30:00Z'])('the CronJob’s Job of %s is that tick’s', tick => {
    const job = jobName(`dager-${Date.parse(tick) / 60_000}-abcde`, 'dager')
    expect(slotOf(job, morning, tick)).toEqual({ trigger: 'scheduled', slot: tick })
    // An hour beside it is nobody's tick: somebody's own digits.
    const beside = jobName(`dager-${Date.parse(tick) / 60_000 - 60}-abcde`, 'dager')
    expect(slotOf(beside, morning, tick).trigger).toBe('manual')
  })

  test('each day is done once, in both weeks, though the ticks are 23 or 25 hours apart', () => {
    for (const [from, days] of [
      ['2026-03-26T05:30:00Z', ['2026-03-26', '2026-03-27', '2026-03-28', '2026-03-29', '2026-03-30']],
      ['2026-10-23T04:30:00Z', ['2026-10-23', '2026-10-24', '2026-10-25', '2026-10-26', '2026-10-27']],
    ] as const) {
      const ticks = [from as string]
      while (ticks.length < 5) ticks.push(next(ticks.at(-1) ?? ''))
      expect(ticks.map(tick => localDate(tick, 'Europe/Oslo'))).toEqual(days)
    }
  })
})

describe('around midnight', () => {
  test.each([
    ['0 0 * * *', '2026-03-29T22:00:00Z', '2026-03-30'],
    ['59 23 * * *', '2026-03-29T21:59:00Z', '2026-03-29'],
    ['0 0 * * *', '2026-10-25T23:00:00Z', '2026-10-26'],
    ['59 23 * * *', '2026-10-25T22:59:00Z', '2026-10-25'],
  ])('%s ticks at %s: the newest slice is that of %s, and the one before it is there too', (schedule, tick, date) => {
    const second = new Date(Date.parse(tick) + 1000).toISOString().replace('.000Z', 'Z')
    expect(lastTick(oslo(schedule), second)).toBe(tick)
    expect(scopeAt(tick).at(-1)).toBe(date)
    expect(scopeAt(tick)).toContain(new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10))
  })

  test('every hour ticks 23 and 25 times', () => {
    const hours = (day: string, end: string) => {
      const cron = cronOf(oslo('0 * * * *'))
      let [count, at] = [0, new Date(Date.parse(day) - 1)]
      for (let tick = cron.nextRun(at); tick !== null && tick.getTime() < Date.parse(end); tick = cron.nextRun(at)) {
        count++
        at = tick
      }
      return count
    }
    expect(hours('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z')).toBe(23)
    expect(hours('2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z')).toBe(25)
  })
})

test('days in a row stay one range over both days: dates have no hours', () => {
  expect(datesCondition('dato', ['2026-03-28', '2026-03-29', '2026-03-30'])).toBe(
    "`dato` BETWEEN DATE '2026-03-28' AND DATE '2026-03-30'",
  )
  expect(datesCondition('dato', ['2026-10-24', '2026-10-25', '2026-10-26'])).toContain('BETWEEN')
})

/** The work list at a slot, of a source that is a week ahead. */
function scopeAt(slot: string): readonly string[] {
  const days = (month: string, first: number) => Array.from({ length: 12 }, (_, index) => `2026-${month}-${first + index}`)
  return workList([...days('03', 20), ...days('10', 20)], [], partition('dato'), localDate(slot, 'Europe/Oslo')).scope
}

function next(tick: string): string {
  return cronOf(morning).nextRun(new Date(tick))?.toISOString().replace('.000Z', 'Z') ?? ''
}

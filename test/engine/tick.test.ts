import { describe, expect, test } from 'vitest'
import { cronOf, jobName, lastTick, localDate, runsPerMonth, slotOf, versionOf } from '../../src/engine/tick.ts'

const daily = { schedule: '30 6 * * *', timeZone: 'Europe/Oslo' }
const now = '2026-11-21T05:31:07.123456Z'
const minute = (time: string) => Date.parse(time) / 60_000

describe('a Job by its name', () => {
  // pod name, run, trigger, slot: the rows of docs/identity.md that can occur without backfill and rollback
  const slotToday = '2026-11-21T05:30:00Z'
  const today = minute(slotToday)
  const cases: [string, string | undefined, string | undefined, string, string][] = [
    ['the CronJob made it for this tick', `apps-${today}-x7k2p`, `apps-${today}`, 'scheduled', slotToday],
    [
      'a tick of yesterday that is late',
      `apps-${today - 1440}-x7k2p`,
      `apps-${today - 1440}`,
      'scheduled',
      '2026-11-20T05:30:00Z',
    ],
    ['a tick four minutes ahead of the warehouse clock', `apps-${today}-abcde`, `apps-${today}`, 'scheduled', slotToday],
    ['digits that match no tick of the schedule', `apps-${today - 17}-x7k2p`, `apps-${today - 17}`, 'manual', slotToday],
    ['digits from nine days ago', `apps-${today - 9 * 1440}-x7k2p`, `apps-${today - 9 * 1440}`, 'manual', slotToday],
    ['nais job trigger --run-name rett-kilde', 'rett-kilde-x7k2p', 'rett-kilde', 'manual', slotToday],
    ['kubectl create job apps-manual', 'apps-manual-9xw4c', 'apps-manual', 'manual', slotToday],
    ['a CronJob of another name', `other-${today}-x7k2p`, `other-${today}`, 'manual', slotToday],
    ['seven digits are no minute', 'apps-2965425-x7k2p', 'apps-2965425', 'manual', slotToday],
    ['no pod at all', undefined, undefined, 'local', slotToday],
  ]
  test.each(cases)('%s', (_, pod, run, trigger, slot) => {
    const job = pod === undefined ? undefined : jobName(pod, 'apps')
    expect(job?.run).toBe(run)
    expect(slotOf(job, daily, _.includes('ahead') ? '2026-11-21T05:26:00Z' : now)).toEqual({ trigger, slot })
  })

  test('a retried pod of a Job is the same run', () => {
    expect(jobName('apps-29654250-aaaaa', 'apps')).toEqual(jobName('apps-29654250-bbbbb', 'apps'))
  })

  test('a name that no pod of a Job has is no Job', () => {
    expect(jobName('laptop', 'apps')).toBeUndefined()
  })
})

describe('the slot', () => {
  test('06:30 in Oslo is 05:30 in winter and 04:30 in summer', () => {
    expect(lastTick(daily, '2026-01-10T12:00:00Z')).toBe('2026-01-10T05:30:00Z')
    expect(lastTick(daily, '2026-07-10T12:00:00Z')).toBe('2026-07-10T04:30:00Z')
  })

  test('is the day before until the tick has come', () => {
    expect(lastTick(daily, '2026-11-21T05:29:59.999999Z')).toBe('2026-11-20T05:30:00Z')
    expect(lastTick(daily, '2026-11-21T05:30:00Z')).toBe('2026-11-21T05:30:00Z')
  })

  test('has a local date, also around midnight', () => {
    expect(localDate('2026-11-20T23:30:00Z', 'Europe/Oslo')).toBe('2026-11-21')
  })
})

describe('the version', () => {
  const slot = '2026-11-21T05:30:00Z'
  test.each([
    ['a scheduled run: its slot', 'scheduled', '2026-11-20T05:30:00Z', slot],
    ['a scheduled run behind a newer head: the time of its claim', 'scheduled', '2026-11-21T05:30:30Z', '2026-11-21T05:31:07Z'],
    ['a manual run: the time of its claim in whole seconds', 'manual', slot, '2026-11-21T05:31:07Z'],
    [
      'a second manual run of the same second: a microsecond more',
      'manual',
      '2026-11-21T05:31:07Z',
      '2026-11-21T05:31:07.000001Z',
    ],
    ['a head ahead of the clock: a microsecond more', 'manual', '2026-11-22T00:00:00.999999Z', '2026-11-22T00:00:01Z'],
  ] as const)('of %s', (_, trigger, head, version) => {
    expect(versionOf(trigger, slot, now, head)).toBe(version)
  })
})

describe('a schedule', () => {
  test.each([
    ['99 6 * * *', /can't be read/],
    ['30 6 * *', /can't be read/],
    ['0 30 6 * * *', /can't be read/],
    ['30 2 * * *', /skipped in spring/],
    ['0 1-3 * * *', /skipped in spring/],
    ['0 */2 * * *', /skipped in spring/],
  ])('%s is refused', (schedule, problem) => {
    expect(() => cronOf({ schedule, timeZone: 'Europe/Oslo' })).toThrow(problem)
  })

  test('in a zone that nobody knows is refused', () => {
    expect(() => cronOf({ schedule: '30 6 * * *', timeZone: 'Europe/Olso' })).toThrow(/can't be read/)
  })

  test('at 02:30 is fine where clocks never change, and every hour is fine anywhere', () => {
    expect(() => cronOf({ schedule: '30 2 * * *', timeZone: 'UTC' })).not.toThrow()
    expect(() => cronOf({ schedule: '*/15 * * * *', timeZone: 'Europe/Oslo' })).not.toThrow()
    expect(() => cronOf({ schedule: '0 1-23/2 * * *', timeZone: 'Europe/Oslo' })).not.toThrow()
    expect(() => cronOf({ schedule: '0 */1 * * *', timeZone: 'Europe/Oslo' })).not.toThrow()
    expect(() => cronOf({ schedule: '0 0-11,12-23 * * *', timeZone: 'Europe/Oslo' })).not.toThrow()
  })
})

test.each([
  ['30 6 * * *', 'Europe/Oslo', 365],
  ['30 6 * * *', 'UTC', 365],
  ['30 6 * * 1-5', 'Europe/Oslo', 261],
  ['0 * * * *', 'Europe/Oslo', 24 * 365],
  ['*/10 7-16 * * 1-5', 'Europe/Oslo', 60 * 261],
  ['0 5 1 * *', 'Europe/Oslo', 12],
  ['0 5 29 2 *', 'Europe/Oslo', 0],
  ['59 23 * * *', 'America/New_York', 365],
  ['0 0 * * *', 'Europe/Oslo', 365],
])('%s in %s runs %d times in 2025', (schedule, timeZone, runs) => {
  expect(runsPerMonth({ schedule, timeZone }) * 12).toBeCloseTo(runs, 6)
})

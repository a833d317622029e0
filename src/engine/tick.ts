import { Cron } from 'croner'
import { EtlError } from '../domain/error.ts'
import { microsOf, timestampOf } from '../domain/micros.ts'
import type { Trigger } from '../domain/run.ts'

/** A schedule as a pipeline declares it. */
export type Schedule = { readonly schedule: string; readonly timeZone: string }

/** What the pod's name says: which Job this process belongs to, and, if the CronJob's controller made it, the tick in minutes since 1970. */
export type JobName = { readonly run: string; readonly tickMinute: number | null }

/**
 * The Job of a pod. Kubernetes names Jobs of a CronJob `<cronjob>-<unix minutes>` and their pods `<job>-<five characters>`; any other Job was made by hand.
 * @returns undefined for a name that no Job's pod has.
 */
export function jobName(podName: string, naisjob: string): JobName | undefined {
  const pod = /^(.+)-[a-z0-9]{5}$/.exec(podName)
  if (pod?.[1] === undefined) return undefined
  const run = pod[1]
  const minutes = run.startsWith(`${naisjob}-`) ? /^(\d{8})$/.exec(run.slice(naisjob.length + 1)) : null
  return { run, tickMinute: minutes === null ? null : Number(minutes[1]) }
}

/** Who started the run and which time its data is for, by the warehouse's clock. TIMESTAMP texts. */
export function slotOf(
  job: JobName | undefined,
  schedule: Schedule,
  now: string,
): { readonly trigger: Trigger; readonly slot: string } {
  if (job !== undefined && job.tickMinute !== null && isTick(job.tickMinute, schedule, now)) {
    return { trigger: 'scheduled', slot: timestampOf(BigInt(job.tickMinute) * 60_000_000n) }
  }
  return { trigger: job === undefined ? 'local' : 'manual', slot: lastTick(schedule, now) }
}

/** A tick is near enough to now, eight days back to five minutes ahead, and matches the schedule in its zone; else the digits are somebody's own. */
function isTick(minute: number, schedule: Schedule, now: string): boolean {
  const away = minute * 60 - Number(microsOf(now) / 1_000_000n)
  if (away < -8 * 86_400 || away > 300) return false
  return cronOf(schedule).match(new Date(minute * 60_000))
}

/** The schedule's last tick at or before a time; the time itself if the schedule has none before it. */
export function lastTick(schedule: Schedule, now: string): string {
  const after = new Date((Number(microsOf(now) / 1_000_000n) + 1) * 1000) // croner leaves out the reference itself, and counts in seconds
  const tick = cronOf(schedule).previousRuns(1, after)[0]
  return tick === undefined ? now : timestampOf(BigInt(tick.getTime()) * 1000n)
}

/** The schedule's next tick, for people: `2026-11-22 06:30 Europe/Oslo`; 'never' if there is none. */
export function nextTick(schedule: Schedule): string {
  const next = cronOf(schedule).nextRun()
  if (next === null) return 'never'
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone: schedule.timeZone, dateStyle: 'short', timeStyle: 'short' }).format(
    next,
  )
  return `${local} ${schedule.timeZone}`
}

/**
 * Ticks in a month, on the average of the year 2025: the ticks of one day, for every day that has some.
 * @throws EtlError `pipeline` for a schedule that can't be read.
 */
export function runsPerMonth(schedule: Schedule): number {
  const cron = cronOf(schedule)
  const newYear = (year: number) => Date.UTC(year, 0, 1) - zoneOffset(Date.UTC(year, 0, 1), schedule.timeZone)
  const end = newYear(2026)
  const day = (from: number) => localDate(timestampOf(BigInt(from) * 1000n), schedule.timeZone)
  const after = (time: number) => cron.nextRun(new Date(time))?.getTime() ?? end
  const first = after(newYear(2025) - 1)
  let perDay = 0
  for (let tick = first; tick < end && day(tick) === day(first); tick = after(tick)) perDay++
  let days = 0
  for (let tick = first; tick < end; days++) {
    const lastSecond = Date.parse(`${day(tick)}T23:59:59Z`)
    // The offset in the evening: clocks change at night.
    tick = after(lastSecond - zoneOffset(lastSecond - 3 * 3_600_000, schedule.timeZone))
  }
  return (perDay * days) / 12
}

/** How far the zone's clock is before UTC at a time, in milliseconds. */
function zoneOffset(time: number, timeZone: string): number {
  const name = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).format(new Date(time))
  const offset = /GMT([+-])(\d\d):(\d\d)/.exec(name)
  return offset === null ? 0 : (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) * 60_000
}

/** The local date of a time in a zone: `2026-11-21`. */
export function localDate(time: string, timeZone: string): string {
  const milliseconds = Number(microsOf(time) / 1000n)
  return new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
    new Date(milliseconds),
  )
}

/**
 * A scheduled run's version is its slot, where that is newer than the head; every other's is the time of its claim in whole seconds, and at least a microsecond
 * after the head. Versions of one target only grow.
 */
export function versionOf(trigger: Trigger, slot: string, now: string, head: string): string {
  const newest = microsOf(head)
  if (trigger === 'scheduled' && microsOf(slot) > newest) return slot
  const second = (microsOf(now) / 1_000_000n) * 1_000_000n
  return timestampOf(second > newest ? second : newest + 1n)
}

/**
 * The parsed schedule.
 * @throws EtlError `pipeline` for a schedule or zone that can't be read, and for one in the hour that summer time skips or repeats.
 */
export function cronOf({ schedule, timeZone }: Schedule): Cron {
  let cron: Cron
  try {
    cron = new Cron(schedule, { timezone: timeZone, mode: '5-part', paused: true })
    cron.nextRun()
  } catch (error) {
    throw new EtlError('pipeline', `schedule ${JSON.stringify(schedule)} in ${timeZone} can't be read.`, {
      hint: "five cron fields, such as '30 6 * * *' for 06:30 every day, and an IANA zone such as Europe/Oslo",
      cause: error,
    })
  }
  if (changesClocks(timeZone) && hoursOf(schedule).includes(2)) {
    throw new EtlError(
      'pipeline',
      `schedule ${JSON.stringify(schedule)} ticks between 02:00 and 02:59 in ${timeZone}: that hour is skipped in spring and comes twice in autumn.`,
      {
        hint: 'choose another hour',
      },
    )
  }
  return cron
}

/** Does the zone have summer time? Two offsets in a year. */
function changesClocks(timeZone: string): boolean {
  const offset = (month: number) =>
    new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).format(new Date(Date.UTC(2026, month, 1)))
  return offset(0).split('GMT')[1] !== offset(6).split('GMT')[1]
}

/** The hours a schedule names; none where it names every hour, since then the next tick does what a lost one would have done. */
function hoursOf(schedule: string): number[] {
  const field = schedule.trim().split(/\s+/)[1] ?? '*'
  const hours = field.split(',').flatMap(part => {
    const [range = '*', step = '1'] = part.split('/')
    const [first, last] = range === '*' ? [0, 23] : range.split('-').map(Number)
    const end = last ?? (part.includes('/') ? 23 : first)
    return Array.from({ length: 24 }, (_, hour) => hour).filter(
      hour => hour >= (first ?? 0) && hour <= (end ?? 0) && (hour - (first ?? 0)) % Number(step) === 0,
    )
  })
  return new Set(hours).size === 24 ? [] : hours
}

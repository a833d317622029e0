import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'

/** A schedule as a pipeline declares it. */
export type Schedule = { readonly schedule: string; readonly timeZone: string }

/** Reads a schedule; throws EtlError for one that has no meaning. Given from outside, since this room has no libraries. */
export type CronOf = (schedule: Schedule) => { nextRun(after: Date): Date | null }

/** The pipelines of one schedule: one Naisjob runs them. */
export type Group = Schedule & { readonly pipelines: readonly NamedPipeline[] }

/**
 * The pipelines by schedule, in the order of their names.
 * @throws EtlError `pipeline` for a schedule that Kubernetes can't read, and whatever `cronOf` throws.
 */
export function groupsOf(pipelines: readonly NamedPipeline[], cronOf: CronOf): Group[] {
  const groups = new Map<string, NamedPipeline[]>()
  for (const pipeline of [...pipelines].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    try {
      cronOf(pipeline)
      refuseForeign(pipeline.schedule)
    } catch (error) {
      throw error instanceof EtlError ? error.within({ pipeline: pipeline.name }) : error
    }
    const fields = `${pipeline.timeZone} ${pipeline.schedule.trim().split(/\s+/).join(' ')}`
    groups.set(fields, [...(groups.get(fields) ?? []), pipeline])
  }
  return [...groups].map(([fields, members]) => {
    const [timeZone = '', ...cron] = fields.split(' ')
    return { schedule: cron.join(' '), timeZone, pipelines: members }
  })
}

/**
 * The longest time between two ticks, in seconds: 25 hours for a daily one in Norway, when summer time ends. Looked for from the Thursday before summer time
 * ended in 2025, over so many ticks that a schedule of every minute of working days still sees a week-end.
 */
export function longestGap(schedule: Schedule, cronOf: CronOf): number {
  const cron = cronOf(schedule)
  let last = cron.nextRun(new Date('2025-10-23T00:00:00Z'))
  let longest = 0
  for (let ticks = 0; ticks < 1500 && last !== null; ticks++) {
    const next = cron.nextRun(last)
    if (next !== null) longest = Math.max(longest, (next.getTime() - last.getTime()) / 1000)
    last = next
  }
  return longest
}

/** Kubernetes reads fields by robfig/cron's standard parser: no L, W, # or ?, Sunday is 0, never 7. A laptop's library takes more. */
function refuseForeign(schedule: string): void {
  const fields = schedule.trim().split(/\s+/)
  const part = /^(\*|(\d+|[A-Za-z]{3})(-(\d+|[A-Za-z]{3}))?)(\/\d+)?$/
  const foreign = fields.find(field => field.split(',').some(piece => !part.test(piece)))
  if (foreign !== undefined) {
    throw new EtlError('pipeline', `schedule ${JSON.stringify(schedule)}: Kubernetes can't read ${JSON.stringify(foreign)}.`, {
      hint: 'numbers, names of three letters, *, lists, ranges and steps only',
    })
  }
  if (/(^|[,-])7([,/-]|$)/.test(fields[4] ?? '')) {
    throw new EtlError('pipeline', `schedule ${JSON.stringify(schedule)}: Kubernetes has no weekday 7.`, { hint: 'Sunday is 0' })
  }
}

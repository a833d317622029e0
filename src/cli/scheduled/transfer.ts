import { EtlError } from '../../domain/error.ts'

/** A scheduled query as its file has it; what a file of SQL alone doesn't say is undefined. */
export type Scheduled = {
  readonly sql: string
  readonly title: string | undefined
  /** `projects/…/locations/…/transferConfigs/…`. */
  readonly resource: string | undefined
  readonly dataset: string | undefined
  readonly table: string | undefined
  /** Does each run add its rows to those that are there? */
  readonly appends: boolean
  readonly schedule: string | undefined
  /** When it runs next: BigQuery Data Transfer REST, TransferConfig.nextRunTime. */
  readonly next: string | undefined
}

/**
 * Reads `bq show --transfer_config --format=json RESOURCE` (BigQuery Data Transfer REST, TransferConfig), or the SQL of the console.
 * @throws EtlError `usage` for JSON that is no scheduled query.
 */
export function readScheduled(text: string): Scheduled {
  const none = {
    title: undefined,
    resource: undefined,
    dataset: undefined,
    table: undefined,
    appends: false,
    schedule: undefined,
    next: undefined,
  }
  if (!text.trimStart().startsWith('{')) return { sql: text, ...none }
  let config: Record<string, unknown>
  try {
    config = JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new EtlError('usage', 'the file begins like JSON and is none.', {
      hint: 'bq show --transfer_config --format=json RESOURCE writes it',
      cause,
    })
  }
  const params = (config.params ?? {}) as Record<string, unknown>
  const string = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  const sql = string(params.query)
  if (sql === undefined)
    throw new EtlError(
      'usage',
      `the file has no query${config.dataSourceId === undefined ? '' : ` (it is a ${config.dataSourceId})`}.`,
      {
        hint: 'bq show --transfer_config --format=json RESOURCE writes a scheduled query',
      },
    )
  return {
    sql,
    title: string(config.displayName),
    resource: string(config.name),
    dataset: string(config.destinationDatasetId),
    // A template such as t_{run_date} makes a table a day: here one table has all versions.
    table: string(params.destination_table_name_template)?.replace(/[_$]?\{.*$/, ''),
    appends: params.write_disposition === 'WRITE_APPEND',
    schedule: string(config.schedule),
    next: string(config.nextRunTime),
  }
}

/** A schedule of scheduled queries, which are in UTC, as cron fields; undefined for one that isn't known (App Engine: cron.yaml, "Schedule format"). */
export function cronOfSchedule(schedule: string | undefined, next: string | undefined): string | undefined {
  const text = schedule?.trim().toLowerCase() ?? ''
  const started = next === undefined || Number.isNaN(Date.parse(next)) ? undefined : new Date(next)
  const minute = started?.getUTCMinutes() ?? 0
  const daily =
    /^every (?:day|(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:, ?)?|(?:mon|tue|wed|thu|fri|sat|sun)(?:, ?)?)+) (\d\d):(\d\d)$/.exec(
      text,
    )
  if (daily !== null) {
    const days = [...text.matchAll(/\b(mon|tue|wed|thu|fri|sat|sun)/g)].map(([, day]) => day).join(',')
    return `${Number(daily[2])} ${Number(daily[1])} * * ${days === '' ? '*' : days}`
  }
  const hours = Number(/^every (\d+) hours?$/.exec(text)?.[1])
  if (hours === 24) return `${minute} ${started?.getUTCHours() ?? 5} * * *`
  if (hours > 0 && 24 % hours === 0) return `${minute} ${hours === 1 ? '*' : `*/${hours}`} * * *`
  const monthly = /^(\d+) of month (\d\d):(\d\d)$/.exec(text)
  return monthly === null ? undefined : `${Number(monthly[3])} ${Number(monthly[2])} ${Number(monthly[1])} * *`
}

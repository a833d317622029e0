/** Reading dates and times as BigQuery's load jobs do. Everything is exact: days, or microseconds as bigint. Undefined = not such a text. */

const datePart = String.raw`(\d{1,4})-(\d{1,2})-(\d{1,2})`
const timePart = String.raw`(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?`
const datePattern = new RegExp(`^${datePart}$`)
const timePattern = new RegExp(`^${timePart}$`)
const datetimePattern = new RegExp(`^${datePart}(?:[ Tt]${timePart})?$`)
const timestampPattern = new RegExp(`^(${datePart}(?:[ Tt]${timePart})?) ?(Z|z|UTC|[+-]\\d{1,2}(?::?\\d{2})?)?$`)

/** Days since 1970-01-01. */
export function daysOf(text: string): number | undefined {
  const match = datePattern.exec(text)
  return match ? days(match.slice(1)) : undefined
}

/** Microseconds since midnight. */
export function timeMicros(text: string): bigint | undefined {
  const match = timePattern.exec(text)
  return match ? clock(match.slice(1)) : undefined
}

/** Microseconds since 1970-01-01T00:00:00 of a text without zone. */
export function datetimeMicros(text: string): bigint | undefined {
  const match = datetimePattern.exec(text)
  if (!match) return undefined
  const date = days(match.slice(1, 4))
  const time = match[4] === undefined ? 0n : clock(match.slice(4, 8))
  return date === undefined || time === undefined ? undefined : BigInt(date) * 86_400_000_000n + time
}

/** Microseconds since 1970 in UTC; a text without zone is UTC. */
export function timestampMicros(text: string): bigint | undefined {
  const match = timestampPattern.exec(text)
  const local = match?.[1] === undefined ? undefined : datetimeMicros(match[1])
  if (local === undefined) return undefined
  const zone = match?.at(-1)
  const offset = zone === undefined ? null : /^([+-])(\d{1,2}):?(\d{2})?$/.exec(zone)
  if (!offset) return local
  const minutes = BigInt(Number(offset[2]) * 60 + Number(offset[3] ?? 0))
  return inYears(local - (offset[1] === '-' ? -minutes : minutes) * 60_000_000n)
}

/** Microseconds of seconds since 1970 as text, e.g. 1.6426368E9; parts below a microsecond are cut. */
export function secondsMicros(text: string): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]\+?(\d+))?$/.exec(text)
  if (!match) return undefined
  const digits = Number(match[4] ?? 0) + 6
  if (digits > 30) return undefined
  const fraction = match[3] ?? ''
  const micros = BigInt((match[2] ?? '') + fraction.slice(0, digits).padEnd(digits, '0'))
  return inYears(match[1] ? -micros : micros)
}

const first = -62_135_596_800_000_000n
const last = 253_402_300_799_999_999n
const inYears = (micros: bigint) => (micros < first || micros > last ? undefined : micros)

function days(parts: readonly (string | undefined)[]): number | undefined {
  const [year = 0, month = 0, day = 0] = parts.map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isThatDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isThatDay && year >= 1 ? date.getTime() / 86_400_000 : undefined
}

function clock(parts: readonly (string | undefined)[]): bigint | undefined {
  const [hour = 0, minute = 0, second = 0] = parts.slice(0, 3).map(Number)
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const fraction = BigInt((parts[3] ?? '').padEnd(6, '0').slice(0, 6))
  return BigInt((hour * 60 + minute) * 60 + second) * 1_000_000n + fraction
}

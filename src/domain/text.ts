// Values of every row are looked at, some of them more than once: no regular expression here, no text is cut, and no array is made.

/** Is this a day of the calendar, years 1 to 9999? BigQuery: DATE. */
export function isDate(text: string): boolean {
  return text.length === 10 && beginsWithDate(text)
}

/** BigQuery: TIME, 00:00:00 to 23:59:59.999999. */
export function isTime(text: string): boolean {
  return isTimeAt(text, 0, text.length)
}

/** BigQuery: DATETIME, a day and a time with T between. */
export function isDatetime(text: string): boolean {
  return isMoment(text, text.length)
}

/** BigQuery: TIMESTAMP, written in UTC with a Z. */
export function isTimestamp(text: string): boolean {
  const end = text.length - 1
  return end >= shortestMoment && text.charCodeAt(end) === letterZ && isMoment(text, end)
}

/** Is this decimal text with at most so many digits before and after the point (zeros that say nothing don't count)? */
export function isDecimal(text: string, whole: number, fraction: number): boolean {
  const { length } = text
  if (length === 0) return false
  const start = text.charCodeAt(0) === dash ? 1 : 0
  let at = start
  while (at < length && text.charCodeAt(at) === zero) at++
  const first = at
  while (at < length && isDigit(text.charCodeAt(at))) at++
  if (at - first > whole) return false
  const digitsBefore = at - start
  if (at === length) return digitsBefore > 0
  if (text.charCodeAt(at) !== point) return false
  const behind = ++at
  let last = at
  for (; at < length && isDigit(text.charCodeAt(at)); at++) if (text.charCodeAt(at) !== zero) last = at + 1
  return at === length && last - behind <= fraction && digitsBefore + at - behind > 0
}

/**
 * A sentence about a text that should be a date, with the date that was probably meant: `2022-20-01` is year-day-month.
 * @returns undefined if the text is a date.
 */
export function dateProblem(text: string): string | undefined {
  if (isDate(text)) return undefined
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (parts === null) return `${JSON.stringify(text)} is no date (expected year-month-day, such as 2022-01-20)`
  const [, year, month, day] = parts
  const why =
    year === '0000' ? 'year 0000' : Number(month) < 1 || Number(month) > 12 ? `month ${month}` : `day ${day} of month ${month}`
  const swapped = `${year}-${day}-${month}`
  return `${text} is no date (${why}).${isDate(swapped) ? ` Did you mean ${swapped}?` : ''}`
}

/** How many days a month of a year has, 1 to 12. */
export function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

const [dash, point, zero, colon, letterT, letterZ] = [45, 46, 48, 58, 84, 90]
const shortestMoment = '2024-01-31T06:30:00'.length

function isMoment(text: string, end: number): boolean {
  return end >= shortestMoment && text.charCodeAt(10) === letterT && beginsWithDate(text) && isTimeAt(text, 11, end)
}

/** Of a text of ten characters or more: what lies behind an end is NaN, and numbers that may be NaN are slow. */
function beginsWithDate(text: string): boolean {
  if (text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return false
  const century = two(text, 0)
  const rest = two(text, 2)
  const month = two(text, 5)
  const day = two(text, 8)
  const year = century * 100 + rest
  return century >= 0 && rest >= 0 && year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

function isTimeAt(text: string, from: number, to: number): boolean {
  const length = to - from
  if (length < 8 || text.charCodeAt(from + 2) !== colon || text.charCodeAt(from + 5) !== colon) return false
  const hour = two(text, from)
  const minute = two(text, from + 3)
  const second = two(text, from + 6)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false
  if (length === 8) return true
  if (length === 9 || length > 15 || text.charCodeAt(from + 8) !== point) return false
  for (let index = from + 9; index < to; index++) if (!isDigit(text.charCodeAt(index))) return false
  return true
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** The number that these two characters write, -1 if one is no digit. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - zero
  const ones = text.charCodeAt(at + 1) - zero
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones
}

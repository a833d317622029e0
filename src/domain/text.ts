// Every value of every row is looked at, twice: no regular expression here, and no text is cut.

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
  return text.charCodeAt(10) === letterT && beginsWithDate(text) && isTimeAt(text, 11, text.length)
}

/** BigQuery: TIMESTAMP, written in UTC with a Z. */
export function isTimestamp(text: string): boolean {
  const end = text.length - 1
  return text.charCodeAt(end) === letterZ && text.charCodeAt(10) === letterT && beginsWithDate(text) && isTimeAt(text, 11, end)
}

/** Is this decimal text with at most so many digits before and after the point (zeros that say nothing don't count)? */
export function isDecimal(text: string, whole: number, fraction: number): boolean {
  const start = text.charCodeAt(0) === dash ? 1 : 0
  let at = start
  while (text.charCodeAt(at) === zero) at++
  const first = at
  while (isDigit(text.charCodeAt(at))) at++
  if (at - first > whole) return false
  const digitsBefore = at - start
  if (at === text.length) return digitsBefore > 0
  if (text.charCodeAt(at) !== point) return false
  const behind = ++at
  let last = at
  for (; isDigit(text.charCodeAt(at)); at++) if (text.charCodeAt(at) !== zero) last = at + 1
  return at === text.length && last - behind <= fraction && digitsBefore + at - behind > 0
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

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

const [dash, point, zero, colon, letterT, letterZ] = [45, 46, 48, 58, 84, 90]

function beginsWithDate(text: string): boolean {
  if (text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return false
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

function isTimeAt(text: string, from: number, to: number): boolean {
  const length = to - from
  if (length < 8 || text.charCodeAt(from + 2) !== colon || text.charCodeAt(from + 5) !== colon) return false
  if (!(digits(text, from, from + 2) <= 23 && digits(text, from + 3, from + 5) <= 59 && digits(text, from + 6, from + 8) <= 59))
    return false
  if (length === 8) return true
  return length >= 10 && length <= 15 && text.charCodeAt(from + 8) === point && digits(text, from + 9, to) >= 0
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** The number that these characters write, NaN if one is no digit. */
function digits(text: string, from: number, to: number): number {
  let number = 0
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - 48
    // Not `digit < 0 || digit > 9`: behind the end it is NaN.
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

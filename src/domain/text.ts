/** Is this a day of the calendar, years 1 to 9999? BigQuery: DATE. */
export function isDate(text: string): boolean {
  if (text.length !== 10 || text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return false
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

/** BigQuery: TIME, 00:00:00 to 23:59:59.999999. */
export function isTime(text: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/.test(text)
}

/** BigQuery: DATETIME, a day and a time with T between. */
export function isDatetime(text: string): boolean {
  return text[10] === 'T' && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}

/** BigQuery: TIMESTAMP, written in UTC with a Z. */
export function isTimestamp(text: string): boolean {
  return text.endsWith('Z') && isDatetime(text.slice(0, -1))
}

/** Is this decimal text with at most so many digits before and after the point (zeros that say nothing don't count)? */
export function isDecimal(text: string, whole: number, fraction: number): boolean {
  const parts = /^-?0*(\d*)(?:\.(\d*?)0*)?$/.exec(text)
  return parts !== null && /\d/.test(text) && (parts[1] ?? '').length <= whole && (parts[2] ?? '').length <= fraction
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

const dash = 45

/** The number that these characters write, NaN if one is no digit. Every row has its dates checked: no regular expression, no text. */
function digits(text: string, from: number, to: number): number {
  let number = 0
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

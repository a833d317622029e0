/** The text of a decimal that is a whole number of its last digits: no zeros behind the point, as the REST API writes it. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  let end = digits.length
  const point = end - scale
  while (end > point && digits.charCodeAt(end - 1) === 48) end--
  const text = end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`
  return unscaled < 0n ? `-${text}` : text
}

/** The dates that were made lately, each where its last bits say: some eleven years of them have a place of their own. */
const places = 4096
const madeDays = new Float64Array(places).fill(Number.NaN)
const madeTexts = new Array<string>(places).fill('')

/** The DATE text of days since 1970, years 1 to 9999. Rows share their dates: most were made before. Throws RangeError for any other. */
export function dateText(days: number): string {
  const place = days & (places - 1)
  if (madeDays[place] === days) return madeTexts[place] as string
  if (days < -719_162 || days > 2_932_896) throw new RangeError(`no date between the years 1 and 9999: ${days} days`)
  const text = new Date(days * 86_400_000).toISOString().slice(0, 10)
  madeDays[place] = days
  madeTexts[place] = text
  return text
}

/** The TIME text of microseconds since midnight; six digits of a second's fraction, or none. Throws RangeError for what is no time of a day. */
export function timeText(micros: number): string {
  if (!(micros >= 0 && micros < day)) throw new RangeError(`no time of a day: ${micros} microseconds`)
  const fraction = micros % 1_000_000
  const seconds = (micros - fraction) / 1_000_000
  const two = (value: number) => (value < 10 ? `0${value}` : String(value))
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return fraction === 0 ? text : `${text}.${String(fraction).padStart(6, '0')}`
}

/** The DATETIME text of microseconds since 1970; a number holds them only until the year 2255. */
export function datetimeText(micros: number | bigint): string {
  const days = typeof micros === 'number' ? Math.floor(micros / day) : daysOf(micros)
  const rest = typeof micros === 'number' ? micros - days * day : Number(micros - BigInt(days) * BigInt(day))
  return `${dateText(days)}T${timeText(rest)}`
}

function daysOf(micros: bigint): number {
  const days = micros / BigInt(day)
  return Number(micros % BigInt(day) < 0n ? days - 1n : days)
}

const day = 86_400_000_000

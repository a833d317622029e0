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

const known = new Map<number, string>()

/** The DATE text of days since 1970, years 1 to 9999. Rows share their dates: most were made before. Throws RangeError for any other. */
export function dateText(days: number): string {
  const found = known.get(days)
  if (found !== undefined) return found
  if (days < -719_162 || days > 2_932_896) throw new RangeError(`no date between the years 1 and 9999: ${days} days`)
  const text = new Date(days * 86_400_000).toISOString().slice(0, 10)
  if (known.size >= 20_000) known.clear()
  known.set(days, text)
  return text
}

/** The TIME text of microseconds since midnight; six digits of a second's fraction, or none. */
export function timeText(micros: number): string {
  const fraction = micros % 1_000_000
  const seconds = (micros - fraction) / 1_000_000
  const two = (value: number) => (value < 10 ? `0${value}` : String(value))
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return fraction === 0 ? text : `${text}.${String(fraction).padStart(6, '0')}`
}

/** The DATETIME text of microseconds since 1970. Exact: a number holds them only until the year 2255. */
export function datetimeText(micros: bigint): string {
  let days = micros / day
  let rest = micros % day
  if (rest < 0n) {
    days -= 1n
    rest += day
  }
  return `${dateText(Number(days))}T${timeText(Number(rest))}`
}

const day = 86_400_000_000n

/** Days since 1970 of a DATE text. */
export function daysOf(text: string): number {
  return Math.round(Date.parse(`${text}T00:00:00Z`) / 86_400_000)
}

/** The DATE text of days since 1970. */
export function dateOf(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}

/** Microseconds since 1970 of a DATETIME text, or of a TIMESTAMP text (`…Z`); exact before 1970 too. Throws RangeError for other text. */
export function microsOf(text: string): bigint {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?$/.exec(text)
  if (parts === null) throw new RangeError(`not a timestamp: ${text}`)
  return (BigInt(Date.parse(`${parts[1]}T${parts[2]}Z`)) / 1000n) * 1_000_000n + BigInt((parts[3] ?? '').padEnd(6, '0'))
}

/** The DATETIME text of microseconds since 1970: six digits of fraction or none. A TIMESTAMP's text is this and a `Z`. */
export function datetimeOf(micros: bigint): string {
  const fraction = floorMod(micros, 1_000_000n)
  const text = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, 19)
  return fraction === 0n ? text : `${text}.${String(fraction).padStart(6, '0')}`
}

/** Microseconds since midnight of a TIME text. Throws RangeError for other text. */
export function microsOfTime(text: string): bigint {
  const parts = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text)
  if (parts === null) throw new RangeError(`not a time: ${text}`)
  const seconds = Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3])
  return BigInt(seconds) * 1_000_000n + BigInt((parts[4] ?? '').padEnd(6, '0'))
}

/** The TIME text of microseconds since midnight. */
export function timeOf(micros: bigint): string {
  return datetimeOf(micros).slice(11)
}

/** The remainder that is never negative. */
export function floorMod(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by
}

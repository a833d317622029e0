/** Microseconds since 1970 of a TIMESTAMP text in UTC (`…Z`), years 1 to 9999. Exact, also before 1970. */
export function microsOf(text: string): bigint {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(text)
  if (parts === null) throw new RangeError(`not a timestamp in UTC: ${text}`)
  const seconds = BigInt(Date.parse(`${parts[1]}Z`)) / 1000n
  return seconds * 1_000_000n + BigInt((parts[2] ?? '').padEnd(6, '0'))
}

/** The TIMESTAMP text of microseconds since 1970; always six fraction digits or none. */
export function timestampOf(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = Number((micros - fraction) / 1_000_000n)
  const text = new Date(seconds * 1000).toISOString().slice(0, 19)
  return fraction === 0n ? `${text}Z` : `${text}.${String(fraction).padStart(6, '0')}Z`
}

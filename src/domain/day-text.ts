const known = new Map<number, string>()

/** `2024-01-31` of a day since 1970, of the years 1 to 9999. Most days stand in many rows, and one text serves them all. */
export function dayText(day: number): string {
  let text = known.get(day)
  if (text !== undefined) return text
  text = new Date(day * 86_400_000).toISOString().slice(0, 10)
  if (known.size > 20_000) known.clear()
  known.set(day, text)
  return text
}

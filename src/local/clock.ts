/** The current time in milliseconds since 1970: the local server's only clock. */
export function now(): number {
  return Date.now()
}

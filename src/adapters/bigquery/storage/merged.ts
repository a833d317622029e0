/**
 * What several generators give, as it comes; each works ahead by one. Whoever stops reading ends all of them: `abandon` makes those that still wait give up.
 * Not by Promise.race: every race leaves its winner's value behind in the promises that lost, and a slow stream would hold all pages of a quick one.
 */
export async function* merged<T>(parts: readonly AsyncGenerator<T>[], abandon: () => void): AsyncGenerator<T> {
  type Arrived = { readonly part: AsyncGenerator<T>; readonly result?: IteratorResult<T>; readonly error?: unknown }
  const arrived: Arrived[] = []
  let wake = () => {}
  const pull = (part: AsyncGenerator<T>) =>
    void part
      .next()
      .then(
        result => arrived.push({ part, result }),
        error => arrived.push({ part, error }),
      )
      .then(() => wake())
  try {
    for (const part of parts) pull(part)
    for (let open = parts.length; open > 0; ) {
      const next = arrived.shift()
      if (next === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
        continue
      }
      if (next.result === undefined) throw next.error
      if (next.result.done) open -= 1
      else {
        pull(next.part)
        yield next.result.value
      }
    }
  } finally {
    abandon()
    await Promise.allSettled(parts.map(part => part.return(undefined)))
  }
}

/** Does the work for each item, at most so many at once, and gives the results in the order of the items. */
export async function lanes<T, R>(count: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  const next = items.entries()
  const lane = async () => {
    for (const [index, item] of next) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, lane))
  return results
}

/** Draws that a seed fixes: the same seed gives the same plan. Which request of it meets which is still the machine's doing. */
export type Draw = {
  /** In [0, 1). */
  number(): number
  /** A whole number in [from, to]. */
  int(from: number, to: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** One of the names, each as often as its weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T
}

/** mulberry32 over a hash of the words (public domain, Tommy Ettinger). */
export function drawFrom(...words: readonly (string | number)[]): Draw {
  let state = hash(words.join(' '))
  const number = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    number,
    int: (from, to) => from + Math.floor(number() * (to - from + 1)),
    chance: probability => number() < probability,
    pick: from => from[Math.floor(number() * from.length)]!,
    weighted(weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][]
      let left = number() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [name, weight] of entries) {
        left -= weight
        if (left < 0) return name
      }
      return entries[0]![0]
    },
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value | 0
}

import { type Code, codes, type Fn, i32, i32Type, local, v128, v128Type } from './assembler.ts'

/** Bytes of a block of MD5. */
export const blockSize = 64

/** Lanes of a vector. */
const lanes = 4

/** Two vectors are worked on by turns: each step waits for the one before it, and a core can do more meanwhile. */
const groups = 2

/** Where things lie in the memory: first what is added in each step, then the words of the blocks of all groups, each number for all lanes. */
const [addedAt, wordsAt, groupsAt] = [0, 1024, 1024 + groups * 256]

/** Of a group: the four words of each lane's digest, where its next block is (from the lines' beginning), and where its last one ends. */
export const group = { a: 0, b: 16, c: 32, d: 48, next: 64, end: 80, size: 96 }

/** All lanes, by where word `a` of each is. */
export const lanesAt = Array.from({ length: groups * lanes }, (_, index) => {
  return groupsAt + Math.floor(index / lanes) * group.size + (index % lanes) * 4
})

/** Where what is behind the groups begins. */
export const groupsEnd = groupsAt + groups * group.size

/** RFC 1321, 3.4: T[i], one for each step; those of the last round are one less (`stepOf`). */
export function writeAdded(memory: ArrayBuffer): void {
  const added = new Uint32Array(memory, addedAt, 64 * lanes)
  for (let step = 0; step < 64; step++) {
    const number = Math.floor(2 ** 32 * Math.abs(Math.sin(step + 1)))
    added.fill(step < 48 ? number : number - 1, step * lanes, (step + 1) * lanes)
  }
}

/** RFC 1321, 3.4: which word of the block a step takes. */
const wordOf = (step: number) => [step, 5 * step + 1, 3 * step + 5, 7 * step].map(word => word % 16)[step >> 4] as number

const rotations = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
]

const zero = i32.const(0)

/** The next block of every lane (RFC 1321, 3.4), whose lines begin at `linesAt`. */
export function blockOf(linesAt: number): Fn {
  // Locals: where each lane's block is; four vectors of its words; the state of every group.
  const [row, vectors] = [4, 8]
  const body: Code[] = []
  const each = Array.from({ length: groups }, (_, index) => ({
    at: groupsAt + index * group.size,
    words: wordsAt + index * 256,
    state: [0, 1, 2, 3].map(word => vectors + index * 4 + word),
  }))
  for (const { at, words } of each) {
    for (let lane = 0; lane < lanes; lane++) body.push(local.set(lane, i32.load(zero, at + group.next + 4 * lane)))
    for (let word = 0; word < 16; word += 4) {
      for (let lane = 0; lane < lanes; lane++) body.push(local.set(row + lane, v128.load(local.get(lane), linesAt + 4 * word)))
      transposed([0, 1, 2, 3].map(lane => local.get(row + lane))).forEach((vector, index) => {
        body.push(v128.store(zero, words + (word + index) * 16, vector))
      })
    }
    const next = v128.add(v128.load(zero, at + group.next), v128.splat(i32.const(blockSize)))
    body.push(v128.store(zero, at + group.next, next))
  }
  for (const { at, state } of each) {
    state.forEach((word, index) => {
      body.push(local.set(word, v128.load(zero, at + 16 * index)))
    })
  }
  for (let step = 0; step < 64; step++) {
    for (const { words, state } of each) {
      // Every step turns the roles of the four words by one.
      const [a, b, c, d] = [0, 1, 2, 3].map(word => state[(word - step + 64) % 4] as number) as [number, number, number, number]
      body.push(stepOf(step, v128.load(zero, words + 16 * wordOf(step)), a, b, c, d))
    }
  }
  for (const { at, state } of each) {
    state.forEach((word, index) => {
      body.push(v128.store(zero, at + 16 * index, v128.add(v128.load(zero, at + 16 * index), local.get(word))))
    })
  }
  const locals = [...Array(4).fill(i32Type), ...Array(4 + 4 * groups).fill(v128Type)]
  return { takes: [], locals, body: codes(...body) }
}

/** a = b + ((a + F(b, c, d) + word + T) <<< s). */
function stepOf(step: number, word: Code, a: number, b: number, c: number, d: number): Code {
  const [B, C, D] = [local.get(b), local.get(c), local.get(d)]
  const known = v128.add(local.get(a), v128.add(word, v128.load(zero, addedAt + 16 * step)))
  const sum = [
    () => v128.add(known, v128.select(C, D, B)),
    () => v128.add(known, v128.select(B, C, D)),
    () => v128.add(known, v128.xor(v128.xor(C, D), B)),
    // c ^ (b | ~d) = ~(c ^ (d & ~b)), and ~x = -x - 1: the 1 is in T.
    () => v128.sub(known, v128.xor(C, v128.without(D, B))),
  ][step >> 4] as () => Code
  const bits = rotations[step >> 4]?.[step & 3] as number
  const turned = v128.or(v128.shl(local.get(a), i32.const(bits)), v128.shr(local.get(a), i32.const(32 - bits)))
  return codes(local.set(a, sum()), local.set(a, v128.add(turned, B)))
}

/** Four vectors of a lane's words each, as four vectors of all lanes' word. */
function transposed([a, b, c, d]: readonly Code[]): Code[] {
  const words = (...of: number[]) => of.flatMap(word => [0, 1, 2, 3].map(byte => 4 * word + byte))
  const [low, high, first, second] = [words(0, 4, 1, 5), words(2, 6, 3, 7), words(0, 1, 4, 5), words(2, 3, 6, 7)]
  const pairs = (a: Code, b: Code, c: Code, d: Code, half: Code) =>
    [first, second].map(which => v128.shuffle(v128.shuffle(a, b, half), v128.shuffle(c, d, half), which))
  const [A, B, C, D] = [a, b, c, d] as [Code, Code, Code, Code]
  return [...pairs(A, B, C, D, low), ...pairs(A, B, C, D, high)]
}

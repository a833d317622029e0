import { type Code, call, codes, type Fn, i32, i32Type, i64, i64Type, local, moduleOf, v128, when, whilst } from './assembler.ts'
import { blockOf, blockSize, group, groupsEnd, lanesAt } from './block.ts'

/** Bytes of the lines of a batch: they are hashed while they are in the core's cache. */
export const linesSize = 128 * 1024

/** Where things lie in the memory: four sums of 64 bits, a few numbers, where each line ends, and the lines. */
export const sumsAt = groupsEnd
const [rowAt, lastAt, startAt, busyAt] = [sumsAt + 32, sumsAt + 36, sumsAt + 40, sumsAt + 44]
export const endsAt = 2048
export const linesAt = endsAt + (linesSize / blockSize) * 4

/** So many pages of 64 KiB, with some room behind the lines for the padding of the last. */
const pages = Math.ceil((linesAt + linesSize + 2 * blockSize) / 65_536)

/** Where a line begins behind one that ends there: at a block, with room for the padding between. */
export function startBehind(end: number): number {
  return (end + 8 + blockSize) & -blockSize
}

// The functions of the module by their place.
const [finishing, taking, hashing] = [1, 2, 3]

const zero = i32.const(0)

/** The module that hashes the lines of a batch: `main(rows)` adds the digests of the first so many to the sums. Each lane takes the next line when it has done one. */
export function md5Module(): Uint8Array<ArrayBuffer> {
  const isDone = (lane: number) => i32.equal(i32.load(zero, lane + group.next), i32.load(zero, lane + group.end))
  const finished = (lane: number) => when(isDone(lane), codes(call(finishing, i32.const(lane)), call(taking, i32.const(lane))))
  const main: Fn = {
    takes: [i32Type],
    locals: [],
    body: codes(
      i32.store(zero, rowAt, zero),
      i32.store(zero, lastAt, i32.shl(local.get(0), i32.const(2))),
      i32.store(zero, startAt, zero),
      i32.store(zero, busyAt, i32.const(lanesAt.length)),
      ...lanesAt.map(lane => call(taking, i32.const(lane))),
      whilst(i32.load(zero, busyAt), codes(call(hashing), ...lanesAt.map(finished))),
    ),
  }
  return moduleOf(pages, [main, finish(), take(), blockOf(linesAt)])
}

/** Adds the digest of a lane to the sums: its first 60 bits and the next ones, each in halves of 30, of which 2^34 have room. */
function finish(): Fn {
  const [lane, first, second] = [local.get(0), local.get(1), local.get(2)]
  const word = (at: number, into: Code, index: number) => v128.load32Lane(lane, at, into, index)
  const digest = word(group.d, word(group.c, word(group.b, v128.load32(lane, group.a), 1), 2), 3)
  // The first byte is the most significant.
  const turned = v128.shuffle(digest, digest, [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8])
  const half = i64.const(2n ** 30n - 1n)
  const halves = [
    i64.shr(first, i64.const(34n)),
    i64.and(i64.shr(first, i64.const(4n)), half),
    i64.or(i64.shl(i64.and(first, i64.const(15n)), i64.const(26n)), i64.shr(second, i64.const(38n))),
    i64.and(i64.shr(second, i64.const(8n)), half),
  ]
  const added = halves.map((half, index) =>
    i64.store(zero, sumsAt + 8 * index, i64.add(i64.load(zero, sumsAt + 8 * index), half)),
  )
  return {
    takes: [i32Type],
    locals: [i64Type, i64Type],
    body: codes(local.set(1, v128.i64Lane(turned, 0)), local.set(2, v128.i64Lane(turned, 1)), ...added),
  }
}

/** Gives a lane the next line and pads that (RFC 1321, 3.1 to 3.3); where there is none, blocks that count for nothing. */
function take(): Fn {
  const [lane, start, end, stop, at] = [0, 1, 2, 3, 4].map(local.get) as [Code, Code, Code, Code, Code]
  const row = i32.load(zero, rowAt)
  const bits = i64.shl(i64.extend(i32.sub(end, start)), i64.const(3n))
  const begin = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  const next = codes(
    local.set(1, i32.load(zero, startAt)),
    local.set(2, i32.load(row, endsAt)),
    local.set(3, i32.and(i32.add(end, i32.const(8 + blockSize)), i32.const(-blockSize))),
    i32.store(zero, rowAt, i32.add(row, i32.const(4))),
    i32.store(zero, startAt, stop),
    // One bit, zeros up to the end of the block, and the length over the last of them.
    i64.store(end, linesAt, i64.const(0x80n)),
    local.set(4, i32.and(i32.add(end, i32.const(8)), i32.const(-8))),
    whilst(i32.below(at, stop), codes(i64.store(at, linesAt, i64.const(0n)), local.set(4, i32.add(at, i32.const(8))))),
    i64.store(stop, linesAt - 8, bits),
    ...begin.map((word, index) => i32.store(lane, 16 * index, i32.const(word))),
    i32.store(lane, group.next, start),
    i32.store(lane, group.end, stop),
  )
  const none = codes(
    i32.store(zero, busyAt, i32.sub(i32.load(zero, busyAt), i32.const(1))),
    i32.store(lane, group.next, zero),
    // Never reached; and the lines are over before it leaves the memory.
    i32.store(lane, group.end, i32.const(1)),
  )
  return {
    takes: [i32Type],
    locals: [i32Type, i32Type, i32Type, i32Type],
    body: when(i32.below(row, i32.load(zero, lastAt)), next, none),
  }
}

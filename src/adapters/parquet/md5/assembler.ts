/**
 * As much of an assembler for WebAssembly as the MD5 of rows needs. The bytes are those of the core specification 2.0, chapter 5 (Binary Format:
 * webassembly.github.io/spec/core/binary), whose 0xfd instructions are the SIMD proposal's. Instructions are written as expressions: operands first.
 */
export type Code = readonly number[]

export const [i32Type, i64Type, v128Type] = [0x7f, 0x7e, 0x7b]

/** LEB128, as all numbers below. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: bigint): number[] {
  const [low, rest] = [Number(value & 0x7fn), value >> 7n]
  const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)
  return isLast ? [low] : [low | 0x80, ...signed(rest)]
}

/** One behind the other. Spread into arrays they would take ten times as long. */
export const codes = (...parts: readonly Code[]): Code => ([] as number[]).concat(...parts)

const one = (opcode: Code) => (a: Code) => codes(a, opcode)
const two = (opcode: Code) => (a: Code, b: Code) => codes(a, b, opcode)
/** Addresses are said to be unaligned: it is a hint only. */
const load = (opcode: Code) => (at: Code, offset: number) => codes(at, opcode, [0], unsigned(offset))
const store = (opcode: Code) => (at: Code, offset: number, value: Code) => codes(at, value, opcode, [0], unsigned(offset))
const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)]

export const i32 = {
  const: (value: number) => [0x41, ...signed(BigInt(value | 0))],
  load: load([0x28]),
  store: store([0x36]),
  equal: two([0x46]),
  below: two([0x49]),
  add: two([0x6a]),
  sub: two([0x6b]),
  and: two([0x71]),
  shl: two([0x74]),
}

export const i64 = {
  const: (value: bigint) => [0x42, ...signed(value)],
  load: load([0x29]),
  store: store([0x37]),
  add: two([0x7c]),
  and: two([0x83]),
  or: two([0x84]),
  shl: two([0x86]),
  shr: two([0x88]),
  extend: one([0xad]),
}

export const v128 = {
  load: load(simd(0)),
  store: store(simd(11)),
  /** Four bytes to lane 0, zeros to the others. */
  load32: load(simd(92)),
  load32Lane: (at: Code, offset: number, into: Code, lane: number) => codes(at, into, simd(86), [0], unsigned(offset), [lane]),
  /** Sixteen bytes by their numbers, of both: those of the second count from 16. */
  shuffle: (a: Code, b: Code, bytes: Code) => codes(a, b, simd(13), bytes),
  /** Of `a` where `mask` has a bit, else of `b`. */
  select: (a: Code, b: Code, mask: Code) => codes(a, b, mask, simd(82)),
  /** `a` without the bits of `b`. */
  without: two(simd(79)),
  or: two(simd(80)),
  xor: two(simd(81)),
  splat: one(simd(17)),
  i64Lane: (of: Code, lane: number) => codes(of, simd(29), [lane]),
  /** Four lanes of 32 bits. */
  shl: two(simd(171)),
  shr: two(simd(173)),
  add: two(simd(174)),
  sub: two(simd(177)),
}

export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number, value: Code) => codes(value, [0x21], unsigned(index)),
}

export const call = (index: number, ...operands: readonly Code[]) => codes(...operands, [0x10], unsigned(index))

export const when = (condition: Code, then: Code, otherwise: Code = []) =>
  codes(condition, [0x04, 0x40], then, otherwise.length > 0 ? codes([0x05], otherwise) : [], [0x0b])

export const whilst = (condition: Code, body: Code) => codes([0x03, 0x40], when(condition, codes(body, [0x0c, 1])), [0x0b])

export interface Fn {
  /** Types of its parameters. It returns nothing. */
  readonly takes: Code
  /** Types of its other locals, numbered behind its parameters. */
  readonly locals: Code
  readonly body: Code
}

/** A module of a memory of so many pages, for ever, and of functions that are called by their place. The first is exported as `main`, the memory as `memory`. */
export function moduleOf(pages: number, functions: readonly Fn[]): Uint8Array<ArrayBuffer> {
  const name = (text: string) => sized([...text].map(character => character.charCodeAt(0)))
  const typesOf = ({ takes }: Fn) => codes([0x60], sized(takes), [0])
  const bodyOf = ({ locals, body }: Fn) => sized(codes(list(locals.map(type => [1, type])), body, [0x0b]))
  return Uint8Array.from(
    codes(
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, functions.map(typesOf)),
      section(
        3,
        functions.map((_, index) => unsigned(index)),
      ),
      section(5, [[1, ...unsigned(pages), ...unsigned(pages)]]),
      section(7, [codes(name('memory'), [2, 0]), codes(name('main'), [0, 0])]),
      section(10, functions.map(bodyOf)),
    ),
  )
}

const sized = (content: Code) => codes(unsigned(content.length), content)
const list = (items: readonly Code[]) => codes(unsigned(items.length), ...items)
const section = (id: number, items: readonly Code[]) => codes([id], sized(list(items)))

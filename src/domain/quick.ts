import * as z from 'zod'
import { isBytes } from './bq.ts'
import { codePoints } from './checker.ts'
import { type Def, isInteger } from './rules.ts'
import { isDate, isTime } from './text.ts'

export type Test = (value: unknown) => boolean

/**
 * Says of a scalar what zod says (the schema of checker.ts made of this one of the author's), some ten times quicker; undefined where only zod knows.
 * True is always right. It is read off the schema and not off the column: a pattern has flags, and a format may be the author's own.
 */
export function quickTest(schema: z.core.$ZodType): Test | undefined {
  const def = defOf(schema)
  const checks = (def.checks ?? []).map(check => checkTest(defOf(check as unknown as z.core.$ZodType)))
  const base = typeTest(def)
  if (base === undefined || !checks.every(test => test !== undefined)) return undefined
  const [first, ...more] = checks
  if (first === undefined) return base
  if (more.length === 0) return value => base(value) && first(value as never)
  return value => base(value) && checks.every(test => test(value as never))
}

function typeTest(def: Def): Test | undefined {
  switch (def.type) {
    case 'string':
      return textTest(def)
    case 'enum':
      return oneOf(Object.values(def.entries))
    case 'literal':
      return oneOf(def.values)
    case 'boolean':
      return value => typeof value === 'boolean'
    case 'bigint':
      return def.format === 'int64' ? isInt64 : undefined
    case 'custom':
      return def.fn === isBytes ? isBytes : undefined
    case 'number':
      if (!isInteger(def)) return value => typeof value === 'number'
      return def.format === undefined ? Number.isFinite : numberTest(def.format)
    default:
      return undefined
  }
}

function textTest(def: Def): Test | undefined {
  const { format, pattern, fn } = def
  if (format === undefined) return isText
  if (format === 'date') return pattern === z.core.regexes.date ? value => typeof value === 'string' && isDate(value) : undefined
  if (format === 'time') return pattern?.source === anyTime ? value => typeof value === 'string' && isTime(value) : undefined
  if (format.startsWith('bq.') && typeof fn === 'function') return value => isText(value) && fn(value) === true
  if (format === 'guid' && pattern === z.core.regexes.guid) return value => typeof value === 'string' && isGuid(value)
  if ((format === 'guid' || format === 'uuid' || format === 'email') && pattern !== undefined)
    return value => isText(value) && matches(pattern, value)
  return undefined
}

/** Of a value whose type is right. */
function checkTest(def: Def): ((value: never) => boolean) | undefined {
  const { value: bound, inclusive, pattern } = def
  switch (def.check) {
    case 'greater_than':
      if (!isNumber(bound)) return undefined
      return inclusive ? (value: number | bigint) => value >= bound : (value: number | bigint) => value > bound
    case 'less_than':
      if (!isNumber(bound)) return undefined
      return inclusive ? (value: number | bigint) => value <= bound : (value: number | bigint) => value < bound
    case 'min_length':
      return (value: string) => atLeast(value, def.minimum)
    case 'max_length':
      return (value: string) => atMost(value, def.maximum)
    case 'length_equals':
      return (value: string) => atLeast(value, def.length) && atMost(value, def.length)
    case 'number_format':
      return numberTest(def.format)
    case 'string_format':
      return def.format === 'regex' && pattern !== undefined ? (value: string) => matches(pattern, value) : undefined
    default:
      return undefined
  }
}

function numberTest(format: string | undefined): Test | undefined {
  if (format === 'safeint') return Number.isSafeInteger
  if (format === 'int32')
    return value => Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 31
  if (format === 'uint32') return value => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32
  return undefined
}

function oneOf(values: readonly unknown[]): Test {
  const known = new Set(values)
  return value => known.has(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

const [smallest, largest] = [-(2n ** 63n), 2n ** 63n - 1n]

function isInt64(value: unknown): boolean {
  return typeof value === 'bigint' && value >= smallest && value <= largest
}

const anyTime = z.core.regexes.time({}).source

/** 1 for what is no digit to base 16. */
const strange = Uint8Array.from({ length: 128 }, (_, code) => (/[0-9a-fA-F]/.test(String.fromCharCode(code)) ? 0 : 1))

function isGuid(text: string): boolean {
  if (text.length !== 36) return false
  let wrong = 0
  for (let index = 0; index < 36; index++) {
    const code = text.charCodeAt(index)
    if (index === 8 || index === 13 || index === 18 || index === 23) wrong |= code ^ dash
    else wrong |= (strange[code & 127] as number) | (code >> 7)
  }
  return wrong === 0
}

const dash = 45

function matches(pattern: RegExp, text: string): boolean {
  // A global one would go on where it was.
  pattern.lastIndex = 0
  return pattern.test(text)
}

/** A code point is one or two of the units that a length counts. */
function atLeast(text: string, count: number): boolean {
  return text.length >= 2 * count || (text.length >= count && codePoints(text) >= count)
}

function atMost(text: string, count: number): boolean {
  return text.length <= count || (text.length <= 2 * count && codePoints(text) <= count)
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function defOf(schema: z.core.$ZodType): Def {
  return schema._zod.def as unknown as Def
}

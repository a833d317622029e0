import * as z from 'zod'
import { isBytes } from './bq.ts'
import { EtlError } from './error.ts'
import { isInteger } from './rules.ts'
import { isDate, isTime } from './text.ts'

/**
 * The run-time check of a field: the author's zod schema, with what BigQuery adds. NaN and the infinities are FLOAT64s (zod refuses them), text
 * must be well-formed Unicode (half a surrogate pair has no UTF-8), lengths count code points as CHAR_LENGTH does, dates begin in the year 1,
 * times have seconds, and an absent nullable field is null.
 */
function checker(schema: z.core.$ZodType): z.ZodType {
  const def = schema._zod.def as unknown as Def
  if (def.type === 'nullable' || def.type === 'optional') return absentIsNull(checker(def.innerType))
  if (def.type === 'array') return z.array(checker(def.element))
  if (def.type === 'object') return z.object(fieldsOf(def.shape))
  if (def.type === 'string') return text(schema as z.ZodString, def)
  if (def.type === 'number' && !isInteger(def))
    return z.custom<number>(isNumber, 'expected number').check(...((def.checks ?? []) as unknown as z.core.$ZodCheck<number>[]))
  if (def.type === 'custom' && def.fn !== isBytes) throw new EtlError('pipeline', 'z.custom is no column type.')
  return schema as z.ZodType
}

/** The checks of an object's fields, by name. */
export function fieldsOf(shape: Readonly<Record<string, z.core.$ZodType>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([name, inner]) => [name, checker(inner)]))
}

/** How many characters SQL counts: code points, not UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

type Def = {
  readonly type: string
  readonly innerType: z.core.$ZodType
  readonly element: z.core.$ZodType
  readonly shape: Record<string, z.core.$ZodType>
  readonly fn?: unknown
  readonly format?: string
  readonly checks?: readonly { readonly _zod: { readonly def: unknown } }[]
}
type LengthDef = { readonly check: string; readonly minimum: number; readonly maximum: number; readonly length: number }

function isNumber(value: unknown): boolean {
  return typeof value === 'number'
}

function text(schema: z.ZodString, def: Def): z.ZodType {
  const checks = (def.checks ?? []).map(check => inCodePoints(check as unknown as z.core.$ZodCheck<string>))
  const own = z.core.clone(schema, { ...schema._zod.def, checks } as never) as unknown as z.ZodString
  if (def.format === 'date') return own.check(must(isDate, "expected a DATE as text, such as '2024-01-31'"))
  if (def.format === 'time') return own.check(must(isTime, "expected a TIME as text, such as '06:30:00'"))
  return own.check(must(value => value.isWellFormed(), 'expected Unicode text, got half of a surrogate pair'))
}

function inCodePoints(check: z.core.$ZodCheck<string>): z.core.$ZodCheck<string> {
  const def = check._zod.def as unknown as LengthDef
  if (def.check === 'min_length')
    return must(value => codePoints(value) >= def.minimum, `expected at least ${def.minimum} characters`)
  if (def.check === 'max_length')
    return must(value => codePoints(value) <= def.maximum, `expected at most ${def.maximum} characters`)
  if (def.check === 'length_equals') return must(value => codePoints(value) === def.length, `expected ${def.length} characters`)
  return check
}

function must(holds: (value: string) => boolean, message: string): z.core.$ZodCheck<string> {
  return z.refine(holds, message)
}

function absentIsNull(schema: z.ZodType): z.ZodType {
  const { type } = schema._zod.def as { type: string }
  return type === 'pipe' ? schema : schema.nullish().transform(value => value ?? null)
}

import * as z from 'zod'
import type { Rule } from './column.ts'
import { EtlError } from './error.ts'
import { notRe2 } from './re2.ts'

/** As much of a zod type's own description as is looked at. */
export type Def = {
  readonly type: string
  readonly format?: string
  readonly check?: string
  readonly innerType: z.core.$ZodType
  readonly element: z.core.$ZodType
  readonly shape: Record<string, z.core.$ZodType>
  readonly entries: Record<string, string | number>
  readonly values: readonly unknown[]
  readonly checks?: readonly { readonly _zod: { readonly def: unknown } }[]
  readonly fn?: unknown
  readonly pattern?: RegExp
  readonly value: unknown
  readonly inclusive: boolean
  readonly minimum: number
  readonly maximum: number
  readonly length: number
  readonly prefix: string
  readonly suffix: string
  readonly includes: string
  readonly position?: number
}

/** Rules that the type itself carries. A text instead of a rule: why SQL can't check it. */
export function ownRules(def: Def): (Rule | string)[] {
  if (def.type === 'enum') return [{ kind: 'oneOf', values: Object.values(def.entries).map(String) }]
  if (def.type === 'literal') return [{ kind: 'oneOf', values: def.values.map(String) }]
  if ((def.format === 'uuid' || def.format === 'guid') && def.pattern !== undefined)
    return [{ kind: 'pattern', source: def.pattern.source, name: 'a uuid' }]
  if (def.type === 'number') return numberRules(def.format)
  if ((def.format === 'date' || def.format === 'time') && !isPlain(def.format, def.pattern))
    return [`z.iso.${def.format}() with a pattern or a precision of its own has no equal in SQL`]
  if (def.format === 'email' || def.format === 'url') return [`z.${def.format}() has no equal in SQL`]
  return []
}

/** z.iso.date() and z.iso.time() as they are: with a precision they ask for more. */
export function isPlain(format: string, pattern: RegExp | undefined): boolean {
  if (format === 'date') return pattern === z.core.regexes.date
  return format === 'time' && pattern?.source === z.core.regexes.time({}).source
}

function numberRules(format: string | undefined): Rule[] {
  const bounds = { int32: ['-2147483648', '2147483647'], uint32: ['0', '4294967295'] }[format ?? ''] ?? []
  return bounds.map((value, index) => ({ kind: index === 0 ? 'min' : 'max', value, inclusive: true }))
}

/** One check of a schema as rules; a text says why SQL can't check it. Throws EtlError `pipeline` for what no border can check. */
export function checkRule(name: string, def: Def): (Rule | string)[] {
  switch (def.check) {
    case 'greater_than':
      return [{ kind: 'min', value: String(def.value), inclusive: def.inclusive }]
    case 'less_than':
      return [{ kind: 'max', value: String(def.value), inclusive: def.inclusive }]
    case 'multiple_of':
      return [{ kind: 'multipleOf', value: String(def.value) }]
    case 'min_length':
      return [{ kind: 'minLength', value: def.minimum }]
    case 'max_length':
      return [{ kind: 'maxLength', value: def.maximum }]
    case 'length_equals':
      return [
        { kind: 'minLength', value: def.length },
        { kind: 'maxLength', value: def.length },
      ]
    case 'number_format':
      return numberRules(def.format)
    case 'string_format':
      return [patternRule(def)]
    case 'overwrite':
      throw refused(
        name,
        'a schema that changes the value (trim, toLowerCase, …)',
        'a schema only describes: do it in the transform',
      )
    default:
      throw refused(
        name,
        '.refine() or .check()',
        'the warehouse could not check it: test it in the transform, or use .regex(), .min(), .max()',
      )
  }
}

function patternRule(def: Def): Rule | string {
  const around = plainText(def)
  if (around !== undefined) return around
  if (def.pattern === undefined) return `the format ${def.format} has no equal in SQL`
  const problem = notRe2(def.pattern)
  return problem ?? { kind: 'pattern', source: def.pattern.source, name: `text like ${def.pattern.source}` }
}

/** startsWith, endsWith and includes: their own patterns say more than they need. */
function plainText({ format, prefix, suffix, includes, position }: Def): Rule | string | undefined {
  const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  if (format === 'starts_with')
    return { kind: 'pattern', source: `^${quoted(prefix)}`, name: `text that starts with '${prefix}'` }
  if (format === 'ends_with') return { kind: 'pattern', source: `${quoted(suffix)}$`, name: `text that ends with '${suffix}'` }
  if (format !== 'includes') return undefined
  return position === undefined
    ? { kind: 'pattern', source: quoted(includes), name: `text with '${includes}' in it` }
    : 'includes with a position has no equal in SQL'
}

/** As much of a zod number as says whether it is whole. */
export type NumberDef = { readonly format?: string; readonly checks?: readonly { readonly _zod: { readonly def: unknown } }[] }

/** Is this zod number one of whole numbers: z.int(), z.int32(), z.uint32(), z.number().int()? */
export function isInteger(def: NumberDef): boolean {
  return numberFormats(def).some(format => whole.includes(format))
}

/** The formats of a number: its own and those of its checks. */
export function numberFormats(def: NumberDef): string[] {
  return [def.format, ...(def.checks ?? []).map(check => (check._zod.def as Def).format)].filter(format => format !== undefined)
}

const whole = ['safeint', 'int32', 'uint32']

/** The error for what has no column: what it is, and what to use instead. */
export function refused(name: string, what: string, instead: string): EtlError {
  return new EtlError('pipeline', `column ${name}: ${what} is no column type.`, { hint: instead })
}

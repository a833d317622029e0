import type * as z from 'zod'
import { isBytes } from './bq.ts'
import { quickTest, type Test } from './quick.ts'
import { type Def, isPlain } from './rules.ts'

/**
 * What is left to ask of a value that a reader made as one of its column's type (ports/reader.ts, `isTyped`): what the author's schema says beyond the type.
 * Null: nothing. `check`: the zod schema that decides where no quick test does.
 */
export function restTest(
  schema: z.core.$ZodType,
  check: { safeParse(value: unknown): { readonly success: boolean } },
): Test | null {
  const def = schema._zod.def as unknown as Def
  if (def.type === 'nullable' || def.type === 'optional') {
    const inner = restTest(def.innerType, check)
    return inner === null ? null : value => value === null || inner(value)
  }
  if (isTheType(def) && (def.checks ?? []).length === 0) return null
  return quickTest(schema) ?? (value => check.safeParse(value).success)
}

/** Does the schema say no more than the column's type? Others are asked in full. */
function isTheType({ type, format, pattern, fn }: Def): boolean {
  switch (type) {
    case 'boolean':
      return true
    case 'bigint':
      return format === 'int64'
    case 'number':
      return format === undefined || format === 'safeint'
    case 'custom':
      return fn === isBytes
    case 'string':
      return format === undefined || typeFormats.has(format) || isPlain(format, pattern)
    default:
      return false
  }
}

const typeFormats: ReadonlySet<string> = new Set([
  'bq.timestamp',
  'bq.datetime',
  'bq.date',
  'bq.time',
  'bq.numeric',
  'bq.bignumeric',
  'bq.json',
])

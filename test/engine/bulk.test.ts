import { bq, dataset, pg, pipeline, postgres, replace, row, table } from 'nais-etl'
import { expect, test } from 'vitest'
import * as z from 'zod'
import type { Plan } from '../../src/domain/plan.ts'
import type { RowSchema } from '../../src/domain/row.ts'
import { copiedSource } from '../../src/engine/bulk.ts'

const from = (schema: RowSchema) => ({ sak: postgres(schema, 'SAK_DB', pg`SELECT 1`) })
const readers = { postgres: { bulk: () => [] }, table: {} } as never

/** Would rows of the one schema be copied as they are into the other? */
function isCopied(source: RowSchema, target: RowSchema = source, more: object = {}): boolean {
  const made = pipeline({
    schedule: '0 6 * * *',
    from: from(source),
    to: dataset('ut').table('sak', target),
    write: replace(),
    ...more,
  } as never)
  return copiedSource({ pipeline: { name: 'sak', ...(made as object) } } as Plan, { readers }) !== undefined
}

const id = { id: bq.int64() }

test('rows that promise the same in words that SQL knows are copied in bulk', () => {
  const wide = row({ ...id, slag: z.enum(['a', 'b']), n: z.int().min(1), tagger: z.array(z.string()), mer: z.string() })
  expect(isCopied(wide)).toBe(true)
  expect(isCopied(wide, row({ n: wide.shape.n, id: wide.shape.id }))).toBe(true)
})

test.each([
  ['a promise that SQL can not prove', row({ ...id, epost: z.email() }), undefined],
  ['a record', row({ ...id, r: z.object({ a: z.string() }) }), undefined],
  ['a promise of elements, which no audit sees', row({ ...id, tagger: z.array(z.enum(['a'])) }), undefined],
  ['a source that promises more than its target', row({ ...id, slag: z.enum(['a', 'b']) }), row({ ...id, slag: z.string() })],
  ['a target that holds more', row({ ...id, n: z.string() }), row({ ...id, n: z.string().nullable() })],
] as const)('%s: every row is looked at', (_, source, target) => {
  expect(isCopied(source as RowSchema, (target ?? source) as RowSchema)).toBe(false)
})

test('a transform, a second source, or a reader without vectors: every row is looked at', () => {
  const schema = row(id)
  expect(isCopied(schema, schema, { transform: { each: ({ sak }: { sak: never }) => [sak] } })).toBe(false)
  expect(isCopied(schema, schema, { from: { a: from(schema).sak, b: from(schema).sak } })).toBe(false)
  expect(isCopied(schema, schema, { from: { sak: table(schema, 'inn.sak') } })).toBe(false)
})

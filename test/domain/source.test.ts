import { query, row, sql, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { bytesAllowed, type ExternalSource } from '../../src/domain/source.ts'

const Any = row({ id: z.int() })

describe('what a read may be billed for', () => {
  test('is 100 GB a source unless its author says otherwise, and of one query over several the sum', () => {
    expect(bytesAllowed([table(Any, 'a.b')])).toBe(100e9)
    expect(bytesAllowed([table(Any, 'a.b', { maxBytes: 1e9 }), query(Any, sql`SELECT 1 AS id`, { maxBytes: 2e9 })])).toBe(3e9)
  })

  test('has no limit where EXTERNAL_QUERY stands, which takes none', () => {
    const external = { kind: 'external' } as ExternalSource
    expect(bytesAllowed([table(Any, 'a.b'), external])).toBeNull()
    expect(bytesAllowed([query(Any, sql`SELECT id FROM external_query('c', 'SELECT 1 AS id')`)])).toBeNull()
  })

  test.each([0, -1, 1.5, Number.NaN])('is no %s', maxBytes => {
    expect(() => table(Any, 'a.b', { maxBytes })).toThrow(/maxBytes: \S+ is no number of bytes/)
  })
})

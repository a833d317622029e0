import { expect, test } from 'vitest'
import { keysCondition } from '../../../src/adapters/bigquery/keys.ts'
import type { Column, ColumnType } from '../../../src/domain/column.ts'

const of = (type: ColumnType): Column => ({ name: 'k', type, mode: 'NULLABLE', rules: [] })

test.each([
  ['STRING', ["a'b", null], "`k` IN ('a\\'b')"],
  ['INT64', [1, 9007199254740993n, null], '`k` IN (1, 9007199254740993)'],
  ['DATE', ['2024-02-29'], "`k` IN (DATE '2024-02-29')"],
  ['TIMESTAMP', ['2024-02-29T10:00:00Z'], "`k` IN (TIMESTAMP '2024-02-29 10:00:00+00')"],
  ['INT64', [], 'FALSE'],
  ['INT64', [null], 'FALSE'],
] as const)('of %s: the keys that have come, NULL equals none', (type, values, text) => {
  expect(keysCondition({ column: of(type), values })).toBe(text)
})

test.each([
  ['too many', 'INT64', Array.from({ length: 10_001 }, (_, index) => index)],
  ['too long', 'STRING', Array.from({ length: 100 }, () => 'x'.repeat(10_000))],
  ['of a type without a short literal', 'BYTES', [new Uint8Array()]],
] as const)('%s: all rows are read', (_, type, values) => {
  expect(keysCondition({ column: of(type), values })).toBeNull()
})

import { expect, test } from 'vitest'
import { externalCast, externalType } from '../../src/domain/pg-types.ts'

test('types of the documented table, by the names that Postgres gives them', () => {
  expect(externalType('timestamp with time zone', 'numeric')).toBe('TIMESTAMP')
  expect(externalType('timestamp without time zone', 'numeric')).toBe('DATETIME')
  expect(externalType('json', 'numeric')).toBe('STRING')
  expect((['numeric', 'bignumeric', 'float64', 'string'] as const).map(decimals => externalType('numeric', decimals))).toEqual([
    'NUMERIC',
    'BIGNUMERIC',
    'FLOAT64',
    'STRING',
  ])
})

test.each([
  'uuid',
  'jsonb',
  'inet',
  'interval',
  'money',
  'text[]',
  'time with time zone',
  'pii_level',
  '"char"',
  'name',
  'tsvector',
  'constructor',
])('%s is refused', type => {
  expect(externalType(type, 'numeric')).toBeNull()
})

test('the cast stands as it is written in a query', () => {
  expect(externalCast('id', 'uuid')).toBe('id::text AS id')
  expect(externalCast('Stor', 'jsonb')).toBe('"Stor"::text AS "Stor"')
  expect(externalCast('pris', 'money')).toBe('pris::numeric AS pris')
})

import { dataset, each, file, partition, pipeline, replace, row, sql, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const Seen = row({ dato: z.iso.date(), text: z.string() })
const to = dataset('tellinger').table('t', Seen)
const from = { seen: table(Seen, 'a.b') }
const common = { schedule: '0 5 * * *', from, to, write: replace() }

test('a pipeline has the defaults of the platform', () => {
  expect(pipeline(common)).toMatchObject({ timeZone: 'Europe/Oslo', empty: 'refused', transform: { kind: 'none' } })
  expect(Object.isFrozen(pipeline(common))).toBe(true)
})

describe('what the compiler does not see is refused when the file is loaded', () => {
  test('no source', () => {
    expect(() => pipeline({ ...common, from: {}, transform: () => [] })).toThrow('from: {} names no source.')
  })

  test('each of several sources', () => {
    expect(() => pipeline({ ...common, from: { ...from, more: table(Seen, 'a.c') }, transform: each(() => []) })).toThrow(
      'each(…) takes one source.',
    )
  })

  test('a sql transform that could not be checked, or reads a file', () => {
    const Dotted = row({ dato: z.iso.date(), text: z.string().regex(/a.b/) })
    const target = dataset('tellinger').table('t', Dotted)
    expect(() => pipeline({ ...common, to: target, transform: sql`SELECT * FROM ${'seen'}` })).toThrow(
      'column text: /a.b/ has a . outside of a class',
    )
    expect(() => pipeline({ ...common, from: { seen: file(Seen, 'a.csv') }, transform: sql`SELECT * FROM ${'seen'}` })).toThrow(
      "a sql transform can't read seen, a file source",
    )
  })

  test('a partition column that may be null', () => {
    const Loose = row({ dato: z.iso.date().nullable(), text: z.string() })
    const target = dataset('tellinger').table('t', Loose)
    expect(() =>
      pipeline({ ...common, from: { seen: table(Loose, 'a.b') }, to: target, write: partition('dato') as never }),
    ).toThrow('the partition column dato must be required.')
  })
})

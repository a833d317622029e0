import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { beginning, cursorText, lengthOf, marksOf } from '../../src/domain/changes.ts'
import { append, bq, dataset, external, merge, pg, pipeline, postgres, row } from '../../src/index.ts'

const Sak = row({ sak_id: bq.int64(), slettet: z.boolean(), oppdatert: bq.timestamp() }, { key: ['sak_id'] })
const sak = postgres(Sak, 'SAK_DB', pg`SELECT sak_id, slettet, oppdatert FROM sak`)
const to = dataset('ut').table('sak', Sak)
const made = (from: object, write: unknown) => pipeline({ schedule: '0 5 * * *', from, to, write, transform: () => [] } as never)

describe('lengths of time', () => {
  test.each([
    ['15 min', 900_000_000n],
    ['2 h', 7_200_000_000n],
    ['0 s', 0n],
    ['3 days', 259_200_000_000n],
  ])('%s', (text, micros) => expect(lengthOf(text)).toBe(micros))
  test.each(['15', '15 minutes', '-1 h', '1.5 h', ''])('%j is none', text =>
    expect(() => lengthOf(text)).toThrow(/no length of time/),
  )
})

describe('marks', () => {
  test('go into a cursor and come back', () => {
    const marks = { sak: { to: '2026-11-26T05:00:00.123456Z', newest: null } }
    expect(marksOf(cursorText(marks))).toEqual(marks)
    expect(marksOf(null)).toEqual({})
  })
  test.each(['{', '{"sak":{"to":"yesterday","newest":null}}', '{"sak":3}'])('%s is not ours', text =>
    expect(() => marksOf(text)).toThrow(/not one of ours/),
  )
  test('the next read begins an overlap before', () => {
    const { changes } = sak.changedBy('oppdatert', { overlap: '15 min', deletes: 'none' })
    expect(beginning({ to: '2026-11-26T05:00:00.000001Z', newest: null }, changes)).toBe('2026-11-26T04:45:00.000001Z')
    expect(beginning({ to: '0001-01-01T00:00:01Z', newest: null }, changes)).toBe('0001-01-01T00:00:00Z')
  })
})

describe('a pipeline of changes', () => {
  const changed = (deletes: 'none' | 'soft' | 'compare-keys') => ({ sak: sak.changedBy('oppdatert', { deletes }) })
  test('compared keys delete what is missing', () => {
    expect(made(changed('compare-keys'), merge()).write).toMatchObject({ mode: 'merge', deletes: 'missing' })
    expect(made(changed('none'), merge()).write).toMatchObject({ mode: 'merge', deletes: 'none' })
  })
  test('a run without changes is no empty result', () => {
    expect(made(changed('none'), merge()).empty).toBe('allowed')
    expect(made({ sak }, merge()).empty).toBe('refused')
  })
  test.each([
    ['append', changed('none'), append(), /read by its changes, and write is append/],
    ['what a run does not read', changed('none'), merge({ deletes: 'missing' }), /what a run does not read is not missing/],
    ['soft without a column', changed('soft'), merge(), /says deletes: 'soft', and write says nothing/],
    [
      'two ways to delete',
      changed('compare-keys'),
      merge({ deletes: { when: 'slettet' } }),
      /compares keys, and write deletes by a column too/,
    ],
    ['two truths', { a: changed('compare-keys').sak, b: changed('compare-keys').sak }, merge(), /a and b both compare keys/],
    [
      'another key',
      {
        sak: postgres(row({ id: bq.int64(), oppdatert: bq.timestamp() }), 'SAK_DB', pg`SELECT 1`).changedBy('oppdatert', {
          deletes: 'compare-keys',
        }),
      },
      merge(),
      /has no column sak_id of the target's key/,
    ],
  ])('refuses %s', (_, from, write, sentence) => expect(() => made(from, write)).toThrow(sentence))
})

test.each([
  ['a database', () => postgres(Sak, 'sak-db', pg`SELECT 1`), /no prefix of environment variables/],
  ['a connection', () => external(Sak, 'europe north1.nada', pg`SELECT 1`), /is no connection/],
  ['an empty query', () => pg`  `, /is empty/],
])('refuses %s that is none', (_, make, sentence) => expect(make).toThrow(sentence))

import { append, dataset, env, file, merge, partition, replace, row, sql, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { nameIn } from '../../src/domain/env.ts'
import { EtlError, frames, nearest } from '../../src/domain/error.ts'
import { tableName, tableRef } from '../../src/domain/source.ts'
import { sqlText } from '../../src/domain/sql.ts'

const Any = row({ a: z.string() })

describe('a source', () => {
  test('is a table by its full name, or in the own project', () => {
    expect(tableRef('nais-prod-b6f2.dataproduct_apps.unique', 'mine')).toStrictEqual({
      project: 'nais-prod-b6f2',
      dataset: 'dataproduct_apps',
      table: 'unique',
    })
    expect(tableName(tableRef('a.tabell-å', 'mine'))).toBe('mine.a.tabell-å')
  })

  test.each(['apps', 'a.b.c.d', 'a.`b`', 'a.b c', 'a..b', 'a.b;', '', 'a b.c'])('%j is no table', name => {
    expect(() => table(Any, name)).toThrow("Hint: write 'project.dataset.table', or 'dataset.table' in your own project")
  })

  test('may be a file of the project', () => {
    expect(file(Any, 'data/a.csv')).toMatchObject({ kind: 'file', path: 'data/a.csv', format: 'csv' })
  })

  test('may have a name for each environment, and says which there are', () => {
    const name = env({ dev: 'a.b', prod: 'c.d' })
    expect(nameIn(name, 'prod')).toBe('c.d')
    expect(nameIn('a.b', 'anything')).toBe('a.b')
    expect(() => nameIn(name, 'test')).toThrow('no name for the environment test (there are: dev, prod).')
    expect(() => table(Any, env({ dev: 'a.b', prod: 'x' }))).toThrow('"x" is no table.')
  })
})

describe('a target', () => {
  test.each([
    ['Apps', /nais takes lower case letters/],
    ['a', /nais takes lower case letters/],
    ['a-b', /nais takes lower case letters/],
    ['datastream_x', /a landing zone of Datastream/],
  ])('can not lie in the dataset %j', (name, sentence) => {
    expect(() => dataset(name)).toThrow(sentence)
    expect(() => dataset(env({ dev: 'fine', prod: name }))).toThrow(sentence)
  })

  test('has a table name and no column of ours', () => {
    expect(() => dataset('apps').table('a-b', Any)).toThrow('table "a-b": use letters, digits and _.')
    for (const name of ['version', 'Version', '_op'])
      expect(() => dataset('apps').table('t', row({ [name]: z.string() }))).toThrow(/is ours/)
  })
})

describe('a write mode', () => {
  test('has defaults', () => {
    expect(replace()).toStrictEqual({ mode: 'replace', history: { kind: 'rows', days: 90 }, maxReplaceBytes: 100 * 2 ** 30 })
    expect(partition('dato')).toStrictEqual({
      mode: 'partition',
      column: 'dato',
      recompute: 1,
      maxSlices: 4000,
      late: 'again',
      history: { kind: 'rows', days: 90 },
    })
    expect(replace({ history: '400 days' }).history).toStrictEqual({ kind: 'rows', days: 400 })
    expect(replace({ history: 'snapshot' }).history).toStrictEqual({ kind: 'snapshot', days: 90 })
    expect(merge()).toStrictEqual({ mode: 'merge', history: { kind: 'rows', days: 90 }, deletes: 'none' })
    expect(append()).toStrictEqual({ mode: 'append', history: { kind: 'none' } })
  })

  test('refuses numbers and words that say nothing', () => {
    expect(() => partition('dato', { late: 'sometimes' as 'again' })).toThrow('late: "sometimes" is not known.')
    for (const recompute of [-1, 0.5, Number.NaN])
      expect(() => partition('dato', { recompute })).toThrow('is no number of slices.')
    for (const maxSlices of [0, 4001, 1.5]) expect(() => partition('dato', { maxSlices })).toThrow('is not between 1 and 4000.')
    expect(() => replace({ history: '0 days' })).toThrow('history: "0 days" is no length. Hint: write it like \'400 days\'')
  })
})

test('sql names its sources in back-quotes', () => {
  const query = sql`SELECT * FROM ${'a'} JOIN ${'b'} USING (x)`
  expect(query.names).toStrictEqual(['a', 'b'])
  expect(sqlText(query)).toBe('SELECT * FROM `a` JOIN `b` USING (x)')
  expect(sqlText(sql`SELECT 1`)).toBe('SELECT 1')
})

describe('an error', () => {
  test('says where, outermost first, and keeps what was said first', () => {
    const error = new EtlError('row', 'expected string, got null.', { hint: 'filter it.', where: { at: 'row 17 › cluster' } })
    const placed = error.within({ step: 'read apps' }).within({ pipeline: 'apps-per-env', step: 'run' })
    expect(placed.message).toBe('apps-per-env › read apps › row 17 › cluster: expected string, got null. Hint: filter it.')
    expect(placed.kind).toBe('row')
    expect(error.message).toBe('row 17 › cluster: expected string, got null. Hint: filter it.')
  })

  test('of somebody else is shown by its frames only', () => {
    const error = new RangeError('fnr 99017012345\nsecond line')
    error.stack = `RangeError: ${error.message}\n    at f (a.ts:1:2)\n    at g (b.ts:3:4)`
    expect(frames(error)).toBe('    at f (a.ts:1:2)\n    at g (b.ts:3:4)')
  })

  test('of somebody else has no line of its text among its frames, though it looks like one', () => {
    const error = new Error('no such person\n  at 99017012345\n    at home (99017012345)')
    const own = frames(error)
    expect(own).toContain('names.test.ts')
    expect(own).not.toContain('99017012345')
    error.message = 'something else'
    expect(frames(error)).toContain('names.test.ts')
    expect(frames(error)).not.toContain('99017012345')
    const placed = new EtlError('row', 'one line\n    at 99017012345').within({ step: 'read' })
    expect(frames(placed)).not.toContain('99017012345')
    expect(frames(placed)).toContain('names.test.ts')
  })

  test('suggests the nearest word, if it is near', () => {
    expect(nearest('aps-per-env', ['apps-per-env', 'saker'])).toBe('apps-per-env')
    expect(nearest('APPS', ['apps'])).toBe('apps')
    expect(nearest('meldinger', ['apps', 'saker'])).toBeUndefined()
    expect(nearest('x', [])).toBeUndefined()
  })
})

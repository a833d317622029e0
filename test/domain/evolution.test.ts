import { bq } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Column } from '../../src/domain/column.ts'
import { columnOf } from '../../src/domain/columns.ts'
import { columnChanges, refusedByNulls } from '../../src/domain/evolution.ts'
import { type Layout, layoutChanges, type Wanted } from '../../src/domain/layout.ts'
import type { Shape } from '../../src/domain/shape.ts'

const columns = (fields: Readonly<Record<string, z.core.$ZodType>>) =>
  Object.entries(fields).map(([name, type]) => columnOf(name, type))
const before = columns({ id: z.string(), n: z.int(), note: z.string().nullable(), tags: z.array(z.string()) })

/** [class, kind, column] of each difference. */
function changes(
  wanted: readonly Column[],
  found: readonly Column[],
  last: Shape | null = null,
  role: 'target' | 'history' = 'target',
) {
  return columnChanges({ role, wanted, found, last }).map(change => [change.class, change.kind, change.column])
}
const shape = (of: Record<string, string>, more: Partial<Shape> = {}): Shape => ({
  mode: 'replace',
  key: [],
  columns: of,
  ...more,
})
const everything = { id: z.string(), n: z.int(), note: z.string().nullable(), tags: z.array(z.string()) }

describe('an expansion', () => {
  test('is nothing where nothing differs, and where names differ in upper and lower case only', () => {
    expect(changes(before, before)).toEqual([])
    expect(
      changes(
        before,
        before.map(column => ({ ...column, name: column.name.toUpperCase() })),
      ),
    ).toEqual([])
  })

  test('is a new column; a required one is enforced by the audit', () => {
    const found = columnChanges({
      role: 'target',
      wanted: columns({ ...everything, seen: bq.timestamp() }),
      found: before,
      last: null,
    })
    expect(found).toMatchObject([{ class: 'expand', kind: 'add', column: 'seen' }])
    expect(found[0]?.sentence).toBe('column seen TIMESTAMP is new; BigQuery adds it nullable, the audit refuses NULL from now on')
  })

  test('is a required column that may be NULL from now on', () => {
    expect(changes(columns({ ...everything, n: z.int().nullable() }), before)).toEqual([['expand', 'relax', 'n']])
  })

  test.each([
    ['INT64', 'NUMERIC'],
    ['INT64', 'BIGNUMERIC'],
    ['INT64', 'FLOAT64'],
    ['NUMERIC', 'BIGNUMERIC'],
    ['NUMERIC', 'FLOAT64'],
  ] as const)('is %s that becomes %s; written the other way round it stays as it is', (narrow, wide) => {
    const of = (type: Column['type']): Column[] => [{ name: 'x', type, mode: 'REQUIRED', rules: [] }]
    expect(changes(of(wide), of(narrow))).toEqual([['expand', 'widen', 'x']])
    expect(changes(of(narrow), of(wide))).toEqual([['keep', 'wider', 'x']])
  })

  test('is both at once', () => {
    expect(changes(columns({ ...everything, n: z.number().nullable() }), before)).toEqual([
      ['expand', 'widen', 'n'],
      ['expand', 'relax', 'n'],
    ])
  })

  test('is another description of the target’s column; the history needs none, and nobody’s words are taken away', () => {
    const told = columns({ ...everything, id: z.string().meta({ description: 'Who' }) })
    expect(changes(told, before)).toEqual([['expand', 'describe', 'id']])
    expect(changes(told, before, null, 'history')).toEqual([])
    expect(changes(before, told)).toEqual([])
  })
})

describe('a column that the row schema lacks', () => {
  const without = columns({ id: z.string(), note: z.string().nullable() })
  test('stays; a required one is relaxed first', () => {
    expect(changes(without, before)).toEqual([
      ['expand', 'relax', 'n'],
      ['keep', 'unwritten', 'n'],
      ['keep', 'unwritten', 'tags'],
    ])
  })

  test('may be an old name of a new column of its type: refused, with both ways on', () => {
    const renamed = columns({ ...everything, notes: z.string().nullable() }).filter(column => column.name !== 'note')
    const [change] = columnChanges({ role: 'target', wanted: renamed, found: before, last: null })
    expect(change).toMatchObject({ class: 'breaking', kind: 'rename', column: 'notes' })
    expect(change?.sentence).toContain('column note is called notes in the row schema')
    expect(change?.sentence).toContain('leave note out first, run once, and then add notes')
  })

  test('is no old name where an earlier schema had left it out, where the type is another, or the name is far', () => {
    const renamed = columns({ id: z.string(), n: z.int(), tags: z.array(z.string()), notes: z.string().nullable() })
    const left = shape({ id: 'STRING', n: 'INT64', tags: 'ARRAY<STRING>' })
    expect(changes(renamed, before, left)).toEqual([
      ['expand', 'add', 'notes'],
      ['keep', 'unwritten', 'note'],
    ])
    expect(changes(columns({ id: z.string(), n: z.int(), tags: z.array(z.string()), notes: z.int() }), before)).toEqual([
      ['expand', 'add', 'notes'],
      ['keep', 'unwritten', 'note'],
    ])
    expect(changes(columns({ id: z.string(), n: z.int(), tags: z.array(z.string()), merknad: z.string() }), before)[0]).toEqual([
      'expand',
      'add',
      'merknad',
    ])
  })
})

describe('a break', () => {
  test.each([
    ['STRING', z.int(), z.string()],
    ['narrower by loss', z.number(), bq.bignumeric()],
    ['array', z.string(), z.array(z.string())],
    ['no array', z.array(z.string()), z.string()],
    ['another kind of time', bq.timestamp(), bq.datetime()],
  ])('is a type that no value survives: %s', (_, was, is) => {
    expect(changes(columns({ x: is }), columns({ x: was }))).toEqual([['breaking', 'type', 'x']])
  })

  test('is whatever changes inside a record: an older pod inserts it whole, and by place', () => {
    const of = (fields: Readonly<Record<string, z.ZodType>>) => columns({ r: z.object(fields) })
    const r = of({ a: z.int(), b: z.int().nullable() })
    expect(changes(of({ a: z.int(), b: z.int() }), r)).toEqual([])
    for (const other of [
      of({ a: z.int(), b: z.int().nullable(), c: z.string().nullable() }),
      of({ a: z.int() }),
      of({ a: z.number(), b: z.int().nullable() }),
      of({ a: z.int().nullable(), b: z.int().nullable() }),
      of({ b: z.int().nullable(), a: z.int() }),
    ]) {
      expect(changes(other, r)).toEqual([['breaking', 'fields', 'r']])
    }
    const deep = (inner: z.ZodType) => columns({ r: z.array(z.object({ s: z.object({ x: inner }) })) })
    expect(changes(deep(z.string()), deep(z.int()))).toEqual([['breaking', 'fields', 'r']])
  })

  test('is a column that takes no NULL any more, where rows with NULL stay', () => {
    const tight = columns({ ...everything, note: z.string() })
    expect(changes(tight, before)).toEqual([])
    expect(changes(tight, before, shape({ note: 'STRING' }))).toEqual([])
    const [change] = columnChanges({ role: 'target', wanted: tight, found: before, last: shape({ note: 'STRING?' }) })
    expect(change).toMatchObject({ class: 'keep', kind: 'tighten', column: 'note' })
    expect(refusedByNulls(change as never, 1n)).toMatchObject({
      class: 'breaking',
      sentence: 'column note takes no NULL in the row schema, but is NULL in 1 row that stay',
    })
    expect(changes(tight, before, shape({ note: 'STRING?' }), 'history')).toEqual([])
  })
})

describe('the table as a whole', () => {
  const wanted: Wanted = { mode: 'partition', key: ['a', 'b'], partitionBy: 'dato', clusters: ['a'] }
  const found: Layout = { partition: { column: 'dato', type: 'DAY' }, requiresFilter: false, clusters: ['a'] }
  const last = shape({}, { mode: 'partition', key: ['b', 'a'] })
  const of = (change: Partial<Wanted>, there: Partial<Layout> = {}, before: Shape | null = last) =>
    layoutChanges({ ...wanted, ...change }, { ...found, ...there }, before).map(each => [each.class, each.kind])

  test('is fine where all is the same, and where nobody knows what was', () => {
    expect(of({})).toEqual([])
    expect(of({ mode: 'merge', key: ['c'] }, {}, null)).toEqual([])
  })

  test('never changes its partitions', () => {
    for (const partition of [
      null,
      { column: 'other', type: 'DAY' },
      { column: 'dato', type: 'MONTH' },
      { column: '', type: 'DAY' },
    ])
      expect(of({}, { partition })).toEqual([['breaking', 'partitions']])
    expect(of({ partitionBy: undefined })).toEqual([['keep', 'partitions']])
    expect(of({ mode: 'merge' }, { requiresFilter: true }, null)).toEqual([['breaking', 'partitions']])
  })

  test('keeps its write mode and its key; a first key is only a promise more, but for merge', () => {
    expect(of({ mode: 'replace' })).toEqual([['breaking', 'mode']])
    expect(of({ key: ['a'] })).toEqual([['breaking', 'key']])
    expect(of({ key: [] })).toEqual([['breaking', 'key']])
    expect(of({}, {}, shape({}, { mode: 'partition', key: [] }))).toEqual([['keep', 'key']])
    expect(of({ mode: 'merge' }, {}, shape({}, { mode: 'merge', key: [] }))).toEqual([['breaking', 'key']])
  })

  test('may lie in other clusters', () => {
    expect(of({}, { clusters: [] })).toEqual([['keep', 'clusters']])
  })
})

import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { frame } from 'nais-etl/danfo'
import { describe, expect, expectTypeOf, test } from 'vitest'

type Key = string | number | bigint | boolean | null
type Seen = { readonly a: Key; readonly b: Key; readonly n: number | null; readonly big: bigint | null }

// Few values, many of them near each other in the ways that danfojs mixes up.
const keys: fc.Arbitrary<Key> = fc.oneof(
  fc.constantFrom<Key>(
    'x',
    'x-y',
    'y-z',
    'z',
    '-',
    '--',
    '',
    'null',
    'undefined',
    '0',
    '1',
    'true',
    'NaN',
    'æøå',
    '😀',
    '__proto__',
    'constructor',
  ),
  fc.constantFrom<Key>(null, 0, 1, -1, 1.5, Number.NaN, 0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 53n + 1n, 2n ** 53n, true, false),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
)
const rows: fc.Arbitrary<Seen[]> = fc.array(
  fc.record({
    a: keys,
    b: keys,
    n: fc.option(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double(), fc.maxSafeInteger())),
    big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  }),
  { maxLength: 30 },
)

/** What frame must do, in ten lines and without danfojs. */
function reference(seen: readonly Seen[]): Record<string, unknown>[] {
  const groups: { a: Key; b: Key; antall: number; sum: number | null; whole: bigint | null }[] = []
  for (const { a, b, n, big } of seen) {
    const known = groups.find(each => Object.is(each.a, a) && Object.is(each.b, b))
    const group = known ?? { a, b, antall: 0, sum: null, whole: null }
    if (known === undefined) groups.push(group)
    group.antall++
    if (n !== null) group.sum = group.sum === null ? n : group.sum + n
    if (big !== null) group.whole = group.whole === null ? big : group.whole + big
  }
  return groups
}

describe('frame counts and adds up like the reference', () => {
  test('for keys with -, nulls, æøå, emoji, bigints and duplicates', async () => {
    await fc.assert(
      fc.property(rows, seen => {
        const small = seen.map(row => ({ ...row, n: Number.isSafeInteger(row.n) && Math.abs(row.n ?? 0) > 5 ? null : row.n }))
        const got = frame(small).groupby('a', 'b').count('antall').sum('n', 'sum').sum('big', 'whole').rows()
        expect(got).toStrictEqual(reference(small))
      }),
      { numRuns: 500 },
    )
  })

  test('also by one key, and by a column that was added', async () => {
    await fc.assert(
      fc.property(rows, seen => {
        const joined = seen.map(row => ({ ...row, b: typeof row.a }))
        const got = frame(seen)
          .with('b', row => typeof row.a)
          .groupby('a', 'b')
          .count('antall')
          .rows()
        expect(got).toStrictEqual(reference(joined).map(({ a, b, antall }) => ({ a, b, antall })))
      }),
    )
  })

  test('and integers exactly, even where the sum passes 2^53 on its way', async () => {
    await fc.assert(
      fc.property(fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 20 }), numbers => {
        const [row] = frame(numbers.map(n => ({ k: 'one', n })))
          .groupby('k')
          .sum('n', 'sum')
          .rows()
        expect(row?.sum).toBe(Number(numbers.reduce((sum, n) => sum + BigInt(n), 0n)))
      }),
    )
  })
})

test("('x-y', 'z') and ('x', 'y-z') are two groups", () => {
  const pairs = [
    { a: 'x-y', b: 'z' },
    { a: 'x', b: 'y-z' },
  ]
  expect(frame(pairs).groupby('a', 'b').count('n').rows()).toStrictEqual([
    { a: 'x-y', b: 'z', n: 1 },
    { a: 'x', b: 'y-z', n: 1 },
  ])
})

test('no rows give no groups', () => {
  const none: { a: string }[] = []
  expect(frame(none).groupby('a').count('n').rows()).toStrictEqual([])
  expect(
    frame(none)
      .with('b', row => row.a)
      .rows(),
  ).toStrictEqual([])
})

test('the source rows stay as they are', () => {
  const row = Object.freeze({ a: 'x' })
  expect(
    frame([row])
      .with('a', each => `${each.a}!`)
      .with('b', each => each.a)
      .rows(),
  ).toStrictEqual([{ a: 'x!', b: 'x!' }])
})

test('100 000 groups are counted, one by one', () => {
  const many = Array.from({ length: 100_000 }, (_, index) => ({ key: `k-${index}` }))
  const counted = frame(many).groupby('key').count('n').rows()
  expect(counted).toHaveLength(100_000)
  expect(counted.at(-1)).toStrictEqual({ key: 'k-99999', n: 1 })
})

test('what a frame gives is typed: the keys, and what was measured', () => {
  const seen = [{ dato: '2022-01-20', cluster: 'prod-gcp', n: 1 as number | null, big: 1n, list: ['x'] }]
  const counted = frame(seen)
    .with('env', row => (row.cluster.includes('prod') ? 'prod' : 'dev'))
    .groupby('dato', 'env')
    .count('antall')
    .sum('n', 'sum')
    .sum('big', 'whole')
    .rows()
  expectTypeOf(counted).toEqualTypeOf<
    { dato: string; env: 'prod' | 'dev'; antall: number; sum: number | null; whole: bigint }[]
  >()
  // @ts-expect-error: an array is no key
  expect(() => frame(seen).groupby('list').count('n').rows()).toThrow(
    'groupby: column list holds an array or a record, which is no key.',
  )
  // @ts-expect-error: a text has no sum
  expect(() => frame(seen).groupby('dato').sum('cluster', 'n').rows()).toThrow('sum of cluster: its values are not all numbers')
})

test('a name that stands twice is refused', () => {
  expect(() =>
    frame([{ a: 1 }])
      .groupby('a')
      .count('a'),
  ).toThrow('the frame would have two columns a.')
})

test('danfojs is loaded by the first group only, and says nothing', () => {
  const script = `
    import { frame } from 'nais-etl/danfo'
    import { createRequire } from 'node:module'
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(path => path.includes('danfojs'))
    const before = loaded()
    const rows = frame([{ a: 1 }]).groupby('a').count('n').rows()
    console.log(JSON.stringify({ before, after: loaded(), rows }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toStrictEqual({ before: false, after: true, rows: [{ a: 1, n: 1 }] })
})

import { groupTotals, type Measure } from './danfo/groups.ts'
import { EtlError } from './domain/error.ts'

/** What a cell of a frame may be. Arrays and records stay in the rows: they are neither keys nor sums. */
export type Cell = string | number | bigint | boolean | null

/** The columns of a row that can be a key. */
export type KeyOf<R> = { [N in keyof R]-?: R[N] extends Cell ? N : never }[keyof R] & string

/** The columns of a row that can be added up: all numbers, or all bigints; nulls are left out. */
export type NumberOf<R> = {
  [N in keyof R]-?: NonNullable<R[N]> extends number ? N : NonNullable<R[N]> extends bigint ? N : never
}[keyof R] &
  string

type Plain<R> = { [N in keyof R]: R[N] }
type Wider<R, N extends string, V> = Plain<Omit<R, N> & { [Name in N]: V }>
type NumberIn<V> = NonNullable<V> extends bigint ? bigint : number
type SumOf<V> = null extends V ? NumberIn<V> | null : NumberIn<V>

/** Rows as a table, each step a new frame. Nothing is computed before `rows()`. */
export type Frame<R> = {
  /** Adds a column (or replaces one). The row has the columns that were added before. */
  with<const N extends string, V extends Cell>(name: N, value: (row: R) => V): Frame<Wider<R, N, V>>
  /** One row a distinct combination of these columns; null is a value like any other, as in SQL. */
  groupby<K extends KeyOf<R>>(...keys: readonly [K, ...K[]]): Grouped<R, K>
  rows(): Plain<R>[]
}

/** Groups that wait to be measured. */
export type Grouped<R, K extends keyof R, Out = Pick<R, K>> = {
  /** How many rows the group has, as COUNT(*). */
  count<const N extends string>(as: N): Measured<R, K, Wider<Out, N, number>>
  /** The sum of a column, as SUM: nulls are left out, and a group that has nothing else gives null. */
  sum<C extends NumberOf<R>, const N extends string>(column: C, as: N): Measured<R, K, Wider<Out, N, SumOf<R[C]>>>
}

/** Groups with what was measured: the keys and one column a measure, in the order of the groups' first rows. */
export type Measured<R, K extends keyof R, Out> = Grouped<R, K, Out> & { rows(): Out[] }

/**
 * Counts and adds up with danfojs, which is loaded at the first `rows()` of a group. Keys and nulls are encoded before danfojs sees them, so
 * 'x-y' and 'z' never meet 'x' and 'y-z', a bigint stays whole, and no rows give no groups.
 * @throws EtlError `transform` for a key that is no scalar, or a name used twice.
 */
export function frame<R extends object>(rows: readonly R[]): Frame<R> {
  return framed(rows as readonly AnyRow[], []) as unknown as Frame<R>
}

type AnyRow = Readonly<Record<string, unknown>>
type Added = { readonly name: string; readonly value: (row: AnyRow) => Cell }
type AnyFrame = {
  with(name: string, value: (row: AnyRow) => Cell): AnyFrame
  groupby(...keys: readonly string[]): AnyGroups
  rows(): AnyRow[]
}
type AnyGroups = { count(as: string): AnyGroups; sum(column: string, as: string): AnyGroups; rows(): AnyRow[] }

function framed(source: readonly AnyRow[], added: readonly Added[]): AnyFrame {
  return {
    with: (name, value) => framed(source, [...added, { name, value }]),
    groupby(...keys) {
      if (keys.length === 0)
        throw new EtlError('transform', 'groupby() names no column.', { hint: 'name the columns that make a group' })
      refuseTwice(keys)
      return grouped(source, added, keys, [])
    },
    rows: () => source.map(row => widened(row, added)),
  }
}

function grouped(
  source: readonly AnyRow[],
  added: readonly Added[],
  keys: readonly string[],
  measures: readonly Measure[],
): AnyGroups {
  const measured = (measure: Measure) => {
    refuseTwice([...keys, ...measures.map(known => known.as), measure.as])
    return grouped(source, added, keys, [...measures, measure])
  }
  return {
    count: as => measured({ kind: 'count', as }),
    sum: (column, as) => measured({ kind: 'sum', column, as }),
    rows: () => groupTotals(added.length === 0 ? source : lazily(source, added), keys, measures),
  }
}

/** One wide row at a time: a slice's rows are never copied as a whole. */
function* lazily(source: readonly AnyRow[], added: readonly Added[]): Generator<AnyRow> {
  for (const row of source) yield widened(row, added)
}

function widened(row: AnyRow, added: readonly Added[]): AnyRow {
  const wide: Record<string, unknown> = { ...row }
  for (const { name, value } of added) wide[name] = value(wide)
  return wide
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new EtlError('transform', `the frame would have two columns ${twice}.`, { hint: 'give one of them another name' })
}

import { EtlError } from '../domain/error.ts'
import { dataFrame, type Groups } from './danfojs.ts'

/** What is measured of a group, and the column it becomes. */
export type Measure =
  | { readonly kind: 'count'; readonly as: string }
  | { readonly kind: 'sum'; readonly column: string; readonly as: string }

type AnyRow = Readonly<Record<string, unknown>>

/**
 * Groups rows by `keys` and measures each group with danfojs. danfojs joins the keys of a row with '-' and reads nulls as values, so it gets
 * small integers instead of keys, and a sum's own rows without the nulls; what it answers is turned back.
 */
export function groupTotals(rows: Iterable<AnyRow>, keys: readonly string[], measures: readonly Measure[]): AnyRow[] {
  const coded = encode(rows, keys, measures)
  if (coded.cells.length === 0) return []
  const codeNames = keys.map((_, index) => `k${index}`)
  const counted = grouped(coded.cells, codeNames, 'one').arithemetic('count')
  const sums = new Map(
    measures.flatMap(measure => (measure.kind === 'sum' ? [[measure.as, sumOf(coded, codeNames, measure.column)] as const] : [])),
  )
  return Object.entries(counted).map(([code, { one_count: count }]) => {
    const codes = code.split('-')
    const values = keys.map((name, index) => [name, coded.values[index]?.[Number(codes[index])]] as const)
    const totals = measures.map(({ kind, as }) => [as, kind === 'count' ? count?.[0] : (sums.get(as)?.(code) ?? null)] as const)
    return Object.fromEntries([...values, ...totals])
  })
}

type Coded = {
  /** Of each row: a code a key, then 1. */
  readonly cells: readonly (readonly number[])[]
  /** Of each key: the value behind each code. */
  readonly values: readonly (readonly unknown[])[]
  /** Of each column to be added up: its value in each row. */
  readonly addends: ReadonlyMap<string, readonly (number | bigint | null)[]>
}

function encode(rows: Iterable<AnyRow>, keys: readonly string[], measures: readonly Measure[]): Coded {
  const codes = keys.map(() => new Map<unknown, number>())
  const addends = new Map<string, (number | bigint | null)[]>()
  for (const measure of measures) if (measure.kind === 'sum') addends.set(measure.column, [])
  const cells: number[][] = []
  for (const row of rows) {
    const cell: number[] = []
    for (const [index, key] of keys.entries()) {
      const known = codes[index] ?? new Map()
      const value = row[key] ?? null
      let code = known.get(value)
      if (code === undefined) {
        refuseUnlessScalar(key, value)
        code = known.size
        known.set(value, code)
      }
      cell.push(code)
    }
    cell.push(1)
    cells.push(cell)
    for (const [column, values] of addends) values.push((row[column] ?? null) as number | bigint | null)
  }
  return { cells, values: codes.map(known => [...known.keys()]), addends }
}

/** A function from a group's code to its sum; undefined where every value is null. */
function sumOf(coded: Coded, codeNames: readonly string[], column: string): (code: string) => unknown {
  const addends = coded.addends.get(column) ?? []
  const wide = addsBeyondDoubles(column, addends)
  const cells: (number | bigint)[][] = []
  for (const [index, value] of addends.entries()) {
    if (value !== null) cells.push([...(coded.cells[index] ?? []).slice(0, -1), wide ? BigInt(value) : value])
  }
  if (cells.length === 0) return () => undefined
  const sums = grouped(cells, codeNames, 'addend').arithemetic('sum')
  return code => {
    const sum = sums[code]?.addend_sum?.[0]
    return wide && sum !== undefined ? Number(sum) : sum
  }
}

/** Integers whose sum a double might not hold are added as bigints, which is exact. */
function addsBeyondDoubles(column: string, addends: readonly (number | bigint | null)[]): boolean {
  const kinds = new Set(addends.filter(value => value !== null).map(value => typeof value))
  if (kinds.size > 1 || [...kinds].some(kind => kind !== 'number' && kind !== 'bigint')) {
    throw new EtlError('transform', `sum of ${column}: its values are not all numbers, or all bigints.`, {
      hint: 'make them one type with .with(…)',
    })
  }
  if (!kinds.has('number')) return false
  let size = 0
  for (const value of addends) {
    if (value !== null && !Number.isSafeInteger(value)) return false
    size += Math.abs(Number(value ?? 0))
  }
  return size > Number.MAX_SAFE_INTEGER
}

function grouped(cells: readonly (readonly (number | bigint)[])[], codeNames: readonly string[], value: string): Groups {
  const columns = [...codeNames, value]
  return dataFrame(cells, columns)
    .groupby([...codeNames])
    .col([value])
}

function refuseUnlessScalar(key: string, value: unknown): void {
  if (value === null || typeof value !== 'object') return
  throw new EtlError('transform', `groupby: column ${key} holds an array or a record, which is no key.`, {
    hint: 'add a column with the part you mean: .with(…)',
  })
}

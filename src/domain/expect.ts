import { EtlError } from './error.ts'
import type { WriteMode } from './write.ts'

/** How many rows may come: in percent of what the last version had, or a number. */
type RowsBudget = `±${number} %` | `+${number} %/-${number} %` | `≥ ${number}` | `≤ ${number}` | `>= ${number}` | `<= ${number}`

/** The share of a merge target's rows that one run may delete. */
type DeletesBudget = `≤ ${number} %` | `<= ${number} %`

/** What an author expects of every result, beside the promises of its row schema. */
export type Expect = {
  /** `'±20 %'`, `'+50 %/-10 %'`, `'≥ 1000'`, `'≤ 50000'`, or a list of which all must hold. */
  readonly rows?: RowsBudget | readonly RowsBudget[]
  /** merge: `'≤ 20 %'` of the table's rows; 5 %, or ten rows of a small table, if left out. */
  readonly deletes?: DeletesBudget
}

/** One bound as it is compared. Percentages as numbers: 20 is 20 %. */
type Bound =
  | { readonly kind: 'change'; readonly up: number; readonly down: number; readonly text: string }
  | { readonly kind: 'least' | 'most'; readonly rows: number; readonly text: string }

/** What a pipeline expects, read. */
export type Budget = {
  readonly rows: readonly Bound[]
  /** A merge deletes at most so many percent of the table's rows, or so many rows. */
  readonly deletes: { readonly percent: number; readonly rows: number }
}

/** Whoever says nothing is warned of a source that has lost much; one row of ten is not much. */
const deletesUnlessSaid = { percent: 5, rows: 10 }

/**
 * Reads what an author expects.
 * @throws EtlError `pipeline` for a text that is none of the few, and for deletes where nothing is deleted.
 */
export function budgetOf({ rows = [], deletes }: Expect, write: WriteMode): Budget {
  if (deletes !== undefined && (write.mode !== 'merge' || write.deletes === 'none'))
    throw new EtlError('pipeline', `expect: deletes: ${write.mode} deletes no rows by their key.`, {
      hint: "it belongs to merge({ deletes: 'missing' }) and merge({ deletes: { when } })",
    })
  return {
    rows: (typeof rows === 'string' ? [rows] : rows).map(boundOf),
    deletes: deletes === undefined ? deletesUnlessSaid : { percent: percentOf(deletes), rows: 0 },
  }
}

/** Does any bound look at the last version? */
export function isRelative({ rows }: Budget): boolean {
  return rows.some(bound => bound.kind === 'change')
}

/** Rows to be compared: of what (empty: of the whole), how many came, and what they are measured by; null where there is nothing yet. */
export type Compared = {
  readonly of: string
  readonly rows: number
  readonly before: { readonly rows: number; readonly where: string } | null
}

/** How large a result is, as far as anything is expected; what a merge deletes. */
export type Sizes = {
  readonly compared: readonly Compared[]
  readonly deletes: { readonly gone: number; readonly of: number } | null
}

/** What is out of its budget, as sentences. */
export function overBudget(budget: Budget, { compared, deletes }: Sizes): readonly string[] {
  return [...outOfBounds(budget, compared), ...(deletes === null ? [] : tooManyDeletes(budget, deletes.gone, deletes.of))]
}

/** The bounds that do not hold, as sentences. A percentage of nothing bounds nothing. */
function outOfBounds({ rows: bounds }: Budget, compared: readonly Compared[]): readonly string[] {
  return compared.flatMap(({ of, rows, before }) => {
    const whose = `${of === '' ? '' : `${of}: `}${counted(rows)}`
    return bounds.flatMap(bound => {
      const misses = (bound.kind === 'least' && rows < bound.rows) || (bound.kind === 'most' && rows > bound.rows)
      if (misses) return [`${whose}, expected ${bound.text}`]
      if (bound.kind !== 'change' || before === null || before.rows === 0) return []
      const [least, most] = [before.rows * (1 - bound.down / 100), before.rows * (1 + bound.up / 100)]
      // A billionth of leeway: 1000 less 0.1 % is 999, whatever doubles make of it.
      const holds = rows >= least * (1 - 1e-9) && rows <= most * (1 + 1e-9)
      if (holds) return []
      const range = `${Math.ceil(least * (1 - 1e-9))} to ${Math.floor(most * (1 + 1e-9))}`
      return [`${whose}, expected ${bound.text} of the ${before.rows} ${before.where} (${range})`]
    })
  })
}

/** Whether a merge deletes more than it may, as a sentence. */
function tooManyDeletes({ deletes }: Budget, gone: number, of: number): readonly string[] {
  if (gone <= deletes.rows || gone * 100 <= of * deletes.percent * (1 + 1e-9)) return []
  const share = ((gone / of) * 100).toFixed(1)
  return [`${counted(gone)} of ${of} would be deleted (${share} %), expected ≤ ${deletes.percent} %`]
}

/** What was compared, in a few words for a report; null if nothing was. */
export function budgetText({ rows: bounds }: Budget, { compared }: Sizes): string | null {
  if (bounds.length === 0 || compared.length === 0) return null
  const expected = bounds.map(bound => bound.text).join(' and ')
  const [only] = compared
  if (compared.length > 1 || only === undefined) return `${compared.length} slices, expected ${expected} each`
  const { rows, before } = only
  const against = before === null || before.rows === 0 || !bounds.some(({ kind }) => kind === 'change')
  return `${counted(rows)}, expected ${expected}${against ? '' : ` of the ${before.rows} ${before.where}`}`
}

function boundOf(text: string): Bound {
  const around = /^±(\d+(?:\.\d+)?) %$/.exec(text)
  if (around !== null) return { kind: 'change', up: Number(around[1]), down: Number(around[1]), text }
  const both = /^\+(\d+(?:\.\d+)?) %\/-(\d+(?:\.\d+)?) %$/.exec(text)
  if (both !== null) return { kind: 'change', up: Number(both[1]), down: Number(both[2]), text }
  const fixed = /^(≥|≤|>=|<=) (\d+)$/.exec(text)
  if (fixed !== null) return { kind: fixed[1] === '≥' || fixed[1] === '>=' ? 'least' : 'most', rows: Number(fixed[2]), text }
  throw new EtlError('pipeline', `expect: rows: ${JSON.stringify(text)} is no budget.`, {
    hint: "write '±20 %' or '+50 %/-10 %' of the last version, or a bound: '≥ 1000', '≤ 50000'",
  })
}

function percentOf(text: string): number {
  const percent = Number(/^(?:≤|<=) (\d+(?:\.\d+)?) %$/.exec(text)?.[1])
  if (percent >= 0 && percent <= 100) return percent
  throw new EtlError('pipeline', `expect: deletes: ${JSON.stringify(text)} is no budget.`, { hint: "write it like '≤ 20 %'" })
}

function counted(rows: number): string {
  return rows === 1 ? '1 row' : `${rows} rows`
}

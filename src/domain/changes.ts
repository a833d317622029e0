import { EtlError } from './error.ts'
import { microsOf, timestampOf } from './micros.ts'

/** How a target learns of rows that the source has deleted: it need not (the author says that there are none), a column says so, or all keys are compared. */
export type SourceDeletes = 'none' | 'soft' | 'compare-keys'

/** Only what has changed is read: the column that says when a row was changed last, and how far back each run reads again. */
export type Changes<C extends string = string, D extends SourceDeletes = SourceDeletes> = {
  readonly column: C
  /** Microseconds. */
  readonly overlap: bigint
  readonly deletes: D
}

/** The part of a source that a run reads: changed after `from` (null: everything) and until `to`, both TIMESTAMP texts. */
export type Window = {
  readonly column: string
  /** What the column is: a DATETIME is compared as the time in UTC that it says. */
  readonly type: 'TIMESTAMP' | 'DATETIME'
  readonly from: string | null
  readonly to: string
  /** The largest value that the source has: the next run must find one that is not smaller. null: it has no row. */
  readonly newest: string | null
  /** Of which query and columns this is (a hash). */
  readonly of: string
  /** What is special about the upper bound, for people; null: nothing. */
  readonly remark: string | null
}

/** How far a source was read, and which query and columns it had then: others may show rows that were never read. */
export type Mark = { readonly to: string; readonly newest: string | null; readonly of?: string }

/** How far the sources of a pipeline were read, by their names: a target's cursor. */
export type Marks = Readonly<Record<string, Mark>>

const units: Readonly<Record<string, bigint>> = { s: 1n, min: 60n, h: 3600n, days: 86_400n }

/** A length of time as authors write it. */
export type Length = `${number} ${'s' | 'min' | 'h' | 'days'}`

/**
 * Microseconds of '15 min', '2 h', '30 s', '3 days'.
 * @throws EtlError `pipeline`.
 */
export function lengthOf(text: string): bigint {
  const parts = /^(\d+) (s|min|h|days)$/.exec(text)
  if (parts === null)
    throw new EtlError('pipeline', `${JSON.stringify(text)} is no length of time.`, {
      hint: "write it like '15 min', '2 h' or '30 s'",
    })
  return BigInt(parts[1] ?? '') * (units[parts[2] ?? ''] ?? 1n) * 1_000_000n
}

/** Where a read begins: so much before the mark, as late rows may have come meanwhile. */
export function beginning(mark: Mark, { overlap }: Changes): string {
  const from = microsOf(mark.to) - overlap
  return from < microsOf('0001-01-01T00:00:00Z') ? '0001-01-01T00:00:00Z' : timestampOf(from)
}

/** The marks as the head keeps them. */
export function cursorText(marks: Marks): string {
  return JSON.stringify(marks)
}

/**
 * The marks of a head's cursor; none where there is no cursor.
 * @throws EtlError `schema` for a text that is not ours.
 */
export function marksOf(cursor: string | null): Marks {
  if (cursor === null) return {}
  try {
    const marks = JSON.parse(cursor) as Record<string, Mark>
    for (const { to, newest } of Object.values(marks)) for (const text of [to, newest ?? to]) microsOf(text)
    return marks
  } catch (cause) {
    throw new EtlError('schema', `the head's cursor is not one of ours: ${cursor.slice(0, 200)}`, {
      hint: 'somebody changed the head table by hand; `run --full` reads everything again and sets it anew',
      cause,
    })
  }
}

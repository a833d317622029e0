import type { Past } from './replay.ts'
import type { Sources } from './source.ts'

/** The one moment at which the BigQuery tables of a function are read. */
export type Moment = {
  /** TIMESTAMP text. Planned, it is the time of planning; a run has one of its own. */
  readonly at: string
  /** The sources that are read as they were then; none where only one read would be. */
  readonly pinned: readonly string[]
  /** BigQuery sources that show what there is when they are read, each with why. */
  readonly apart: readonly { readonly name: string; readonly why: string }[]
}

/**
 * Of which sources a function's reads are of one moment; null where there is nothing to tell, since only one thing is read. Several targets read each source anew. `self()` is fenced by its
 * version instead, files don't move, and a Postgres has a snapshot of its own.
 */
export function momentOf(
  from: Sources,
  found: readonly { readonly name: string; readonly past: Past }[],
  targets: number,
  at: string,
): Moment | null {
  const ours = found.filter(({ name }) => ['table', 'query'].includes(from[name]?.kind ?? ''))
  const native = ours.filter(({ past }) => past.kind === 'table').map(({ name }) => name)
  const apart = ours.flatMap(({ name, past }) => (past.kind === 'none' ? [{ name, why: past.why }] : []))
  const pinned = native.length * targets > 1 ? native : []
  const isTold = pinned.length > 0 || (ours.length > 1 && apart.length > 0)
  return isTold ? { at, pinned, apart } : null
}

/** For people: what is not of one moment, and why; empty where all is. */
export function apartText({ pinned, apart }: Pick<Moment, 'pinned' | 'apart'>): string {
  if (apart.length === 0) return ''
  const why = apart.map(({ name, why }) => `${name} ${why}`).join(', ')
  return pinned.length > 0 ? `not of that moment: ${why}` : `the sources are not of one moment: ${why}`
}

/** `a`, `a and b`, `a, b and c`. */
export function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

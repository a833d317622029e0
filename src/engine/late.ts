import { microsOf } from '../domain/micros.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { isPublication, type LedgerRow } from '../domain/run.ts'
import type { Ports } from '../ports/index.ts'
import type { Reader } from '../ports/reader.ts'
import { step } from './step.ts'

/** Slices that a source has changed since a run read them, ascending; and the sources that can't say, each with why. */
export type Late = { readonly dates: readonly string[]; readonly guesses: readonly string[] }

/** Asks the sources when their slices were last changed, and compares with the ledger. Nothing is asked before something was published. Throws EtlError. */
export async function lateSlices(
  pipeline: NamedPipeline,
  column: string,
  ledger: readonly LedgerRow[],
  { readers }: Pick<Ports, 'readers'>,
  signal: AbortSignal,
): Promise<Late> {
  const read = readTimes(ledger)
  if (read.size === 0) return { dates: [], guesses: [] }
  const found = await Promise.all(
    Object.entries(pipeline.from).map(async ([name, source]): Promise<Late> => {
      // What a file says is changed by a commit, and its time says nothing.
      if (source.kind === 'file') return { dates: [], guesses: [] }
      const reader = readers[source.kind] as Reader
      const modified = await step({ step: `plan ${name}` }, async () => reader.modified?.(source, column, signal))
      if (modified === undefined) return { dates: [], guesses: [`${name} (its rows have no times of change)`] }
      if (modified.kind === 'guess') return { dates: [], guesses: [`${name} (${modified.why})`] }
      return { dates: [...modified.at].flatMap(([date, at]) => (isAfter(at, read.get(date)) ? [date] : [])), guesses: [] }
    }),
  )
  return {
    dates: [...new Set(found.flatMap(({ dates }) => dates))].sort(),
    guesses: found.flatMap(({ guesses }) => guesses),
  }
}

/**
 * When the rows of each slice were read at the latest safe guess: when the first attempt of the run that published it last had claimed, which is before it read
 * anything. What a rollback touched is due anyway.
 */
export function readTimes(ledger: readonly LedgerRow[]): ReadonlyMap<string, string> {
  const claims = new Map<string, string>()
  for (const { event, run, loggedAt } of ledger) {
    const known = claims.get(run)
    if (event === 'claimed' && (known === undefined || isAfter(known, loggedAt))) claims.set(run, loggedAt)
  }
  const times = new Map<string, string>()
  for (const row of ledger.filter(isPublication))
    for (const date of row.scope ?? []) {
      if (row.event === 'restored') times.delete(date)
      else times.set(date, claims.get(row.run) ?? row.version)
    }
  return times
}

function isAfter(one: string, other: string | undefined): boolean {
  return other !== undefined && microsOf(one) > microsOf(other)
}

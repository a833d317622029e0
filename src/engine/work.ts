import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Identity, LedgerRow, Scope, TargetTables } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Partition, WriteMode } from '../domain/write.ts'
import type { Ports } from '../ports/index.ts'
import type { Reader } from '../ports/reader.ts'
import { type Late, lateSlices } from './late.ts'
import type { Batch } from './settings.ts'
import { type WorkList, workList } from './slices.ts'
import { step } from './step.ts'
import { localDate } from './tick.ts'

/** What a run does: slices (null is everything), how many more are due, and why. */
type Work = { readonly scope: Scope; readonly left: number; readonly why: string }

/** The work of a run on one target: what is due, for which the sources are asked, or what a backfill has chosen. Throws EtlError. */
export async function workOf(
  pipeline: NamedPipeline,
  { target }: TargetTables,
  { slot }: Identity,
  batch: Batch | undefined,
  ledger: readonly LedgerRow[],
  ports: Pick<Ports, 'readers'>,
  signal: AbortSignal,
): Promise<Work> {
  const { write } = pipeline
  if (write.mode !== 'partition') return { scope: null, left: 0, why: whyWhole(write) }
  if (batch !== undefined) return { scope: batch.scopes.get(tableName(target)) ?? [], left: batch.left, why: 'the backfill' }
  const upTo = localDate(slot, pipeline.timeZone)
  const [dates, late] = await Promise.all([
    sourceDates(pipeline, write.column, upTo, ports, signal),
    write.late === 'again' ? lateSlices(pipeline, write.column, ledger, ports, signal) : { dates: [], guesses: [] },
  ])
  const list = workList(dates, ledger, write, upTo, late.dates)
  return { ...list, why: whySlices(write, list, late) }
}

/** The dates that the sources have, up to one. Throws EtlError. */
export async function sourceDates(
  pipeline: NamedPipeline,
  column: string,
  upTo: string,
  { readers }: Pick<Ports, 'readers'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await Promise.all(
    Object.entries(pipeline.from).map(([name, source]) =>
      step({ step: `plan ${name}` }, () => (readers[source.kind] as Reader).dates(source, column, upTo, signal)),
    ),
  )
  return found.flat()
}

function whyWhole(write: Exclude<WriteMode, Partition>): string {
  switch (write.mode) {
    case 'replace':
      return 'the result replaces the table. A missed run leaves no gap to fill: the source shows only today'
    case 'append':
      return 'the result is added to the table'
    case 'merge': {
      const { deletes } = write
      const gone =
        deletes === 'none'
          ? ''
          : deletes === 'missing'
            ? '; keys that it lacks are deleted'
            : `; rows with ${deletes.when} are deleted`
      return `the result changes rows of the same key${gone}`
    }
  }
}

function whySlices({ recompute }: Partition, { missing, again, lost, late }: WorkList, { guesses }: Late): string {
  const emptied = lost === 0 ? '' : `, of which the source has lost ${lost}: emptied`
  const changed = late === 0 ? '' : `, ${late} of them changed since they were read`
  const guess =
    guesses.length === 0 ? '' : `; late rows beyond recompute are not seen of ${guesses.join(', ')}: it is a guess there`
  return `${missing} that no version has, ${again} again (recompute: ${recompute}${changed})${emptied}${guess}`
}

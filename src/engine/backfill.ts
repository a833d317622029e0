import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Ports } from '../ports/index.ts'
import { batchesOf, type NumberedBatch, type Wanted } from './batches.ts'
import { run } from './run.ts'
import type { RunRequest, Settings } from './settings.ts'

/** Where a backfill ended; `next` is the batch that it stopped before or in. */
export type BackfillEnd = {
  readonly published: number
  readonly slices: number
  readonly next: NumberedBatch | undefined
  /** Why it didn't go on: told to, or by a failure that the batch's run has reported. */
  readonly why: 'done' | 'stopped' | 'failed'
}

/** A new attempt: what a process would have that is started for one batch. */
type Open = () => Promise<{ readonly ports: Ports; readonly settings: Settings; readonly request: RunRequest }>

/**
 * Does the batches of a backfill that are left, one run after another, each with its own claim and version: what is published stays, whatever becomes of the
 * rest. Ends between two batches when `signal` aborts; a batch under way stops before it publishes.
 * @throws EtlError as `batchesOf`; `conflict` where somebody holds the target meanwhile.
 */
export async function backfill(
  pipeline: NamedPipeline,
  wanted: Wanted,
  batches: readonly NumberedBatch[],
  open: Open,
  options: { readonly accept: boolean },
  signal: AbortSignal,
): Promise<BackfillEnd> {
  let left = batches
  let [published, slices] = [0, 0]
  for (let next = left[0]; next !== undefined; next = left[0]) {
    const end = (why: BackfillEnd['why']): BackfillEnd => ({ published, slices, next, why })
    if (signal.aborted) return end('stopped')
    const { ports, settings, request } = await open()
    const outcome = await run(pipeline, { ...request, ...options, batch: next }, ports, settings, signal).catch(reported)
    if (outcome === undefined) return end(signal.aborted ? 'stopped' : 'failed')
    if (outcome.outcome === 'held')
      throw new EtlError(
        'conflict',
        `${pipeline.name} was held meanwhile, by a rollback: batch ${next.number} published nothing.`,
        {
          hint: `\`npm run etl -- release ${pipeline.name}\`, then the same command goes on`,
        },
      )
    if (outcome.outcome === 'published') {
      published++
      slices += next.slices.length
      left = left.slice(1)
      continue
    }
    // Another pod of this run was quicker, or the job of one that was killed went on: perhaps with other slices.
    const { number } = next
    left = (await batchesOf(pipeline, wanted, request, ports, settings, signal)).left
    if (left[0] !== undefined && left[0].number <= number)
      throw new EtlError('bug', `batch ${number} ended with "${outcome.outcome}" and is still to be done.`)
  }
  return { published, slices, next: undefined, why: 'done' }
}

/** What the run has reported is not thrown again. */
function reported(error: unknown): undefined {
  if (!(error instanceof EtlError)) throw error
}

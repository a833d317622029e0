import cron from 'node-cron'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { cronOf } from '../engine/tick.ts'

/**
 * Calls `work` for each pipeline at its ticks, in its time zone; a tick that comes while the pipeline's last call is still going is left out.
 * @returns a function that ends it; calls under way go on. Throws EtlError `pipeline` for a schedule that can't be read.
 */
export function ticking(
  pipelines: readonly NamedPipeline[],
  work: (pipeline: NamedPipeline) => Promise<void>,
): () => Promise<void> {
  for (const pipeline of pipelines) cronOf(pipeline)
  const tasks = pipelines.map(pipeline =>
    cron.schedule(pipeline.schedule, () => work(pipeline), {
      timezone: pipeline.timeZone,
      noOverlap: true,
      name: pipeline.name,
      logger: silent,
    }),
  )
  return async () => {
    await Promise.all(tasks.map(task => task.destroy()))
  }
}

/** node-cron says on the console that it left out a tick; a log of JSON lines takes no other lines. */
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }

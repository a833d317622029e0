import cron from 'node-cron'
import { EtlError } from '../domain/error.ts'
import { run as engineRun } from '../engine/run.ts'
import { cronOf } from '../engine/tick.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadAll, loadPipeline } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const schedule: Command = {
  name: 'schedule',
  summary: 'stay and run each pipeline at its times (on a laptop; on nais the Naisjob is the clock)',
  usage: '[NAME …]',
  help: `Stays in the foreground and runs each pipeline at its schedule, in its time zone. A run that is still going when the next is due is not doubled.
SIGTERM or Ctrl-C lets the step under way stop before it publishes, and ends with 0. A run that fails is reported; the next tick tries again.

${worldHelp}

Examples
  npm run etl -- schedule
  npm run etl -- schedule apps-per-env --dir .etl/demo`,
  options: { ...worldOptions, local: { type: 'boolean' }, case: { type: 'string' } },
  words: { least: 0, most: 99 },
  logs: true,
  async run(context) {
    const pipelines =
      context.words.length === 0
        ? await loadAll(context.root)
        : await Promise.all(context.words.map(name => loadPipeline(context.root, name)))
    if (pipelines.length === 0)
      throw new EtlError('usage', 'there is no pipeline yet.', { hint: '`npm run etl -- new my-first` makes one' })
    return inWorld(context, pipelines, undefined, async () => {
      const tasks = pipelines.map(pipeline => {
        cronOf(pipeline)
        return cron.schedule(
          pipeline.schedule,
          async () => {
            const { ports, settings, request } = await context.world()
            await engineRun(pipeline, request, ports, settings, context.signal).catch((error: unknown) => {
              if (!(error instanceof EtlError)) throw error // an EtlError has been reported by the run
            })
          },
          { timezone: pipeline.timeZone, noOverlap: true, name: pipeline.name },
        )
      })
      for (const pipeline of pipelines)
        context.out.line(`${pipeline.name}: next at ${cronOf(pipeline).nextRun()?.toISOString() ?? 'never'}`)
      await aborted(context.signal)
      await Promise.all(tasks.map(task => task.destroy()))
      return 0
    })
  },
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

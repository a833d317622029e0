import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { run as engineRun } from '../engine/run.ts'
import { nextTick } from '../engine/tick.ts'
import { type Command, type Context, type World, worldHelp, worldOptions } from './command.ts'
import { namedPipelines } from './pipelines.ts'
import { ticking } from './ticking.ts'
import { inWorld } from './with-local.ts'

export const schedule: Command = {
  name: 'schedule',
  summary: 'stay and run each pipeline at its times (on a laptop; on nais the Naisjob is the clock)',
  usage: '[NAME …]',
  help: `Stays in the foreground and runs each pipeline at its schedule, in its time zone. A run that is still going when the next is due is not doubled.
SIGTERM or Ctrl-C lets the step under way stop before it publishes, and ends with 0. A run that fails is reported; the next tick tries again.

  --local          on a throwaway local BigQuery that holds the pipelines' fixtures
  --case NAME      with --local: which case of fixtures/<pipeline>/ is the source
${worldHelp}

Examples
  npm run etl -- schedule
  npm run etl -- schedule apps-per-env --dir .etl/demo`,
  options: { ...worldOptions, local: { type: 'boolean' }, case: { type: 'string' } },
  words: { least: 0, most: 99 },
  logs: true,
  async run(context) {
    const pipelines = await namedPipelines(context.root, context.words)
    return inWorld(context, pipelines, undefined, async (_, open) => {
      const running = new Set<Promise<void>>()
      const stop = ticking(pipelines, pipeline => {
        const one = oneRun(pipeline, open, context).finally(() => running.delete(one))
        running.add(one)
        return one
      })
      for (const pipeline of pipelines) context.out.line(`${pipeline.name}: next at ${nextTick(pipeline)}`)
      await aborted(context.signal)
      await stop()
      await Promise.all(running)
      return 0
    })
  },
}

/**
 * A run and an attempt of its own, also in a pod: the pod's name is that of one Job, and would make all ticks one run. A failure has been
 * reported by the run, or is here; the next tick tries again.
 */
async function oneRun(pipeline: NamedPipeline, open: () => Promise<World>, context: Context): Promise<void> {
  try {
    const { ports, settings, request } = await open()
    const { user, attempt } = request
    await engineRun(pipeline, { user, attempt }, ports, settings, context.signal).catch((error: unknown) => {
      if (!(error instanceof EtlError)) throw error
    })
  } catch (error) {
    context.out.line(
      error instanceof EtlError
        ? error.message
        : `${pipeline.name}: a defect: ${error instanceof Error ? error.name : 'unknown'}`,
    )
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { isDate } from '../domain/text.ts'
import { tablesOf } from '../engine/plan.ts'
import { currentRows } from '../engine/rows.ts'
import { run as engineRun } from '../engine/run.ts'
import { type Command, type Context, type World, worldHelp, worldOptions } from './command.ts'
import { namedPipelines } from './pipelines.ts'
import { table } from './table.ts'
import { inWorld } from './with-local.ts'

export const run: Command = {
  name: 'run',
  summary: 'read, transform, check and publish one new version',
  usage: '[NAME …] [--local] [--slot TIME] [--accept] [--full]',
  help: `Runs pipelines, one after another: plan, read, transform, stage, audit, publish. Without a name: all of them. A pipeline that fails publishes
nothing and doesn't stop the others; the exit code is 1 if one failed.

  --local          a throwaway local BigQuery that holds the pipeline's fixtures
  --case NAME      with --local: which case of fixtures/<pipeline>/ is the source
  --slot TIME      the time the data is for, such as 2026-11-20T05:30:00Z; a run by hand takes the schedule's last tick
  --accept         publish although the result is larger, smaller or emptier than expected; every promise of rows holds all the same
  --full           read sources with changedBy from their beginning, not only what has changed since the last version
${worldHelp}

Examples
  npm run etl -- run apps-per-env --local
  npm run etl -- run apps-per-env --dir .etl/demo
  npm run etl -- run apps-per-env --project my-team-dev-1234 --env dev`,
  options: {
    ...worldOptions,
    local: { type: 'boolean' },
    case: { type: 'string' },
    slot: { type: 'string' },
    accept: { type: 'boolean' },
    full: { type: 'boolean' },
  },
  words: { least: 0, most: 99 },
  logs: true,
  async run(context) {
    const pipelines = await namedPipelines(context.root, context.words)
    const slot = slotOf(context.flags.slot)
    const accept = context.flags.accept === true
    const full = context.flags.full === true
    return inWorld(context, pipelines, undefined, async ({ ports, settings, request }) => {
      let failed = 0
      for (const pipeline of pipelines) {
        if (context.signal.aborted) throw new EtlError('stopped', `told to stop before ${pipeline.name} ran.`)
        try {
          await engineRun(
            pipeline,
            { ...request, accept, full, ...(slot === undefined ? {} : { slot }) },
            ports,
            settings,
            context.signal,
          )
          if (context.flags.local === true && context.interactive) await show(pipeline, { ports, settings }, context)
        } catch (error) {
          if (!(error instanceof EtlError)) throw error
          failed++ // it has been reported by the run
        }
      }
      return failed === 0 ? 0 : 1
    })
  },
}

/** What a throwaway server would take with it. */
async function show(
  pipeline: NamedPipeline,
  { ports, settings }: Pick<World, 'ports' | 'settings'>,
  { out }: Context,
): Promise<void> {
  const { columns, rows } = await currentRows(pipeline, tablesOf(pipeline, settings), ports.warehouse, 50)
  out.line(rows.length === 0 ? '\nNo rows.' : `\n${table(columns, rows)}`)
}

function slotOf(flag: string | boolean | undefined): string | undefined {
  if (typeof flag !== 'string') return undefined
  const time = new Date(isDate(flag.slice(0, 10)) ? flag : Number.NaN) // JavaScript takes 31 February for 3 March
  if (!/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(flag) || Number.isNaN(time.getTime())) {
    throw new EtlError('usage', `--slot ${flag} is no time.`, {
      hint: 'write it with its zone, such as 2026-11-20T06:30:00+01:00',
    })
  }
  return time.toISOString().replace('.000Z', 'Z')
}

import { EtlError } from '../domain/error.ts'
import { dateProblem } from '../domain/text.ts'
import { type BackfillEnd, backfill as doBatches } from '../engine/backfill.ts'
import { type Batches, batchesOf, type NumberedBatch, type Wanted } from '../engine/batches.ts'
import { runOf } from '../engine/identity.ts'
import { type Command, type Context, worldHelp, worldOptions } from './command.ts'
import { loadPipeline } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const backfill: Command = {
  name: 'backfill',
  summary: 'do the slices between two dates again, in batches that are published one by one',
  usage: 'NAME FROM TO [--missing] [--batch N] [--dry]',
  help: `Does all slices of the source from FROM to TO (both included), also those that are published already, in batches of at most maxSlices: for a column that is new, a
transform that was wrong, or a source that was corrected long after. Each batch is a run of its own (RUN, RUN~2, RUN~3, …) with its own version: a backfill that is stopped or
killed keeps what it has published. A retried pod of the same Job goes on by itself; elsewhere --resume does. Only for pipelines that write by partition.

  --missing        only the slices that no version has
  --batch N        at most N slices a batch
  --dry            show the batches; change nothing
  --resume RUN     go on with a backfill that ended before it was done: its first batch's run, as it printed it
  --accept         publish although a batch is larger, smaller or emptier than expected; every promise of rows holds all the same
${worldHelp}

Examples
  npm run etl -- backfill apps-per-env 2026-01-01 2026-03-31 --dry --dir .etl/demo
  npm run etl -- backfill apps-per-env 2026-01-01 2026-03-31 --batch 30 --project my-team-prod-1234 --env prod`,
  options: {
    ...worldOptions,
    missing: { type: 'boolean' },
    batch: { type: 'string' },
    dry: { type: 'boolean' },
    resume: { type: 'string' },
    accept: { type: 'boolean' },
  },
  words: { least: 3, most: 3 },
  logs: true,
  async run(context) {
    const { flags, signal } = context
    const pipeline = await loadPipeline(context.root, context.words[0] ?? '')
    const bounds = boundsOf(context)
    return inWorld(context, [pipeline], flags.dry === true ? 'quiet' : undefined, async ({ ports, settings, request }, open) => {
      const wanted: Wanted = { ...bounds, run: typeof flags.resume === 'string' ? flags.resume : runOf(request) }
      const batches = await batchesOf(pipeline, wanted, request, ports, settings, signal)
      if (flags.resume !== undefined && !batches.begun)
        throw new EtlError('usage', `--resume ${flags.resume}: the ledger has no run of this name.`, {
          hint: 'leave --resume out, or take the run that the backfill printed; `npm run etl -- versions NAME` lists runs too',
        })
      if (flags.dry === true) return shown(batches, wanted, context)
      const ended = await doBatches(pipeline, wanted, batches.left, open, { accept: flags.accept === true }, signal)
      return told(ended, batches, wanted, context)
    })
  },
}

function boundsOf({ words, flags }: Context): Omit<Wanted, 'run'> {
  const [, from = '', to = ''] = words
  for (const date of [from, to]) {
    const problem = dateProblem(date)
    if (problem !== undefined)
      throw new EtlError('usage', `etl backfill: ${problem}${/[.?]$/.test(problem) ? '' : '.'}`, {
        hint: 'usage: etl backfill NAME FROM TO, such as 2026-01-01 2026-03-31',
      })
  }
  if (from > to) throw new EtlError('usage', `${from} is after ${to}.`, { hint: 'the earlier date comes first' })
  const size = Number(flags.batch)
  if (flags.batch !== undefined && !(Number.isInteger(size) && size > 0))
    throw new EtlError('usage', `--batch ${flags.batch} is no number of slices.`, { hint: 'write it like --batch 30' })
  return { from, to, missing: flags.missing === true, ...(flags.batch === undefined ? {} : { size }) }
}

/** The batches, for --dry. */
function shown({ left, finished }: Batches, wanted: Wanted, { out, json }: Context): number {
  if (json) {
    const batches = left.map(({ number, run, slices }) => ({ number, run, slices }))
    out.data({ run: wanted.run, finished, batches })
    return 0
  }
  if (finished > 0) out.line(`${slicesText(finished)} of ${wanted.run} published already`)
  if (left.length === 0) out.line(nothing(wanted))
  for (const batch of left) out.line(`batch ${batch.number}: ${datesText(batch)}`)
  if (left.length > 0) out.line('Nothing was changed. Leave --dry out to do it.')
  return 0
}

/** How it ended. A log has the runs' own lines; what is to be done next stands there as well. */
function told({ published, slices, next, why }: BackfillEnd, before: Batches, wanted: Wanted, context: Context): number {
  const { out, json, words } = context
  const done = `${published} ${published === 1 ? 'batch' : 'batches'}, ${slicesText(slices)}`
  if (why !== 'done') {
    const last = before.left.at(-1)?.number ?? 0
    out.line(
      `Stopped ${why === 'failed' ? 'in' : 'before the end of'} batch ${next?.number} of ${last}; published: ${done}. That stays. A retried pod goes on by itself; by hand:`,
    )
    const options = [wanted.missing && '--missing', wanted.size !== undefined && `--batch ${wanted.size}`]
      .filter(Boolean)
      .join(' ')
    out.line(`  npm run etl -- backfill ${words.join(' ')}${options === '' ? '' : ` ${options}`} --resume ${wanted.run}`)
    return 1
  }
  if (!json) out.line(before.left.length === 0 ? nothing(wanted) : `✔ Backfill of ${wanted.from} to ${wanted.to}: ${done}`)
  return 0
}

function nothing({ from, to, missing }: Wanted): string {
  return `Nothing to do: ${missing ? 'every slice of the source' : 'the source has no slice'} from ${from} to ${to}${missing ? ' is published' : ' that is left'}.`
}

function datesText({ run, slices }: NumberedBatch): string {
  const dates = slices.length <= 3 ? slices.join(', ') : `${slices[0]} … ${slices.at(-1)}`
  return `${slicesText(slices.length)} (${dates}) as run ${run}`
}

function slicesText(count: number): string {
  return `${count} ${count === 1 ? 'slice' : 'slices'}`
}

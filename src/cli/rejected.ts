import { tablesOf } from '../engine/plan.ts'
import { type BrokenRows, type Rejected, rejected as rejectedBy } from '../engine/rejected.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadTarget } from './pipelines.ts'
import { limitOf } from './read.ts'
import { plain, table } from './table.ts'
import { inWorld } from './with-local.ts'

export const rejected: Command = {
  name: 'rejected',
  summary: 'show which rows of a failed run broke which promise',
  usage: 'NAME [--run RUN] [--limit N] [--personal]',
  help: `Shows what the last failed run had staged and was not allowed to publish: each broken promise, the rows that break it, and the SQL that
finds them. A stage stays for two days. It is held against the pipeline's file as it is now. Changes nothing.
A pipeline that writes several tables: NAME.table.

  --run RUN        that run instead of the last failed one
  --limit N        at most N rows of each promise (20 if left out)
  --personal       values of a pipeline that handles personal data too; without it, none of its values is shown
${worldHelp}

Examples
  npm run etl -- rejected apps-per-env --dir .etl/demo
  npm run etl -- rejected apps-per-env --run apps-per-env-29391990 --json`,
  options: { ...worldOptions, run: { type: 'string' }, limit: { type: 'string' }, personal: { type: 'boolean' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadTarget(context.root, context.words[0] ?? '')
    const { run, limit } = context.flags
    const request = {
      run: typeof run === 'string' ? run : undefined,
      limit: limitOf(limit, 20),
      personal: context.flags.personal === true,
    }
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings }) => {
      const found = await rejectedBy(pipeline, tablesOf(pipeline, settings), ports.warehouse, request)
      if (context.json) context.out.data({ ...found, broken: found.broken?.map(dataOf) ?? null })
      else for (const line of text(found)) context.out.line(line)
    })
    return 0
  },
}

/** What is asked for has been left out before: the columns of an answer carry no marks. */
const shown = { personal: true }

function dataOf({ text, sql, columns, rows }: BrokenRows): unknown {
  return { promise: text, sql, rows: rows === null ? null : rows.map(row => plain(columns, row, shown)) }
}

function text({ run, failedAt, message, stage, broken }: Rejected): string[] {
  const head = [`Run ${run} failed at ${failedAt}:`, `  ${message}`, '']
  if (broken === null) return [...head, `Its stage ${stage} is gone: a stage stays for two days.`]
  if (broken.length === 0)
    return [
      ...head,
      `No row of its stage ${stage} breaks a promise of the pipeline as it is now: the message says why it failed.`,
    ]
  return [...head, `Its stage is ${stage}.`, ...broken.flatMap(rowsText)]
}

function rowsText({ text, sql, columns, rows }: BrokenRows): string[] {
  const asked = sql === null ? [] : ['', ...sql.split('\n').map(line => `  ${line}`)]
  if (rows === null && sql !== null)
    return ['', text, '  Values are not shown, since the pipeline handles personal data: --personal shows them.', ...asked]
  return ['', text, ...(rows === null || rows.length === 0 ? [] : [table(columns, rows, shown)]), ...asked]
}

import { EtlError } from '../domain/error.ts'
import { tablesOf } from '../engine/plan.ts'
import { currentRows } from '../engine/versions.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPipeline } from './pipelines.ts'
import { plain, table } from './table.ts'
import { inWorld } from './with-local.ts'

export const read: Command = {
  name: 'read',
  summary: 'show the published rows',
  usage: 'NAME [--limit N]',
  help: `Shows rows of the pipeline's table as consumers see them, each with the version that it comes from.

  --limit N        at most N rows (50 if left out)
  --personal       values of columns marked as personal data too; hidden if left out
${worldHelp}

Examples
  npm run etl -- read apps-per-env --dir .etl/demo
  npm run etl -- read apps-per-env --limit 10 --json`,
  options: { ...worldOptions, limit: { type: 'string' }, personal: { type: 'boolean' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadPipeline(context.root, context.words[0] ?? '')
    const limit = limitOf(context.flags.limit)
    const personal = context.flags.personal === true
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings }) => {
      const { columns, rows } = await currentRows(pipeline, tablesOf(pipeline, settings), ports.warehouse, limit)
      if (context.json) context.out.data(rows.map(row => plain(columns, row, { personal })))
      else context.out.line(rows.length === 0 ? 'No rows.' : table(columns, rows, { personal }))
    })
    return 0
  },
}

function limitOf(flag: string | boolean | undefined): number {
  const limit = flag === undefined ? 50 : Number(flag)
  if (!Number.isInteger(limit) || limit < 1)
    throw new EtlError('usage', `--limit ${String(flag)} is no number of rows.`, { hint: 'write a whole number above 0' })
  return limit
}

import { tablesOf } from '../engine/plan.ts'
import { publishedVersions } from '../engine/versions.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPipeline } from './pipelines.ts'
import { plain, table } from './table.ts'
import { inWorld } from './with-local.ts'

export const versions: Command = {
  name: 'versions',
  summary: 'list the versions that were published, newest first',
  usage: 'NAME',
  help: `Lists the versions of the pipeline's table: when, for which slot, by which run, how many rows and slices.

${worldHelp}

Examples
  npm run etl -- versions apps-per-env --dir .etl/demo
  npm run etl -- versions apps-per-env --json`,
  options: worldOptions,
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadPipeline(context.root, context.words[0] ?? '')
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings }) => {
      const { columns, rows } = await publishedVersions(pipeline, tablesOf(pipeline, settings), ports.warehouse)
      if (context.json) context.out.data(rows.map(row => plain(columns, row)))
      else context.out.line(rows.length === 0 ? 'Nothing published yet.' : table(columns, rows))
    })
    return 0
  },
}

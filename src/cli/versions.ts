import type { Column } from '../domain/column.ts'
import { tablesOf } from '../engine/plan.ts'
import { publishedVersions } from '../engine/versions.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPipeline } from './pipelines.ts'
import { table } from './table.ts'
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
      const found = await publishedVersions(tablesOf(pipeline, settings), ports.warehouse)
      if (context.json) context.out.data(found)
      else if (found.length === 0) context.out.line('Nothing published yet.')
      else
        context.out.line(
          table(
            columns,
            found.map(version => ({ ...version, slices: version.slices === null ? 'all' : slicesText(version.slices) })),
          ),
        )
    })
    return 0
  },
}

const columns: readonly Column[] = (['version', 'slot', 'run', 'rows', 'slices'] as const).map(name => ({
  name,
  type: name === 'rows' ? 'INT64' : 'STRING',
  mode: 'NULLABLE',
  rules: [],
}))

function slicesText(slices: readonly string[]): string {
  return slices.length <= 1 ? slices.join('') : `${slices.length}: ${slices[0]} … ${slices.at(-1)}`
}

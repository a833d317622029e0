import type { Column } from '../domain/column.ts'
import { tablesOf } from '../engine/plan.ts'
import { unreadable } from '../engine/state.ts'
import { type PublishedVersion, publishedVersions } from '../engine/versions.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadTarget } from './pipelines.ts'
import { table } from './table.ts'
import { inWorld } from './with-local.ts'

export const versions: Command = {
  name: 'versions',
  summary: 'list the versions that were published, newest first',
  usage: 'NAME',
  help: `Lists the versions of the pipeline's table: when, for which slot, by which run, how many rows and slices, whether it can still be read. A pipeline that
writes several tables: NAME.table.

${worldHelp}

Examples
  npm run etl -- versions apps-per-env --dir .etl/demo
  npm run etl -- versions apps-per-env --json`,
  options: worldOptions,
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadTarget(context.root, context.words[0] ?? '')
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings }) => {
      const tables = tablesOf(pipeline, settings)
      const versions = await publishedVersions(tables, ports.warehouse)
      const found = versions.all.map(version => ({
        ...version,
        unreadable: unreadable(pipeline, tables, versions, version.version) ?? null,
      }))
      if (context.json) context.out.data(found)
      else if (found.length === 0) context.out.line('Nothing published yet.')
      else context.out.line(table(columns, found.slice(0, 200).map(shown)))
    })
    return 0
  },
}

function shown(version: PublishedVersion & { readonly unreadable: string | null }) {
  return {
    version: version.version,
    slot: version.slot,
    run: version.run,
    rows: version.rows,
    slices: version.slices === null ? 'all' : slicesText(version.slices),
    'can be read': version.unreadable === null ? 'yes' : 'no',
    note: version.restores === null ? '' : `brought back ${version.restores}`,
  }
}

const columns: readonly Column[] = (['version', 'slot', 'run', 'rows', 'slices', 'can be read', 'note'] as const).map(name => ({
  name,
  type: name === 'rows' ? 'INT64' : 'STRING',
  mode: 'NULLABLE',
  rules: [],
}))

function slicesText(slices: readonly string[]): string {
  return slices.length <= 1 ? slices.join('') : `${slices.length}: ${slices[0]} … ${slices.at(-1)}`
}

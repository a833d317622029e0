import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Answer, TargetTables } from '../domain/run.ts'
import { tablesOf } from '../engine/plan.ts'
import { currentRows, rowsAt } from '../engine/rows.ts'
import { publishedVersions, versionMeant } from '../engine/versions.ts'
import type { Warehouse } from '../ports/warehouse.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadTarget } from './pipelines.ts'
import { plain, table } from './table.ts'
import { inWorld } from './with-local.ts'

export const read: Command = {
  name: 'read',
  summary: 'show the published rows, or those of an earlier version',
  usage: 'NAME [--version V] [--limit N]',
  help: `Shows rows of the pipeline's table as consumers see them, each with the version that it comes from. A pipeline that writes several tables:
NAME.table.

  --version V      as they were at a version: as \`versions\` prints it, its beginning, or a date for what stood at the end of that day
  --limit N        at most N rows (50 if left out)
  --personal       values of columns marked as personal data too; hidden if left out
${worldHelp}

Examples
  npm run etl -- read apps-per-env --dir .etl/demo
  npm run etl -- read apps-per-env --version 2026-11-20
  npm run etl -- read apps-per-env --limit 10 --json`,
  options: { ...worldOptions, version: { type: 'string' }, limit: { type: 'string' }, personal: { type: 'boolean' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadTarget(context.root, context.words[0] ?? '')
    const wanted = context.flags.version
    const limit = limitOf(context.flags.limit)
    const personal = context.flags.personal === true
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings }) => {
      const tables = tablesOf(pipeline, settings)
      const { columns, rows } =
        typeof wanted !== 'string'
          ? await currentRows(pipeline, tables, ports.warehouse, limit)
          : await atVersion(pipeline, tables, ports.warehouse, wanted, limit)
      if (context.json) context.out.data(rows.map(row => plain(columns, row, { personal })))
      else context.out.line(rows.length === 0 ? 'No rows.' : table(columns, rows, { personal }))
    })
    return 0
  },
}

async function atVersion(
  pipeline: NamedPipeline,
  tables: TargetTables,
  warehouse: Pick<Warehouse, 'ask'>,
  wanted: string,
  limit: number,
): Promise<Answer> {
  const versions = await publishedVersions(tables, warehouse)
  const { version } = versionMeant(wanted, versions, pipeline.timeZone)
  return rowsAt(pipeline, tables, warehouse, { versions, version }, limit)
}

/** How many rows a person asked for; 50 if they didn't. */
export function limitOf(flag: string | boolean | undefined, otherwise = 50): number {
  const limit = flag === undefined ? otherwise : Number(flag)
  if (!Number.isInteger(limit) || limit < 1)
    throw new EtlError('usage', `--limit ${String(flag)} is no number of rows.`, { hint: 'write a whole number above 0' })
  return limit
}

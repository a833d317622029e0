import { tableName } from '../domain/source.ts'
import { tablesOf } from '../engine/plan.ts'
import { rollback as bringBack } from '../engine/rollback.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadTarget } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const rollback: Command = {
  name: 'rollback',
  summary: 'bring an earlier version back, and hold the table there',
  usage: 'NAME V',
  help: `Publishes the content of an earlier version again, as a new version, whole or not at all, and holds the table: runs read and check as usual, but
publish nothing until \`etl release NAME\`. So tonight's run doesn't bring back what you undid. V is a version as \`versions\` prints it, the beginning of one, or a
date for what stood at the end of that day. No version is lost: you can roll forward the same way.

${worldHelp}

Examples
  npm run etl -- rollback apps-per-env 2026-11-20 --project my-team-prod-1234 --env prod
  npm run etl -- rollback apps-per-env 2026-11-20T05:30:00Z --dir .etl/demo`,
  options: worldOptions,
  words: { least: 2, most: 2 },
  async run(context) {
    const pipeline = await loadTarget(context.root, context.words[0] ?? '')
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings, request }) => {
      const { version, restores, rows } = await bringBack(
        pipeline,
        context.words[1] ?? '',
        request,
        ports,
        settings,
        context.signal,
      )
      const table = tableName(tablesOf(pipeline, settings).target)
      if (context.json) return context.out.data({ table, version, restores: restores.version, rows, held: true })
      context.out.line(
        `✔ ${table} is as it was at ${restores.version} again${rows === null ? '' : ` (${rows} rows)`}, as version ${version}.`,
      )
      context.out.line(`  It is held: no run publishes until \`npm run etl -- release ${context.words[0]}\`.`)
    })
    return 0
  },
}

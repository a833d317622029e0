import { tableName } from '../domain/source.ts'
import { tablesOf } from '../engine/plan.ts'
import { release as endHold } from '../engine/release.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadTarget } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const release: Command = {
  name: 'release',
  summary: 'end the hold of a rollback: the next run publishes again',
  usage: 'NAME',
  help: `Ends the hold that a rollback put on the table. Nothing is published by this; the next run does that.

${worldHelp}

Examples
  npm run etl -- release apps-per-env --project my-team-prod-1234 --env prod
  npm run etl -- release apps-per-env --dir .etl/demo`,
  options: worldOptions,
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadTarget(context.root, context.words[0] ?? '')
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings, request }) => {
      const version = await endHold(pipeline, request, ports, settings)
      const table = tableName(tablesOf(pipeline, settings).target)
      if (context.json) return context.out.data({ table, version, held: false })
      context.out.line(`✔ ${table} is released at version ${version}; the next run publishes again.`)
    })
    return 0
  },
}

import { EtlError } from '../domain/error.ts'
import { prune as deleteOld, planPruning } from '../engine/prune.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadTarget } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const prune: Command = {
  name: 'prune',
  summary: 'delete old versions before their time',
  usage: "NAME --keep '30 days' [--yes]",
  help: `Deletes earlier versions from the history that are older than --keep. They expire by themselves after the length that the pipeline's \`history\` says; this is for
deleting them sooner. Without --yes it only says what would go. The version that stands stays, and merge keeps the full copy that later versions are read from.

  --keep LENGTH    what stays readable, such as '30 days'
  --yes            do it
${worldHelp}

Examples
  npm run etl -- prune apps-per-env --keep '30 days'
  npm run etl -- prune apps-per-env --keep '30 days' --yes --project my-team-dev-1234`,
  options: { ...worldOptions, keep: { type: 'string' }, yes: { type: 'boolean' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadTarget(context.root, context.words[0] ?? '')
    const days = daysOf(context.flags.keep)
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings, request }) => {
      const pruning = await planPruning(pipeline, days, ports, settings)
      const names = pruning.versions.map(({ version }) => version)
      const isDone = context.flags.yes === true && names.length > 0
      if (isDone) await deleteOld(pipeline, pruning, request, ports, settings)
      if (context.json) return context.out.data({ before: pruning.before, versions: names, deleted: isDone })
      if (names.length === 0)
        return context.out.line('Nothing to prune: every version that can be read is younger, or is still needed.')
      const list = `${names.length} ${names.length === 1 ? 'version' : 'versions'}, ${names.at(-1)} to ${names[0]}`
      context.out.line(
        isDone
          ? `✔ Deleted ${list}. What is older than ${pruning.before} can't be read any more.`
          : `Would delete ${list}:\n${pruning.statements.map(text => `  ${text}`).join('\n')}\nAdd --yes to do it.`,
      )
    })
    return 0
  },
}

function daysOf(flag: string | boolean | undefined): number {
  const days = Number(/^(\d+)( days?)?$/.exec(String(flag))?.[1])
  if (Number.isInteger(days) && days >= 0) return days
  throw new EtlError('usage', flag === undefined ? 'etl prune needs --keep.' : `--keep ${String(flag)} is no length.`, {
    hint: "write it like --keep '30 days'",
  })
}

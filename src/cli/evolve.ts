import { EtlError } from '../domain/error.ts'
import { isDate } from '../domain/text.ts'
import { evolve as evolveBeside } from '../engine/migrate.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPart } from './part.ts'
import { inWorld } from './with-local.ts'

export const evolve: Command = {
  name: 'evolve',
  summary: 'make a new table beside the old one, for a schema that would break its readers',
  usage: 'NAME --as TABLE [--until DATE]',
  help: `Makes an empty table with today's row schema, its history and its head, beside the one that the pipeline writes now; copies nothing, changes
nothing of the old one. Then it says what to change in the pipeline, and prints the text for the readers' channel, in Norwegian. May be repeated.

  --as TABLE       the name of the new table, such as apps_per_env_v2
  --until DATE     how long the old table stays, for the text (90 days if left out)
  --table TABLE    which one, where the pipeline writes several
${worldHelp}

Examples
  npm run etl -- evolve apps-per-env --as apps_per_env_v2 --project my-team-dev-1234
  npm run etl -- evolve apps-per-env --as apps_per_env_v2 --until 2027-03-01 --dir .etl/demo`,
  options: { ...worldOptions, as: { type: 'string' }, until: { type: 'string' }, table: { type: 'string' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const { as, until } = context.flags
    if (typeof as !== 'string')
      throw new EtlError('usage', 'evolve needs --as TABLE: the name of the new table.', { hint: 'such as --as apps_per_env_v2' })
    if (typeof until === 'string' && !isDate(until))
      throw new EtlError('usage', `--until ${until} is no date.`, { hint: 'write it like 2027-03-01' })
    const pipeline = await loadPart(context)
    await inWorld(context, [pipeline], 'quiet', async world => {
      const made = await evolveBeside(pipeline, as, typeof until === 'string' ? until : undefined, world)
      if (context.json) context.out.data(made)
      else
        context.out.line(`${made.made ? 'Made' : 'There already'}: ${made.to}, beside ${made.from}. Nothing was copied; the old table is as it was.

Next
  1. In src/pipelines/${pipeline.name}.ts write .table('${as}', …) instead of .table('${pipeline.to.table}', …), and deploy: from then on runs publish there.
     The new table has no versions yet: a partition pipeline does all of its slices again.
  2. Post the text below where the readers of the old table are.
  3. When nobody reads it any more, drop the old table, its history and its head.

${made.notice}`)
    })
    return 0
  },
}

import { EtlError } from '../domain/error.ts'
import { contraction, contract as drop } from '../engine/migrate.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPart } from './part.ts'
import { inWorld } from './with-local.ts'

export const contract: Command = {
  name: 'contract',
  summary: 'drop a column that the row schema no longer has, from the table and its history',
  usage: 'NAME --drop COLUMN [--yes]',
  help: `Says what dropping the column takes away, and with --yes drops it: from the history first, then from the table. A column that is still written is refused,
and so is one that the table is partitioned or clustered by.

  --drop COLUMN    the column
  --yes            do it
  --table TABLE    which one, where the pipeline writes several
${worldHelp}

Examples
  npm run etl -- contract apps-per-env --drop owner --project my-team-dev-1234
  npm run etl -- contract apps-per-env --drop owner --yes`,
  options: { ...worldOptions, drop: { type: 'string' }, yes: { type: 'boolean' }, table: { type: 'string' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const column = context.flags.drop
    if (typeof column !== 'string') throw new EtlError('usage', 'contract needs --drop COLUMN.', { hint: 'which column goes?' })
    const pipeline = await loadPart(context)
    const yes = context.flags.yes === true
    await inWorld(context, [pipeline], 'quiet', async world => {
      const found = await contraction(pipeline, column, world)
      if (yes) await drop(found, world)
      if (context.json) return context.out.data({ ...found, done: yes })
      const lost = found.lost.map(({ table, values }) => `  ${table}: ${values} ${values === 1 ? 'value' : 'values'}`)
      const next = yes
        ? `Dropped. Within seven days BigQuery's time travel still has the table as it was.`
        : `Nothing was changed. To drop it: npm run etl -- contract ${pipeline.name} --drop ${column} --yes`
      context.out.line([`With the column ${column} go, for good:`, ...lost, next].join('\n'))
    })
    return 0
  },
}

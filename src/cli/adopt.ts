import { EtlError } from '../domain/error.ts'
import { adoption, adopt as takeOver } from '../engine/migrate.ts'
import type { Adoption } from '../ports/migrations.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPart } from './part.ts'
import { inWorld } from './with-local.ts'

export const adopt: Command = {
  name: 'adopt',
  summary: 'take over a table that something else made, such as to_gbq',
  usage: 'NAME [--yes]',
  help: `Shows how the table that the pipeline names differs from what the pipeline declares, and what taking it over would change. With --yes it does that: the column
version (NULL in the rows that are there), the head, the history. No row is changed; the next run publishes into the table.

  --yes            do it
  --table TABLE    which one, where the pipeline writes several
${worldHelp}

Examples
  npm run etl -- adopt apps-per-env --project my-team-dev-1234
  npm run etl -- adopt apps-per-env --yes`,
  options: { ...worldOptions, yes: { type: 'boolean' }, table: { type: 'string' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadPart(context)
    const yes = context.flags.yes === true
    return inWorld(context, [pipeline], 'quiet', async world => {
      const found = await adoption(pipeline, world)
      const done = yes && found.refused.length === 0 && !found.isOurs
      if (done) await takeOver(pipeline, found, world)
      if (context.json) context.out.data({ ...found, done })
      else context.out.line(text(pipeline.to.table, pipeline.name, found, done))
      if (yes && found.refused.length > 0)
        throw new EtlError('schema', `${pipeline.to.table} can't be taken over as it is: ${found.refused[0]}.`)
      return 0
    })
  },
}

function text(table: string, name: string, found: Adoption, done: boolean): string {
  const list = (mark: string, sentences: readonly string[]) => sentences.map(sentence => `  ${mark} ${sentence}`)
  const rows = found.rows === null ? '' : ` (${found.rows} rows)`
  if (found.isOurs) return [`${table}${rows} is ours already.`, ...list('·', found.remarks)].join('\n')
  const next = done
    ? `Taken over. Now: npm run etl -- run ${name}`
    : found.refused.length > 0
      ? 'It can’t be taken over as it is.'
      : `Nothing was changed. To take it over: npm run etl -- adopt ${name} --yes`
  return [
    `${table}${rows} was made by something else.`,
    ...list('✘', found.refused),
    ...list('·', found.remarks),
    ...list('+', found.changes),
    next,
  ].join('\n')
}

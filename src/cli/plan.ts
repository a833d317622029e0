import type { Plan } from '../domain/plan.ts'
import { tableName } from '../domain/source.ts'
import { makePlans } from '../engine/plan.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPipeline } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const plan: Command = {
  name: 'plan',
  summary: 'show what a run would do: slices, SQL, DDL; changes nothing',
  usage: 'NAME [--local] [--sql]',
  help: `Prints the value that \`run\` would execute now, and changes nothing.

  --sql            all statements, word for word
  --local          against a throwaway local BigQuery that holds the pipeline's fixtures
  --case NAME      with --local: which case of fixtures/<pipeline>/ is the source
${worldHelp}

Examples
  npm run etl -- plan apps-per-env --local --sql
  npm run etl -- plan apps-per-env --json`,
  options: { ...worldOptions, local: { type: 'boolean' }, case: { type: 'string' }, sql: { type: 'boolean' } },
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadPipeline(context.root, context.words[0] ?? '')
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings, request }) => {
      const made = await makePlans(pipeline, request, ports, settings)
      const data = made.map(plan => ({
        ...plan,
        pipeline: pipeline.name,
        head: plan.head === null ? null : { ...plan.head, seq: String(plan.head.seq) },
      }))
      if (context.json) context.out.data(data.length === 1 ? data[0] : data)
      else for (const plan of made) context.out.line(planText(plan, context.flags.sql === true))
    })
    return 0
  },
}

/** A plan for people. */
function planText(plan: Plan, withSql: boolean): string {
  const scope =
    plan.scope === null ? 'everything' : plan.scope.length === 0 ? 'nothing is due' : `${plan.scope.at(0)} … ${plan.scope.at(-1)}`
  const lines = [
    `Plan of ${plan.pipeline.name}`,
    ...plan.sources.map(
      source =>
        `  reads     ${source.name} = ${source.from}${source.rows === null ? '' : ` (${source.rows} ${source.rows === 1 ? 'row' : 'rows'})`}`,
    ),
    `  slices    ${scope}; ${plan.why}${plan.left > 0 ? `; ${plan.left} more wait for the next run` : ''}`,
    `  writes    ${tableName(plan.tables.target)} (${plan.pipeline.write.mode}), history in ${plan.tables.history.table}`,
    `  makes     ${plan.bootstrap.length === 0 ? 'nothing: all tables exist' : 'the tables that are missing'}`,
    ...plan.changes.map(change => `  schema    ${change.sentence}${change.class === 'expand' ? ' (done by the run)' : ''}`),
    `  version   ${plan.version} for the slot ${plan.identity.slot} (${plan.identity.trigger})`,
    `  now       ${plan.head === null || plan.head.seq === 0n ? 'nothing published yet' : `version ${plan.head.version} by ${plan.head.run}${plan.head.held ? ', held' : ''}`}`,
  ]
  if (!withSql) return lines.join('\n')
  const parts = [
    ...plan.sources.map(source => [`read ${source.name}`, source.read] as const),
    ...plan.bootstrap.map(text => ['bootstrap', text] as const),
    ...plan.evolve.map(text => ['evolve', text] as const),
    ['audit', plan.audit] as const,
    ['publish', plan.publish] as const,
  ]
  return [...lines, ...parts.flatMap(([name, text]) => ['', `-- ${name}`, text])].join('\n')
}

import { sizeText, usdPerTiB, usdText } from '../domain/cost.ts'
import { apartText, listText, type Moment } from '../domain/moment.ts'
import type { Plan } from '../domain/plan.ts'
import { replayText } from '../domain/replay.ts'
import { bytesAllowed, tableName } from '../domain/source.ts'
import { costOfPlan, type PlanCost } from '../engine/cost.ts'
import { makePlans } from '../engine/plan.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadPipeline } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const plan: Command = {
  name: 'plan',
  summary: 'show what a run would do: slices, SQL, DDL; changes nothing',
  usage: 'NAME [--local] [--sql] [--full]',
  help: `Prints the value that \`run\` would execute now, and changes nothing.

  --sql            all statements, word for word
  --local          against a throwaway local BigQuery that holds the pipeline's fixtures
  --case NAME      with --local: which case of fixtures/<pipeline>/ is the source
  --full           as \`run --full\` would: sources with changedBy from their beginning
${worldHelp}

Examples
  npm run etl -- plan apps-per-env --local --sql
  npm run etl -- plan apps-per-env --json`,
  options: {
    ...worldOptions,
    local: { type: 'boolean' },
    case: { type: 'string' },
    sql: { type: 'boolean' },
    full: { type: 'boolean' },
  },
  words: { least: 1, most: 1 },
  async run(context) {
    const pipeline = await loadPipeline(context.root, context.words[0] ?? '')
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings, request }) => {
      const plans = await makePlans(pipeline, { ...request, full: context.flags.full === true }, ports, settings)
      const made = await Promise.all(plans.map(async one => ({ one, cost: await costOfPlan(one, ports) })))
      if (context.json) {
        const data = made.map(({ one, cost }) => ({
          ...one,
          pipeline: pipeline.name,
          head: one.head === null ? null : { ...one.head, seq: String(one.head.seq) },
          cost,
        }))
        context.out.data(data.length === 1 ? data[0] : data)
      } else context.out.line(made.map(({ one, cost }) => planText(one, cost, context.flags.sql === true)).join('\n\n'))
    })
    return 0
  },
}

function readText(bytes: number | null | undefined, allowed: number | null): string {
  if (bytes === undefined) return ''
  if (bytes === null) return ', unknown bytes'
  const tooMuch = allowed !== null && bytes > allowed
  return `, ${sizeText(bytes)}${tooMuch ? `, more than the ${sizeText(allowed)} that maxBytes allows: the run would be refused` : ''}`
}

/** A sql transform reads all its sources by one query. */
function allowed({ pipeline }: Plan, name: string): number | null {
  const source = pipeline.from[name]
  return bytesAllowed(pipeline.transform.kind === 'sql' || source === undefined ? Object.values(pipeline.from) : [source])
}

function costLines({ readBytes, publishBytes, usd, usdMonth, runsMonth, complete }: PlanCost): string[] {
  return [
    `  bytes     a run is billed for ${sizeText(readBytes)} of reading and ${sizeText(publishBytes)} of publishing${complete ? '' : ', as far as it is known yet'}`,
    `  costs     ≈ ${usdText(usd)} a run, ≈ ${usdText(usdMonth)} a month of ${Number(runsMonth.toFixed(1))} runs (list price, ${usdPerTiB} USD per TiB)`,
  ]
}

function momentLines(moment: Moment | null): string[] {
  if (moment === null) return []
  const { pinned } = moment
  const rule =
    pinned.length === 0
      ? ''
      : `${pinned.length === 1 ? `${pinned[0]}, for every target,` : listText(pinned)} as of one moment: BigQuery's clock when the run has claimed its version`
  return [`  moment    ${[rule, apartText(moment)].filter(text => text !== '').join('; ')}`]
}

/** A plan for people. */
function planText(plan: Plan, cost: PlanCost, withSql: boolean): string {
  const scope =
    plan.scope === null ? 'everything' : plan.scope.length === 0 ? 'nothing is due' : `${plan.scope.at(0)} … ${plan.scope.at(-1)}`
  const lines = [
    `Plan of ${plan.pipeline.name}`,
    ...plan.sources.map(
      source =>
        `  reads     ${source.name} = ${source.from}${source.rows === null ? '' : ` (${source.rows} ${source.rows === 1 ? 'row' : 'rows'})`}${readText(cost.sources[source.name], allowed(plan, source.name))}${source.way === undefined ? '' : `; ${source.way}`}`,
    ),
    ...momentLines(plan.moment),
    `  slices    ${scope}; ${plan.why}${plan.left > 0 ? `; ${plan.left} more wait for the next run` : ''}`,
    `  writes    ${tableName(plan.tables.target)} (${plan.pipeline.write.mode}), history in ${plan.tables.history.table}`,
    `  makes     ${plan.bootstrap.length === 0 ? 'nothing: all tables exist' : 'the tables that are missing'}`,
    ...plan.changes.map(change => `  schema    ${change.sentence}${change.class === 'expand' ? ' (done by the run)' : ''}`),
    ...costLines(cost),
    `  version   ${plan.version} for the slot ${plan.identity.slot} (${plan.identity.trigger})`,
    `  replay    ${replayText(plan.replayable)}`,
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

import * as z from 'zod'
import { createHead, createHistory, createRuns, createTarget } from '../src/adapters/bigquery/bootstrap.ts'
import { type Parameter, publishParameters, publishScript } from '../src/adapters/bigquery/publish.ts'
import { literal } from '../src/domain/literal.ts'
import type { NamedPipeline, Pipeline } from '../src/domain/pipeline.ts'
import type { Publication, TargetTables } from '../src/domain/run.ts'
import { append, dataset, merge, partition, pipeline, replace, row, table } from '../src/index.ts'
import { expiring, type Names, ours, oursInEtl } from './names.ts'
import type { World } from './world.ts'

const Row = row({ dato: z.iso.date(), navn: z.string(), antall: z.int() }, { key: ['dato', 'navn'] })
const writes = { replace: replace(), partition: partition('dato'), append: append(), merge: merge({ deletes: 'missing' }) }

/** The slices of the stage's rows. */
const dates = ['2024-01-01', '2024-01-02']
/** How many rows a publication has. */
export const stageRows = 2

/** A target of production's form, with a stage that waits to be published. */
export type SmokeTarget = {
  /** TIMESTAMP text: versions are numbered from here. Today's, since a history's old partitions expire at once. */
  readonly since: string
  readonly pipeline: NamedPipeline
  readonly tables: TargetTables
  readonly stage: Publication['stage']
}

/** Names only; nothing is made. All targets share one ledger, as those of a dataset do. */
export function target(names: Names, name: string, mode: keyof typeof writes): SmokeTarget {
  const tables = {
    target: ours(names, name),
    history: ours(names, `${name}__history`),
    head: oursInEtl(names, `${name}_head`),
    runs: oursInEtl(names, 'runs'),
  }
  const declared: Pipeline = pipeline({
    schedule: '30 6 * * *',
    from: { source: table(Row, `${names.dataset}.${tables.target.table}`) },
    to: dataset(names.dataset).table(tables.target.table, Row, { description: 'made by the smoke test' }),
    write: writes[mode],
    transform: ({ source }) => [...source],
  })
  const stage = { table: oursInEtl(names, `${name}_stage`), rows: stageRows, contentHash: null }
  return { since: names.expires, pipeline: { ...declared, name: 'smoke' }, tables, stage }
}

/** The statements that make it: production's, with an expiration, and the stage with its rows. */
export function targetScript(names: Names, { pipeline, tables, stage }: SmokeTarget): string {
  const isMerge = pipeline.write.mode === 'merge'
  const op = isMerge ? ', CAST(NULL AS STRING) AS _op' : ''
  const rows = dates.map((date, index) => `SELECT ${literal.date(date)} AS dato, 'rad' AS navn, ${index + 1} AS antall${op}`)
  const create = [createRuns(tables), createHead(tables), createTarget(pipeline, tables), createHistory(pipeline, tables)]
  const filled = `CREATE TABLE IF NOT EXISTS ${literal.table(stage.table)} (dato DATE, navn STRING, antall INT64${isMerge ? ', _op STRING' : ''}) AS SELECT * FROM (${rows.join(' UNION ALL ')})`
  return [...create, filled].map(text => expiring(names, text)).join('\n')
}

export async function makeTarget(world: World, name: string, mode: keyof typeof writes): Promise<SmokeTarget> {
  const made = target(world.names, name, mode)
  await world.script(`${name}-make`, targetScript(world.names, made))
  return made
}

/** Which of several publications of one target: each later one has a newer version and another run. */
export type Which = { readonly number: number; readonly baseSeq?: number }

/** Production's script and its parameters for publication `number`, on the base that was published last but one. */
export function publishing(made: SmokeTarget, which: Which, job: string): { sql: string; parameters: readonly Parameter[] } {
  const publication = publicationOf(made, which)
  return { sql: publishScript([publication]), parameters: publishParameters([publication], job) }
}

export function publicationOf(made: SmokeTarget, { number, baseSeq = number - 1 }: Which): Publication {
  const { pipeline, tables, stage } = made
  const version = versionOf(made, number)
  return {
    pipeline: pipeline.name,
    tables,
    columns: pipeline.to.row.columns,
    key: pipeline.to.row.key,
    write: pipeline.write,
    identity: { run: `run-${number}`, attempt: `aaaa${String(number).padStart(2, '0')}`, trigger: 'manual', slot: version },
    version,
    baseSeq: BigInt(baseSeq),
    scope: pipeline.write.mode === 'partition' ? dates : null,
    stage,
    schemaHash: 'smoke',
    codeSha: 'smoke',
    unchanged: false,
    cursor: { from: null, to: null },
    baseline: false,
    restores: null,
  }
}

/** A minute apart, and a day before the tables expire. */
export function versionOf({ since }: SmokeTarget, number: number): string {
  const time = new Date(Date.parse(since) - 24 * 60 * 60 * 1000 + number * 60_000)
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Publishes as a run does. */
export async function publish(world: World, made: SmokeTarget, which: Which): Promise<'published' | 'lost'> {
  const { outcome } = await world.warehouse.publish([publicationOf(made, which)], 1, async () => {})
  return outcome
}

/** Counts and marks of all that a publication changes: equal before and after means that nothing was changed. */
export function stateQuery({ tables }: SmokeTarget): string {
  const { target, history, head, runs } = tables
  const all = `version >= ${literal.timestamp('1970-01-01T00:00:00Z')}`
  return `SELECT (SELECT COUNT(*) FROM ${literal.table(target)}) AS t_rows, (SELECT MAX(version) FROM ${literal.table(target)}) AS t_version,
  (SELECT COUNT(*) FROM ${literal.table(history)} WHERE ${all}) AS history_rows,
  (SELECT MAX(seq) FROM ${literal.table(head)}) AS seq, (SELECT MAX(run) FROM ${literal.table(head)}) AS run,
  (SELECT COUNT(*) FROM ${literal.table(runs)} WHERE target = ${literal.string(`${target.project}.${target.dataset}.${target.table}`)} AND event = 'published') AS published`
}

/** The same as one line: `2 rows, 2 in the history, seq 1 by run-1, 1 event`. */
export async function stateOf(world: World, made: SmokeTarget, name: string): Promise<string> {
  const { rows } = await world.script(name, stateQuery(made))
  const state = rows[0] ?? {}
  return `${state.t_rows} rows of ${state.t_version}, ${state.history_rows} in the history, seq ${state.seq} by ${state.run}, ${state.published} in the ledger`
}

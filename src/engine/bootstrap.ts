import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import { jitter } from '../domain/policy.ts'
import type { TargetTables } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { Say } from './say.ts'
import type { Settings } from './settings.ts'

/** How often what is missing or differs is made, each time from what is there then. */
const rounds = 3

/**
 * Makes and widens the tables of a plan, and looks whether they fit then. Another pod may be doing the same: what it was faster with fails here, and is
 * there; a publication under way stands in the way for a while.
 * @throws EtlError: the statement that failed, or `schema` where all went well and the tables differ still.
 */
export async function bootstrap(
  plan: Plan,
  ports: Pick<Ports, 'warehouse' | 'clock'>,
  settings: Pick<Settings, 'policy'>,
  say: Say,
): Promise<void> {
  const { pipeline, tables, identity } = plan
  const whose = { pipeline, tables, run: identity.run, attempt: identity.attempt }
  await fit(whose, [...plan.bootstrap, ...plan.evolve], ports, settings)
  const widened = plan.changes.filter(change => change.class === 'expand').map(change => change.sentence)
  if (widened.length > 0) say('evolved', { table: tableName(tables.target), changes: widened })
  if (plan.bootstrap.length === 0) return
  say('created', { tables: [tables.target, tables.history, tables.head, tables.runs].map(tableName) })
}

/** Whose tables are made, and by which attempt. */
type Whose = { readonly pipeline: NamedPipeline; readonly tables: TargetTables; readonly run: string; readonly attempt: string }

/** Runs the scripts, and then those that `describe` still wants, until it wants none. */
export async function fit(
  { pipeline, tables, run, attempt }: Whose,
  wanted: readonly string[],
  { warehouse, clock }: Pick<Ports, 'warehouse' | 'clock'>,
  { policy }: Pick<Settings, 'policy'>,
): Promise<void> {
  const started = clock.now().getTime()
  let scripts = wanted
  for (let round = 1; scripts.length > 0; round++) {
    const failure = await warehouse.bootstrap(scripts, attempt).then(() => undefined, passing)
    const { missing, evolve } = await warehouse.describe(pipeline, tables, run)
    scripts = [...missing, ...evolve]
    if (scripts.length === 0) return
    const isOver = failure?.kind === 'conflict' ? clock.now().getTime() - started > policy.conflict.window : round >= rounds
    if (isOver) throw failure ?? different(tableName(tables.target), scripts)
    if (failure !== undefined) await clock.sleep(jitter(policy.conflict, round, Math.random()))
  }
}

/** A failure that what is there may have made good. */
function passing(error: unknown): EtlError {
  if (error instanceof EtlError && (error.kind === 'query' || error.kind === 'conflict')) return error
  throw error
}

function different(table: string, scripts: readonly string[]): EtlError {
  return new EtlError('schema', `the tables of ${table} still differ from the pipeline after they were made and widened.`, {
    hint: `what is still wanted: ${scripts.join(' ')}`,
  })
}

import { randomBytes } from 'node:crypto'
import { append, bq, dataset, merge, partition, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'
import { type Api, openApi } from '../../src/adapters/bigquery/api.ts'
import { type Configuration, createJobs, type Job, type Jobs } from '../../src/adapters/bigquery/jobs.ts'
import { clock } from '../../src/adapters/clock.ts'
import type { AnyRow } from '../../src/domain/column.ts'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { production, scaled } from '../../src/domain/policy.ts'
import type { PublishOutcome, Stage, TargetTables } from '../../src/domain/run.ts'
import type { TableRef } from '../../src/domain/source.ts'
import { keepsRows } from '../../src/domain/write.ts'
import { connected, freshTarget, identity, named, project, publication, sql, staged } from '../adapters/bigquery/world.ts'
import type { Server } from './support.ts'

/** What the contract is asked of: one server, reached by the production adapter. It must be started before the tests run. */
export type Subject = {
  readonly name: 'ours' | 'independent'
  server: Server
  adapter: Awaited<ReturnType<typeof connected>>
}

export function subjectOn(name: Subject['name']) {
  const on = { name } as Subject
  return Object.assign(on, {
    async start(start: () => Promise<Server>): Promise<void> {
      on.server = await start()
      on.adapter = await connected(on.server, undefined, on.server.location)
    },
    stop: async () => on.server?.stop(),
  })
}

/** The API and the jobs of the adapter, as a new process has them. */
export async function processOn(url: string): Promise<{ api: Api; jobs: Jobs; token: string }> {
  const policy = { ...scaled(production, 0.01), poll: { hang: 2_000, pause: 20 } }
  const api = await openApi({ project, location: 'europe-north1', clock, policy, endpoint: url })
  const token = randomBytes(8).toString('hex')
  return { api, jobs: createJobs(api, token), token }
}

/** The job of exactly this id, when it has ended, well or not. */
export async function ended(jobs: Jobs, id: string, configuration: Configuration): Promise<Job> {
  return jobs.finished(await jobs.accepted(id, configuration))
}

/** A result that every write mode can take. */
export const Out = row({ dato: z.iso.date(), env: z.string(), n: z.int() }, { key: ['dato', 'env'] })
const out = dataset('anything').table('t', Out, { description: "Apps' counts" })
const source = table(Out, 'source.apps')
export const byDate = named(pipeline({ schedule: '30 6 * * *', from: { source }, to: out, write: partition('dato') }))
const Wider = row(
  { dato: z.iso.date(), env: z.string(), n: bq.numeric().nullable(), more: bq.timestamp().nullable() },
  { key: ['dato', 'env'] },
)
/** What `byDate` became later. */
export const wider = named(
  pipeline({
    schedule: '30 6 * * *',
    from: { source: table(Wider, 'source.apps') },
    to: dataset('anything').table('t', Wider, { description: "Apps' counts" }),
    write: partition('dato'),
  }),
)
export const added = named(pipeline({ schedule: '30 6 * * *', from: { source }, to: out, write: append() }))
export const merged = named(pipeline({ schedule: '30 6 * * *', from: { source }, to: out, write: merge() }))
export const whole = named(pipeline({ schedule: '30 6 * * *', from: { source }, to: out, write: replace() }))

/** A target whose tables are there. */
export async function readyTarget({ server, adapter }: Subject, by: NamedPipeline = byDate): Promise<TargetTables> {
  const tables = await freshTarget(server)
  const { missing } = await adapter.warehouse.describe(by, tables, 'run-1')
  await adapter.warehouse.bootstrap(missing, randomBytes(3).toString('hex'))
  return tables
}

type Change = Partial<Parameters<typeof publication>[3]> & { readonly run: string; readonly attempt: string }

/** A target with its tables, a stage for each set of rows, and what makes a publication of a stage; its slice is the first of January. */
export async function readyStages(on: Subject, by: NamedPipeline, ...rows: readonly (readonly AnyRow[])[]) {
  const tables = await readyTarget(on, by)
  const stages: Stage[] = []
  const options = { op: by.write.mode === 'merge' && by.write.deletes === 'missing' }
  for (const [at, each] of rows.entries()) {
    stages.push(await staged(on.adapter, tables, by.to.row.columns, each, `stage${at}`, undefined, options))
  }
  const make = (stage: Stage | undefined, { run, attempt, ...change }: Change): Wanted =>
    publication(by, tables, stage as Stage, {
      scope: by.write.mode === 'partition' ? [day] : null,
      identity: identity(run, attempt),
      ...change,
    })
  return { tables, stages, make }
}

export const day = '2024-01-01'

/** The version of the n-th of February. */
export const version = (at: number) => `2024-02-0${at}T05:30:00Z`

/** What `publication` of the adapter's world makes. */
export type Wanted = ReturnType<typeof publication>

/** Publishes under the id of that number. */
export function publish(on: Subject, wanted: Wanted, number = 1): Promise<PublishOutcome> {
  return on.adapter.warehouse.publish(wanted, number, async () => {})
}

/** `published`, `lost`, or the kind of the error that it ended with. */
export function outcomeOf(publishing: Promise<PublishOutcome>): Promise<string> {
  return publishing.then(
    result => result.outcome,
    error => error.kind,
  )
}

/** Texts of the API, a row each. */
type Rows = readonly (readonly (string | null)[])[]
type State = { readonly rows: Rows; readonly history: Rows; readonly head: Rows; readonly ledger: Rows }

/** All that a publication can change, without the times of the clock: rows, history, head and ledger. */
export async function stateOf(
  on: Subject,
  { target, history, head, runs }: TargetTables,
  by: NamedPipeline = byDate,
): Promise<State> {
  const ask = async (columns: string, { project, dataset, table }: TableRef, rest: string) =>
    await sql(on.server, `SELECT ${columns} FROM \`${project}.${dataset}.${table}\` ${rest}`)
  return {
    rows: await ask('dato, env, n, UNIX_MICROS(version)', target, 'ORDER BY dato, env, n'),
    history: keepsRows(by.write)
      ? await ask(
          'dato, env, n, _op, UNIX_MICROS(version)',
          history,
          "WHERE version > TIMESTAMP '2000-01-01 00:00:00+00' ORDER BY version, dato, env, n",
        )
      : [],
    head: await ask('seq, UNIX_MICROS(version), run, attempt, held, cursor, schema_hash, published_at IS NULL', head, ''),
    ledger: await ask(
      'event, run, attempt, UNIX_MICROS(version), base_seq, mode, TO_JSON_STRING(scope), rows_written, stage, job, trigger',
      runs,
      `WHERE target = '${target.project}.${target.dataset}.${target.table}' ORDER BY logged_at`,
    ),
  }
}

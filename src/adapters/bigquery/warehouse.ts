import type { AnyRow } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import { microsOf } from '../../domain/micros.ts'
import type { Head, Publication, PublishOutcome } from '../../domain/run.ts'
import { tableName } from '../../domain/source.ts'
import type { Warehouse } from '../../ports/warehouse.ts'
import { type Api, failed, pause } from './api.ts'
import { describe } from './describe.ts'
import { dryRun } from './dryrun.ts'
import { failureOf, isConflict } from './errors.ts'
import { isDuplicate, type Jobs, jobId } from './jobs.ts'
import { headOf, noteParameters, noteScript } from './ledger.ts'
import { missingRows } from './merge.ts'
import { createMigrations } from './migrations.ts'
import { parameter, publishParameters, publishScript } from './publish.ts'
import { answerOf, ask, queryConfiguration } from './query.ts'
import { drop, stage } from './stage.ts'
import { auditTables, type Names, queryText } from './text.ts'

/** Publishes to BigQuery. */
export function createWarehouse(api: Api, jobs: Jobs, names: Names): Warehouse {
  return {
    ...createMigrations(api),
    describe: (pipeline, tables, run, options) => describe(api, pipeline, tables, run, options),
    async bootstrap(scripts, attempt) {
      let failure: EtlError | undefined
      for (const script of scripts) {
        await jobs.run(`etl-bootstrap-${attempt}`, queryConfiguration(script), 'making the tables').catch(error => {
          // Two first pods at once: the other one made it. Whether it fits, the next describe says.
          if (isDuplicate((error as Error).cause)) return
          if (!(error instanceof EtlError) || !['query', 'conflict'].includes(error.kind)) throw error
          failure ??= error
        })
      }
      if (failure !== undefined) throw failure
    },
    async note(note) {
      await ask(api, noteScript(note), `the note ${note.event} in the ledger`, noteParameters(note))
    },
    stage: (tables, columns, from, attempt, options) => stage(api, jobs, tables, columns, from, attempt, options),
    async stageMissing(tables, columns, key, { table }, keys) {
      // Counted in the table: where an answer was lost and the statement runs again, it finds those keys there and adds nothing.
      const sql = `${missingRows(tables, { columns, key, stage: table, keys })};
SELECT COUNT(*) AS deleted, (SELECT COUNT(*) FROM ${literal.table(tables.target)}) AS had FROM ${literal.table(table)} WHERE _op = 'delete'`
      const { rows } = await ask(api, sql, `the rows of ${tableName(tables.target)} that are gone`)
      return { deleted: Number(rows[0]?.deleted), had: Number(rows[0]?.had) }
    },
    ask: (sql, parameters = {}) => {
      const typed = Object.entries(parameters).map(([name, value]) => parameter(name, 'STRING', value))
      return ask(api, sql, 'a question', typed)
    },
    noteAndAsk: (note, sql) =>
      ask(api, `${noteScript(note)}\n${sql};`, `a question after the note ${note.event} in the ledger`, noteParameters(note)),
    async execute(name, sql, what) {
      const job = await jobs.run(name, queryConfiguration(sql), what)
      const affected = Number(job.statistics?.query?.numDmlAffectedRows ?? 0)
      return { ...(await answerOf(api, jobs, job.jobReference.jobId, what)), affected }
    },
    estimate: async sql => (await dryRun(api, sql, 'the estimate of a read')).bytes,
    publishText: publishScript,
    publish: (publications, number, onSubmit) => publish(api, jobs, publications, number, onSubmit),
    settle: id => settle(api, jobs, id),
    queryText: (pipeline, dates, windows) => queryText(names, pipeline, dates, windows),
    auditTables,
    drop: table => drop(api, table),
  }
}

async function publish(
  api: Api,
  jobs: Jobs,
  publications: readonly Publication[],
  number: number,
  onSubmit: (job: string) => Promise<void>,
): Promise<PublishOutcome> {
  const what = `publishing ${publications.map(({ tables }) => tableName(tables.target)).join(' and ')}`
  const { id, rows } = await submitted(api, jobs, publications, number, onSubmit, what)
  const outcome = rows[0]?.outcome
  if (rows.length !== publications.length || (outcome !== 'published' && outcome !== 'lost')) {
    throw new EtlError(
      'schema',
      `${what}: the head table has ${rows.length} rows instead of ${publications.length === 1 ? 'one' : publications.length}, and nothing was published.`,
      {
        hint: `leave the row with the largest seq in ${publications.map(({ tables }) => tableName(tables.head)).join(', ')}, delete the others, run again`,
      },
    )
  }
  return { outcome, head: deciding(rows.map(headOf), publications), job: id }
}

/** Of several heads the one that stood in the way: another run's, held, or newer; else any. */
function deciding(heads: readonly Head[], publications: readonly Publication[]): Head {
  const { identity, version } = publications[0] as Publication
  const other = heads.find(head => head.run !== identity.run && (head.held || microsOf(head.version) >= microsOf(version)))
  return other ?? heads.find(head => head.run !== identity.run) ?? (heads[0] as Head)
}

/** Runs the script until it ended well. A job that the service itself broke was rolled back: its id is burnt, the next one is tried. */
async function submitted(
  api: Api,
  jobs: Jobs,
  publications: readonly Publication[],
  number: number,
  onSubmit: (job: string) => Promise<void>,
  what: string,
): Promise<{ id: string; rows: readonly AnyRow[] }> {
  const { tables, identity } = publications[0] as Publication
  const { dataset, table } = tables.target
  for (let tried = 1; ; tried++) {
    // With the dataset: one process may publish to two tables of one name.
    const id = jobId(`etl-publish-${dataset}-${table}-${identity.attempt}-${number}${tried === 1 ? '' : `-${tried}`}`)
    await onSubmit(id)
    try {
      await jobs.accepted(id, queryConfiguration(publishScript(publications), publishParameters(publications, id)))
      return { id, rows: (await answerOf(api, jobs, id, what)).rows }
    } catch (error) {
      const failure = failureOf(error)
      const isOver = failure.status === 200 && failure.passing && !isConflict(failure)
      if (!isOver || tried >= api.policy.request.tries) throw failed(api, failure, what, id)
      await pause(api.policy, api.clock, tried)
    }
  }
}

/** Absent twice, some seconds apart, is never submitted: an accepted job may take a moment to be seen. */
async function settle(api: Api, jobs: Jobs, id: string): Promise<void> {
  const what = 'an earlier attempt to publish'
  try {
    const first = await jobs.find(id)
    if (first === undefined) await api.clock.sleep(api.policy.settle)
    const job = first ?? (await jobs.find(id))
    if (job !== undefined) await jobs.finished(job)
  } catch (error) {
    throw failed(api, error, what, id)
  }
}

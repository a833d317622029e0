import { EtlError } from '../../domain/error.ts'
import type { Publication, PublishOutcome } from '../../domain/run.ts'
import { tableName } from '../../domain/source.ts'
import type { Warehouse } from '../../ports/warehouse.ts'
import { type Api, failed, pause } from './api.ts'
import { describe } from './describe.ts'
import { failureOf, isConflict } from './errors.ts'
import { isDuplicate, type Jobs, jobId } from './jobs.ts'
import { headOf, noteParameters, noteScript } from './ledger.ts'
import { parameter, publishParameters, publishScript } from './publish.ts'
import { answerOf, ask, queryConfiguration } from './query.ts'
import { drop, stage } from './stage.ts'
import { type Names, queryText } from './text.ts'

/** Publishes to BigQuery. */
export function createWarehouse(api: Api, jobs: Jobs, names: Names): Warehouse {
  return {
    describe: (pipeline, tables, run) => describe(api, jobs, pipeline, tables, run),
    async bootstrap(scripts, attempt) {
      for (const script of scripts) {
        await jobs.run(`etl-bootstrap-${attempt}`, queryConfiguration(script), 'making the tables').catch(error => {
          // Two first pods at once: the other one made it. Whether it fits, the next describe says.
          if (!isDuplicate((error as Error).cause)) throw error
        })
      }
    },
    async note(note) {
      await jobs.run(
        `etl-note-${note.event}-${note.attempt}`,
        queryConfiguration(noteScript(note), noteParameters(note)),
        `the note ${note.event} in the ledger`,
      )
    },
    stage: (tables, columns, from, attempt) => stage(api, jobs, tables, columns, from, attempt),
    ask: (sql, parameters = {}) => {
      const typed = Object.entries(parameters).map(([name, value]) => parameter(name, 'STRING', value))
      return ask(api, jobs, 'etl-ask', sql, 'a question', typed)
    },
    publishText: publishScript,
    publish: (publication, number, onSubmit) => publish(api, jobs, publication, number, onSubmit),
    settle: id => settle(api, jobs, id),
    queryText: (pipeline, dates) => queryText(names, pipeline, dates),
    drop: table => drop(api, table),
  }
}

async function publish(
  api: Api,
  jobs: Jobs,
  publication: Publication,
  number: number,
  onSubmit: (job: string) => Promise<void>,
): Promise<PublishOutcome> {
  const { target } = publication.tables
  const what = `publishing ${tableName(target)}`
  const id = await submitted(api, jobs, publication, number, onSubmit, what)
  const { rows } = await answerOf(api, id, what)
  const row = rows[0]
  const outcome = row?.outcome
  if (row === undefined || rows.length !== 1 || (outcome !== 'published' && outcome !== 'lost')) {
    throw new EtlError('schema', `${what}: the head table has ${rows.length} rows instead of one, and nothing was published.`, {
      hint: `leave the row with the largest seq in ${tableName(publication.tables.head)}, delete the others, run again`,
    })
  }
  return { outcome, head: headOf(row), job: id }
}

/** Runs the script until it ended well. A job that the service itself broke was rolled back: its id is burnt, the next one is tried. */
async function submitted(
  api: Api,
  jobs: Jobs,
  publication: Publication,
  number: number,
  onSubmit: (job: string) => Promise<void>,
  what: string,
): Promise<string> {
  const { dataset, table } = publication.tables.target
  for (let tried = 1; ; tried++) {
    // With the dataset: one process may publish to two tables of one name.
    const id = jobId(`etl-publish-${dataset}-${table}-${publication.identity.attempt}-${number}${tried === 1 ? '' : `-${tried}`}`)
    await onSubmit(id)
    try {
      await jobs.one(id, queryConfiguration(publishScript(publication), publishParameters(publication, id)))
      return id
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

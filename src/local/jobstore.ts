import type { DuckDBConnection } from '@duckdb/node-api'
import { BigQueryError, type Field } from './contract.ts'
import { isConflict, literal, quoted, type Row, rowsOf } from './duck.ts'
import type { JsonObject } from './json.ts'

/** What a finished query left behind: its rows wait in a table of the schema _results until they expire. */
export type Outcome = { readonly schema: readonly Field[]; readonly rows?: string; readonly totalRows: number }

type JobStatus = { readonly state: 'RUNNING' | 'DONE'; readonly errorResult?: object; readonly errors?: readonly object[] }

/** A job as it lies in the catalogue. Times in milliseconds since 1970. */
export type StoredJob = {
  readonly project: string
  readonly id: string
  readonly location: string
  readonly createdAt: number
  readonly endedAt?: number
  readonly configuration: JsonObject
  readonly statistics: JsonObject
  readonly status: JobStatus
  readonly outcome?: Outcome
  /** When its rows are dropped. */
  readonly expiresAt?: number
}

/** Throws `duplicate`: a job's id is used once, also where the job failed (BigQuery: Run jobs programmatically, 'Generate a job ID'). */
export async function insertJob(connection: DuckDBConnection, job: StoredJob, request: string | null): Promise<void> {
  const values = [job.project, job.id, job.createdAt, job.status.state, request, null, JSON.stringify(resource(job)), null]
  await rowsOf(connection, 'INSERT INTO _catalogue.jobs VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', values).catch(error => {
    if (!/constraint/i.test(String(error)) && !isConflict(error)) throw error
    throw new BigQueryError('duplicate', `Already Exists: Job ${job.project}:${job.location}.${job.id}`)
  })
}

/** Writes how the job ended, in the transaction that is open on the connection if there is one. */
export async function finishJob(connection: DuckDBConnection, job: StoredJob): Promise<void> {
  const outcome = job.outcome ? JSON.stringify(job.outcome) : null
  const sql = 'UPDATE _catalogue.jobs SET state = $3, expires = $4, resource = $5, outcome = $6 WHERE project = $1 AND id = $2'
  await rowsOf(connection, sql, [
    job.project,
    job.id,
    job.status.state,
    job.expiresAt ?? null,
    JSON.stringify(resource(job)),
    outcome,
  ])
}

export async function findJob(connection: DuckDBConnection, project: string, id: string): Promise<StoredJob | undefined> {
  const [row] = await rowsOf(connection, 'SELECT * FROM _catalogue.jobs WHERE project = $1 AND id = $2', [project, id])
  return row && read(row)
}

/** The jobs since the given time that a request with an id of its own made. */
export async function requestedJobs(
  connection: DuckDBConnection,
  since: number,
): Promise<{ readonly request: string; readonly job: StoredJob }[]> {
  const sql = 'SELECT * FROM _catalogue.jobs WHERE request IS NOT NULL AND created >= $1 ORDER BY created'
  return (await rowsOf(connection, sql, [since])).map(row => ({ request: String(row.request), job: read(row) }))
}

/** Newest first. */
export async function listJobs(connection: DuckDBConnection, project: string): Promise<StoredJob[]> {
  return (await rowsOf(connection, 'SELECT * FROM _catalogue.jobs WHERE project = $1 ORDER BY created DESC, id', [project])).map(
    read,
  )
}

export async function runningJobs(connection: DuckDBConnection): Promise<StoredJob[]> {
  return (await rowsOf(connection, "SELECT * FROM _catalogue.jobs WHERE state <> 'DONE'")).map(read)
}

export async function deleteJob(connection: DuckDBConnection, job: StoredJob): Promise<void> {
  if (job.outcome?.rows) await connection.run(`DROP TABLE IF EXISTS ${job.outcome.rows}`)
  await rowsOf(connection, 'DELETE FROM _catalogue.jobs WHERE project = $1 AND id = $2', [job.project, job.id])
}

/** Drops the rows of results that have expired, and tables of _results that belong to no job (left by a kill). The jobs stay. */
export async function dropExpiredResults(connection: DuckDBConnection, time: number, alsoStray: boolean): Promise<void> {
  for (const row of await rowsOf(connection, 'SELECT * FROM _catalogue.jobs WHERE expires < $1', [time])) {
    const { outcome, expiresAt: _, ...job } = read(row)
    if (outcome?.rows) await connection.run(`DROP TABLE IF EXISTS ${outcome.rows}`)
    await finishJob(connection, { ...job, outcome: { schema: outcome?.schema ?? [], totalRows: 0 } })
  }
  if (!alsoStray) return
  const kept = await rowsOf(
    connection,
    "SELECT json_extract_string(outcome, '$.rows') AS name FROM _catalogue.jobs WHERE outcome IS NOT NULL",
  )
  const names = kept.map(row => literal(String(row.name).replaceAll('"', ''))).join(', ') || `''`
  const sql = `SELECT table_name AS name FROM duckdb_tables() WHERE schema_name = '_results' AND '_results.' || table_name NOT IN (${names})`
  for (const row of await rowsOf(connection, sql))
    await connection.run(`DROP TABLE IF EXISTS ${quoted('_results', String(row.name))}`)
}

function resource(job: StoredJob): object {
  const { project: _project, id: _id, createdAt: _created, outcome: _outcome, expiresAt: _expires, ...rest } = job
  return rest
}

function read(row: Row): StoredJob {
  const outcome: Outcome | null = row.outcome === null ? null : JSON.parse(String(row.outcome))
  return {
    ...JSON.parse(String(row.resource)),
    project: String(row.project),
    id: String(row.id),
    createdAt: Number(row.created),
    ...(outcome ? { outcome } : {}),
    ...(row.expires === null ? {} : { expiresAt: Number(row.expires) }),
  }
}

import { readFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'

/** A table of so many rows in dataset `inn`: two columns as the founding guide's job reads them; six clusters, 500 dates evenly. */
export async function loadApps(url: string, dir: string, name: string, rows: number, project = 'bench'): Promise<void> {
  await loadTable(
    url,
    project,
    `${dir}/${name}.parquet`,
    name,
    `SELECT (DATE '2024-01-01' + (i % 500)::INTEGER) AS dato, ['dev-gcp','prod-gcp','dev-fss','prod-fss','dev-sbs','prod-sbs'][1 + (i * 7919) % 6] AS cluster FROM range(${rows}) r(i)`,
    [
      { name: 'dato', type: 'DATE', mode: 'REQUIRED' },
      { name: 'cluster', type: 'STRING', mode: 'REQUIRED' },
    ],
  )
}

/** Loads what a DuckDB query gives, through a Parquet file and one resumable upload. */
async function loadTable(
  url: string,
  project: string,
  file: string,
  name: string,
  query: string,
  fields: readonly object[],
): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet)`)
  connection.closeSync()
  const configuration = {
    load: {
      destinationTable: { projectId: project, datasetId: 'inn', tableId: name },
      sourceFormat: 'PARQUET',
      schema: { fields },
    },
  }
  const start = await fetch(`${url}/upload/bigquery/v2/projects/${project}/jobs?uploadType=resumable`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ configuration }),
  })
  const sent = await fetch(start.headers.get('location') ?? '', { method: 'PUT', body: await readFile(file) })
  const { jobReference } = (await sent.json()) as { jobReference: { jobId: string } }
  for (;;) {
    const answer = (await (await fetch(`${url}/bigquery/v2/projects/${project}/jobs/${jobReference.jobId}`)).json()) as {
      status: { state: string; errorResult?: { message: string } }
    }
    if (answer.status.errorResult !== undefined) throw new Error(answer.status.errorResult.message)
    if (answer.status.state === 'DONE') return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

/** One call that must succeed. */
export async function post(url: string, body: unknown): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
}

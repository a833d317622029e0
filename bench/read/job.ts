// One job of the benchmark, a process of its own: `node bench/read/job.ts MODE URL PROJECT [STORAGE]`. Prints its figures as one JSON line.
import { connect } from '../../src/adapters/bigquery/connect.ts'
import { clock } from '../../src/adapters/clock.ts'
import { production } from '../../src/domain/policy.ts'
import { table } from '../../src/domain/source.ts'
import { readChecked } from '../../src/engine/read.ts'
import flagship from '../../src/pipelines/apps-per-env.ts'

const [mode = '', url = '', project = '', storage] = process.argv.slice(2)
const never = new AbortController().signal
const row = flagship.from.apps!.row
const started = performance.now()
const rows = mode === 'bare' ? await bare() : await reader()
const seconds = (performance.now() - started) / 1000
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
process.stdout.write(`${JSON.stringify({ rows, seconds, cpu: (userCPUTime + systemCPUTime) / 1e6, mebibytes: maxRSS / 1024 })}\n`)

/** The least that Node can do: node's own fetch, pages of 10,000 rows parsed as JSON and thrown away. */
async function bare(): Promise<number> {
  const base = `${url}/bigquery/v2/projects/${project}`
  const query = { query: `SELECT dato, cluster FROM \`${project}.inn.apps\``, useLegacySql: false }
  const headers = { 'content-type': 'application/json' }
  const first = await fetch(`${base}/jobs`, { method: 'POST', headers, body: JSON.stringify({ configuration: { query } }) })
  const { jobReference } = (await first.json()) as { jobReference: { jobId: string } }
  let read = 0
  for (let token = ''; ; ) {
    const at = new URLSearchParams({ maxResults: '10000', timeoutMs: '60000', ...(token === '' ? {} : { pageToken: token }) })
    const answer = await fetch(`${base}/queries/${jobReference.jobId}?${at}`)
    const page = (await answer.json()) as { rows?: unknown[]; pageToken?: string }
    read += page.rows?.length ?? 0
    if (page.pageToken === undefined) return read
    token = page.pageToken
  }
}

/** What a run does with a source: read, decoded, every row checked. With an address of the Storage Read API it is a large one. */
async function reader(): Promise<number> {
  const source = table(row, `${project}.inn.apps`, { large: storage !== undefined })
  const reach = { project, environment: 'dev', endpoint: url, storage, policy: production, clock }
  const { reader } = await connect({ ...reach, location: storage === undefined ? 'europe-north1' : 'US' })
  let read = 0
  for await (const page of readChecked('apps', source, reader, { columns: row.columns, slices: null }, never, () => {}))
    read += page.length
  return read
}

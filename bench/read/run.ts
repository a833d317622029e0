// `npm run bench:read [-- rest|storage]`: one table's rows by our reader and by the founding guide's pandas, on one server.
import { execFile, spawnSync } from 'node:child_process'
import { cpus, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nodeFlags } from '../../src/nais/memory.ts'
import { findPython } from '../../test/clients/python/support.ts'
import { findPython as findIndependent, startIndependent } from '../../test/independent/support.ts'
import { loadApps, post } from '../load.ts'
import { startBench } from '../publish/server.ts'
import { compare } from './figures.ts'

const run = promisify(execFile)
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const job = (mode: string, ...at: string[]) => run(process.execPath, [...nodeFlags, here('job.ts'), mode, ...at])
const python = findPython()
const parts = { rest, storage } as const
const named = process.argv.slice(2).filter((name): name is keyof typeof parts => name in parts)

process.stdout.write(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, median of 3\n\n`)
for (const name of named.length > 0 ? named : (Object.keys(parts) as (keyof typeof parts)[])) await parts[name]()

/** Pages of the REST API, on our local server. */
async function rest(): Promise<void> {
  const rows = 1_000_000
  const { url, dir, stop } = await startBench()
  try {
    await makeDataset(url, 'bench')
    await loadApps(url, dir, 'apps', rows)
    await compare(rows, {
      'bare pages': () => job('bare', url, 'bench'),
      'our reader': () => job('reader', url, 'bench'),
      ...(python === undefined ? {} : { pandas_gbq: () => run(python, ['-W', 'ignore', here('pandas_job.py'), url, 'apps']) }),
    })
  } finally {
    await stop()
  }
}

/** The Storage Read API, on the independent server. Python's client of it is no part of the tests' environment: pip install google-cloud-bigquery-storage. */
async function storage(): Promise<void> {
  const independent = findIndependent()
  if (independent === undefined) return
  const hasClient = python !== undefined && spawnSync(python, ['-c', 'import google.cloud.bigquery_storage']).status === 0
  const rows = 5_000_000
  const { url, storage: at = '', stop } = await startIndependent(independent)
  try {
    await makeDataset(url, 'test-project')
    await loadApps(url, tmpdir(), 'apps', rows, 'test-project')
    await compare(rows, {
      'our reader': () => job('reader', url, 'test-project', at),
      ...(hasClient ? { pandas: () => run(python, ['-W', 'ignore', here('pandas_storage.py'), url, at, 'apps']) } : {}),
    })
  } finally {
    await stop()
  }
}

async function makeDataset(url: string, project: string): Promise<void> {
  await post(`${url}/bigquery/v2/projects/${project}/datasets`, { datasetReference: { projectId: project, datasetId: 'inn' } })
}

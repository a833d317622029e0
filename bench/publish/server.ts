import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connect } from '../../src/adapters/bigquery/connect.ts'
import { clock } from '../../src/adapters/clock.ts'
import { production } from '../../src/domain/policy.ts'

/** The local BigQuery in a process of its own, with the datasets `ut` and `ut_etl` in project `bench`. */
export type Bench = {
  readonly url: string
  readonly dir: string
  readonly pid: number
  /** Runs a statement under the project's own client; gives the rows. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  stop(): Promise<void>
}

/** Starts it in a folder that is deleted afterwards. */
export async function startBench(): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-publish-'))
  const main = fileURLToPath(new URL('../../src/local/main.ts', import.meta.url))
  const server = spawn(process.execPath, [main, '--port', '0', '--dir', join(dir, 'data'), '--exit-with-stdin'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>(resolve =>
    createInterface({ input: server.stdout }).on('line', line => {
      const found = /ready at (\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    }),
  )
  for (const datasetId of ['ut', 'ut_etl']) {
    const answer = await fetch(`${url}/bigquery/v2/projects/bench/datasets`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ datasetReference: { projectId: 'bench', datasetId } }),
    })
    if (!answer.ok) throw new Error(await answer.text())
  }
  const { warehouse } = await connect({
    project: 'bench',
    environment: 'dev',
    location: 'europe-north1',
    endpoint: url,
    policy: production,
    clock,
  })
  return {
    url,
    dir,
    pid: server.pid ?? 0,
    sql: async text => (await warehouse.ask(text)).rows,
    async stop() {
      server.kill('SIGTERM')
      await new Promise(resolve => server.once('exit', resolve))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

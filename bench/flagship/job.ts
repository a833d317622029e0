// One job of the benchmark, a process of its own: `node bench/flagship/job.ts MODE URL TABLE`. Prints its figures as one JSON line.
import { connect } from '../../src/adapters/bigquery/connect.ts'
import { clock } from '../../src/adapters/clock.ts'
import { readConfig } from '../../src/config.ts'
import { production } from '../../src/domain/policy.ts'
import { table } from '../../src/domain/source.ts'
import { run } from '../../src/engine/run.ts'
import flagship from '../../src/pipelines/apps-per-env.ts'
import { wire } from '../../src/wire.ts'

type Mode = 'scan' | 'plain' | 'frame' | 'sql'
const [mode, url, name] = process.argv.slice(2) as [Mode, string, string]
const source = table(flagship.from.apps!.row, `bench.inn.${name}`)
const never = new AbortController().signal
const started = performance.now()
const rows = mode === 'scan' ? await scan() : await job()
process.stdout.write(
  `${JSON.stringify({ rows, seconds: (performance.now() - started) / 1000, mebibytes: process.resourceUsage().maxRSS / 1024 })}\n`,
)

/** The bare scan: the same query by the same client, every page fetched and parsed as JSON, nothing else. */
async function scan(): Promise<number> {
  const { scan } = await connect({
    project: 'bench',
    environment: 'dev',
    location: 'europe-north1',
    endpoint: url,
    policy: production,
    clock,
  })
  let rows = 0
  for await (const page of scan(source, { columns: source.row.columns, slices: null }, never)) rows += page.length
  return rows
}

async function job(): Promise<number> {
  const { ports, settings, request } = await wire(
    readConfig({ project: 'bench' }, { env: { BIGQUERY_EMULATOR_HOST: url }, stdout: process.stdout, cwd: process.cwd() }),
    { report: 'quiet' },
  )
  const transforms = { plain: { kind: 'rows', rows: plain }, frame: flagship.transform, sql: flagship.twin } as const
  const pipeline = {
    ...flagship,
    name: `bench-${mode}`,
    from: { apps: source },
    to: { ...flagship.to, dataset: 'ut', table: `${name}_${mode}_${request.attempt}` },
    transform: transforms[mode as 'plain'] as typeof flagship.transform,
  }
  const outcome = await run(pipeline, request, ports, settings, never)
  return outcome.rows
}

/** The same count without a library: one Map a slice. */
function plain({ apps }: Readonly<Record<string, readonly Record<string, unknown>[]>>) {
  const counts = new Map<string, { dato: string; env: string; datacenter: string; antall_apper: number }>()
  for (const { dato, cluster } of (apps ?? []) as { dato: string; cluster: string }[]) {
    const env = cluster.includes('prod') ? 'prod' : 'dev'
    const datacenter = cluster.includes('gcp') ? 'gcp' : 'on_prem'
    const key = `${dato} ${env} ${datacenter}`
    const found = counts.get(key)
    if (found === undefined) counts.set(key, { dato, env, datacenter, antall_apper: 1 })
    else found.antall_apper++
  }
  return [...counts.values()]
}

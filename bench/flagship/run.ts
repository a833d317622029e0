// `npm run bench:flagship [-- ROWS …]`: the flagship over tables of different sizes, each mode beside a bare scan in the same run.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nodeFlags } from '../../src/nais/memory.ts'
import { loadApps, post } from '../load.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const sizes = process.argv.slice(2).map(Number)
const dates = 500
const repeats = 3
/** The evaluator takes 4 MiB a request, which these rows reach between the two. */
const sqlLimit = 100_000

type Figures = { rows: number; seconds: number; mebibytes: number }

const dir = await mkdtemp(join(tmpdir(), 'bench-flagship-'))
const server = spawn(
  process.execPath,
  [join(here, '../../src/local/main.ts'), '--port', '0', '--dir', join(dir, 'data'), '--exit-with-stdin'],
  {
    stdio: ['pipe', 'pipe', 'inherit'],
  },
)
try {
  const url = await new Promise<string>(resolve =>
    createInterface({ input: server.stdout }).on('line', line => {
      const found = /ready at (\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    }),
  )
  for (const dataset of ['inn', 'ut', 'ut_etl'])
    await post(`${url}/bigquery/v2/projects/bench/datasets`, { datasetReference: { projectId: 'bench', datasetId: dataset } })
  process.stdout.write(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${dates} dates, median of ${repeats}\n\n`,
  )
  process.stdout.write('| rows | mode | seconds | × bare scan | peak MiB |\n|---:|---|---:|---:|---:|\n')
  for (const rows of sizes.length > 0 ? sizes : [10_000, 100_000, 1_000_000, 5_000_000]) {
    const name = `apps_${rows}`
    await loadApps(url, dir, name, rows)
    const modes = ['scan', 'plain', 'frame', ...(rows <= sqlLimit ? ['sql'] : [])]
    const figures = new Map<string, Figures[]>(modes.map(mode => [mode, []]))
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const mode of modes) figures.get(mode)?.push(await job(mode, url, name))
    }
    const bare = median(figures.get('scan') ?? [], 'seconds')
    for (const mode of modes) {
      const found = figures.get(mode) ?? []
      const seconds = median(found, 'seconds')
      process.stdout.write(
        `| ${rows.toLocaleString('en')} | ${mode} | ${seconds.toFixed(2)} | ${(seconds / bare).toFixed(2)} | ${Math.round(median(found, 'mebibytes'))} |\n`,
      )
    }
  }
} finally {
  server.kill('SIGTERM')
  await new Promise(resolve => server.once('exit', resolve))
  await rm(dir, { recursive: true, force: true })
}

async function job(mode: string, url: string, name: string): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, join(here, 'job.ts'), mode, url, name])
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures
}

function median(found: readonly Figures[], key: keyof Figures): number {
  const sorted = found.map(figures => figures[key]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

// `npm run bench:read [-- ROWS …]`: one table's rows by our reader, by a bare page reader, and by the founding guide's pandas_gbq, on one server.
import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nodeFlags } from '../../src/nais/memory.ts'
import { findPython } from '../../test/clients/python/support.ts'
import { loadApps, post } from '../load.ts'
import { startBench } from '../publish/server.ts'

type Figures = { readonly rows: number; readonly seconds: number; readonly cpu: number; readonly mebibytes: number }

const run = promisify(execFile)
const repeats = 3
const sizes = process.argv.slice(2).map(Number)
const python = findPython()
const ours = fileURLToPath(new URL('job.ts', import.meta.url))
const theirs = fileURLToPath(new URL('pandas_job.py', import.meta.url))
const modes: Record<string, (url: string, name: string) => Promise<{ stdout: string }>> = {
  bare: (url, name) => run(process.execPath, [ours, 'bare', url, name]),
  reader: (url, name) => run(process.execPath, [...nodeFlags, ours, 'reader', url, name]),
  ...(python === undefined ? {} : { pandas_gbq: (url, name) => run(python, ['-W', 'ignore', theirs, url, name]) }),
}

const bench = await startBench()
try {
  await post(`${bench.url}/bigquery/v2/projects/bench/datasets`, { datasetReference: { projectId: 'bench', datasetId: 'inn' } })
  process.stdout.write(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, median of ${repeats}\n\n`)
  process.stdout.write('| rows | by | seconds | × bare pages | processor seconds | peak MiB |\n|---:|---|---:|---:|---:|---:|\n')
  for (const rows of sizes.length > 0 ? sizes : [1_000_000]) {
    const name = `apps_${rows}`
    await loadApps(bench.url, bench.dir, name, rows)
    const figures = new Map<string, Figures[]>(Object.keys(modes).map(mode => [mode, []]))
    for (let repeat = 0; repeat < repeats; repeat++)
      for (const [mode, job] of Object.entries(modes)) figures.get(mode)?.push(figuresOf(await job(bench.url, name), rows))
    const bare = median(figures.get('bare') ?? [], 'seconds')
    for (const [mode, found] of figures) {
      const seconds = median(found, 'seconds')
      const cells = [
        rows.toLocaleString('en'),
        mode,
        seconds.toFixed(2),
        (seconds / bare).toFixed(2),
        median(found, 'cpu').toFixed(2),
      ]
      process.stdout.write(`| ${cells.join(' | ')} | ${Math.round(median(found, 'mebibytes'))} |\n`)
    }
  }
} finally {
  await bench.stop()
}

function figuresOf({ stdout }: { stdout: string }, rows: number): Figures {
  const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures
  if (figures.rows !== rows) throw new Error(`${figures.rows} rows were read instead of ${rows}`)
  return figures
}

function median(found: readonly Figures[], key: keyof Figures): number {
  const sorted = found.map(figures => figures[key]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

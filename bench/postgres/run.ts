// `npm run bench:postgres [-- ROWS] [--peers]`: a table of a real Postgres to the stage's Parquet and to a published table, beside bare COPYs to nowhere.
import { execFile } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { startPostgres } from '../../src/local/postgres/process.ts'
import { nodeFlags } from '../../src/nais/memory.ts'
import { startBench } from '../publish/server.ts'
import { peers } from './peers.ts'
import { fillSql } from './rows.ts'

type Figures = { readonly rows: number; readonly seconds: number; readonly cpu: number; readonly mebibytes: number }

const run = promisify(execFile)
const job = fileURLToPath(new URL('job.ts', import.meta.url))
const words = process.argv.slice(2)
const count = Number(words.find(word => /^\d+$/.test(word)) ?? 5_000_000)
const modes = ['csv COPY', 'binary COPY', 'parquet', 'published', 'each']

const server = await startPostgres({ shared_buffers: '256MB', max_wal_size: '4GB' })
const bench = await startBench()
try {
  const url = `postgres://${server.user}:${server.password}@127.0.0.1:${server.port}/postgres`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const statement of fillSql(count).split(';\n')) await client.query(statement)
  await client.end()
  const load = loadavg()[0]?.toFixed(1)
  process.stdout.write(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${load}, ${count.toLocaleString('en')} rows\n\n`,
  )
  process.stdout.write('| by | seconds | × csv COPY | processor seconds | peak MiB | rows/s |\n|---|---:|---:|---:|---:|---:|\n')
  let bare = Number.NaN
  const line = (name: string, { rows, seconds, cpu, mebibytes }: Figures) => {
    if (rows !== count) throw new Error(`${name}: ${rows} rows were read instead of ${count}`)
    const ratio = seconds / bare
    const cells = [name, seconds.toFixed(1), ratio.toFixed(2), cpu.toFixed(1), Math.round(mebibytes), Math.round(rows / seconds)]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  }
  for (const mode of modes) {
    const { stdout } = await run(process.execPath, [...nodeFlags, job, mode, url, bench.url])
    const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures
    if (mode === 'csv COPY') bare = figures.seconds
    line(mode, figures)
  }
  if (words.includes('--peers')) for (const [name, work] of Object.entries(peers)) line(name, await work(url))
} finally {
  await bench.stop()
  await server.stop()
}

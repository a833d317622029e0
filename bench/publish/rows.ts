import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { nodeFlags } from '../../src/nais/memory.ts'
import { startProxy } from '../../test/support/proxy.ts'
import type { Bench } from './server.ts'

const mostMebibytes = 256
const million = 5

/**
 * A result of five million rows through a job of its own: spooled, staged in parts, audited by count and hash, published; beside a bare COPY of the same rows
 * to Parquet. @returns what is wrong, if the job took more memory than it may.
 */
export async function rows({ url, sql, dir }: Bench): Promise<string | undefined> {
  const count = million * 1_000_000
  const job = fileURLToPath(new URL('job.ts', import.meta.url))
  const proxy = await startProxy(url)
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, job, proxy.url, String(count)])
  await proxy.close()
  const made = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures
  const parts = proxy.seen.filter(({ method, query }) => method === 'POST' && query.has('uploadType')).length
  const copy = await bareCopy(`${dir}/bare.parquet`, count)
  const [found] = await sql(
    `SELECT rows_written, content_hash FROM ut_etl.runs WHERE event = 'published' AND target = 'bench.ut.large'`,
  )
  const [there] = await sql('SELECT COUNT(*) AS n FROM ut.large')

  process.stdout.write(`rows: ${count.toLocaleString('en')} rows of six columns, made in the job, into one table\n`)
  process.stdout.write('| what | seconds | × bare COPY |\n|---|---:|---:|\n')
  const line = (what: string, seconds: number) => `| ${what} | ${seconds.toFixed(1)} | ${(seconds / copy).toFixed(1)} |\n`
  process.stdout.write(line('bare COPY of the same rows to Parquet (DuckDB, one thread)', copy))
  process.stdout.write(line('rows made, checked, spooled, hashed; sent and loaded', made.staged))
  process.stdout.write(line('audited: every promise, count and hash', made.audited))
  process.stdout.write(line('published: the table and its history', made.published))
  process.stdout.write(
    `peak ${Math.round(made.mebibytes)} MiB resident (at most ${mostMebibytes}), ${parts} parts, ${proxy.seen.length} calls, hash ${found?.content_hash}\n`,
  )
  if (Number(there?.n) !== count || Number(found?.rows_written) !== count) return `${there?.n} rows in the table, not ${count}`
  return made.mebibytes <= mostMebibytes ? undefined : `${Math.round(made.mebibytes)} MiB, at most ${mostMebibytes} are allowed`
}

type Figures = { staged: number; audited: number; published: number; mebibytes: number }

async function bareCopy(path: string, count: number): Promise<number> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  const number = (factor: number) => `((i * ${factor}) % 4294967296)`
  const started = performance.now()
  await connection.run(
    `COPY (SELECT i AS id, 'app-' || ${number(0x9e3779b1)} || '-' || ${number(0x85ebca6b)} AS app, CASE WHEN i % 3 = 0 THEN 'prod-gcp' ELSE 'dev-gcp' END AS cluster,
            DATE '2024-01-01' + (i % 500)::INTEGER AS dato, i / 7 AS share, i % 2 = 0 AS seen FROM range(${count}) r(i)) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`,
  )
  const seconds = (performance.now() - started) / 1000
  connection.closeSync()
  return seconds
}

// `npm run bench:incremental [-- ROWS …]`: what 50,000 changes cost in a table of a million and of five million rows: the read of the source, and the whole run, also in processor seconds of job and local BigQuery.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import pg from 'pg'
import * as z from 'zod'
import { readConfig } from '../../src/config.ts'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { run } from '../../src/engine/run.ts'
import { bq, dataset, merge, pipeline, postgres, row, pg as sql } from '../../src/index.ts'
import { startPostgres } from '../../src/local/postgres/process.ts'
import { wire } from '../../src/wire.ts'
import { startBench } from '../publish/server.ts'

const changes = 50_000
const sizes = process.argv.slice(2).map(Number)
const Sak = row({ sak_id: bq.int64(), status: z.enum(['APEN', 'LUKKET']), oppdatert: bq.timestamp() }, { key: ['sak_id'] })

const pipe: NamedPipeline = {
  ...pipeline({
    schedule: '0 5 * * *',
    from: {
      sak: postgres(Sak, 'BENCH', sql`SELECT sak_id, status, oppdatert FROM sak`).changedBy('oppdatert', {
        overlap: '0 s',
        deletes: 'none',
      }),
    },
    to: dataset('ut').table('sak', Sak),
    write: merge({ history: 'none' }),
  }),
  name: 'sak',
}

// Both tables fit: what a disk takes to find changed rows in old pages is not ours.
const server = await startPostgres({ shared_buffers: '1GB' })
const databaseOf = (name: string) => `postgres://${server.user}:${server.password}@127.0.0.1:${server.port}/${name}`
const bench = await startBench()
try {
  const found: { rows: number; read: number; whole: number; processor: number }[] = []
  for (const rows of sizes.length > 0 ? sizes : [1_000_000, 5_000_000]) {
    const figures = await measured(rows)
    found.push({ rows, ...figures })
    process.stdout.write(`${JSON.stringify(found.at(-1))}\n`)
  }
  const [first, last] = [found[0], found.at(-1)]
  if (first !== undefined && last !== undefined && first !== last)
    process.stdout.write(
      `read × ${(last.read / first.read).toFixed(2)}, whole run × ${(last.whole / first.whole).toFixed(2)}, processor × ${(last.processor / first.processor).toFixed(2)}\n`,
    )
} finally {
  await bench.stop()
  await server.stop()
}

/** Median seconds of three: the window and its rows into nothing; a whole run of the same, and what it takes of the processors. */
async function measured(rows: number): Promise<{ read: number; whole: number; processor: number }> {
  const name = `bench_${rows}`
  await withClient('postgres', client => client.query(`CREATE DATABASE ${name}`))
  await withClient(name, client =>
    client.query(`CREATE TABLE sak AS SELECT i::bigint AS sak_id, 'APEN'::text AS status, now() - interval '30 days' AS oppdatert FROM generate_series(1, ${rows}) i;
      ALTER TABLE sak ADD PRIMARY KEY (sak_id); CREATE INDEX ON sak (oppdatert); ANALYZE sak`),
  )
  const target = { ...pipe, to: { ...pipe.to, table: `sak_${rows}` } }
  await published(target, name)
  const [reads, wholes, processors]: number[][] = [[], [], []]
  for (let round = 0; round < 3; round++) {
    await withClient(name, client =>
      client.query(`UPDATE sak SET status = CASE status WHEN 'APEN' THEN 'LUKKET' ELSE 'APEN' END, oppdatert = now()
        WHERE sak_id % ${Math.floor(rows / changes)} = ${round % Math.floor(rows / changes)}`),
    )
    // Older than the margin that a read keeps from now.
    await new Promise(resolve => setTimeout(resolve, 6000))
    reads?.push(await readOnly(target, name))
    const before = processorSeconds()
    wholes?.push(await timed(() => published(target, name)))
    processors?.push(processorSeconds() - before)
  }
  return { read: median(reads ?? []), whole: median(wholes ?? []), processor: median(processors ?? []) }
}

async function published(target: NamedPipeline, database: string): Promise<void> {
  const { ports, settings, request } = await world(database)
  await run(target, request, ports, settings, new AbortController().signal)
}

/** Seconds from the question for the window to the last row. */
async function readOnly(target: NamedPipeline, database: string): Promise<number> {
  const { ports } = await world(database)
  const source = target.from.sak
  if (source?.kind !== 'postgres') throw new Error('no Postgres')
  const { rows } = await ports.warehouse.ask(`SELECT cursor FROM \`bench.ut_etl.head__${target.to.table}\``)
  const mark = JSON.parse(String(rows[0]?.cursor)).sak
  const begin = performance.now()
  const window = await ports.readers.postgres.window!(source, mark)
  let count = 0
  for await (const page of ports.readers.postgres.read(
    source,
    { columns: Sak.columns, slices: null, window },
    new AbortController().signal,
  ))
    count += page.length
  const seconds = (performance.now() - begin) / 1000
  await ports.readers.postgres.end?.()
  if (count !== changes) throw new Error(`${count} rows instead of ${changes}`)
  return seconds
}

async function world(database: string) {
  const env = { BIGQUERY_EMULATOR_HOST: bench.url, GOOGLE_CLOUD_PROJECT: 'bench', BENCH_URL: databaseOf(database) }
  return wire(readConfig({}, { env, stdout: process.stdout, cwd: process.cwd() }), { report: 'quiet' })
}

async function withClient(database: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseOf(database) })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

/** Of this process and the local BigQuery's, so far (Linux: proc_pid_stat(5), utime and stime in hundredths); Postgres' are not in it. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  const fields = readFileSync(`/proc/${bench.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (user + system) / 1e6 + (Number(fields[11]) + Number(fields[12])) / 100
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1000
}

function median(values: readonly number[]): number {
  return Number([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]?.toFixed(2))
}

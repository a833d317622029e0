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
  const cases = (sizes.length > 0 ? sizes : [1_000_000, 5_000_000]).map(rows => ({ ...caseOf(rows), rounds: [] as Figures[] }))
  for (const each of cases) await prepare(each)
  // In turn, so that all meet the same machine.
  for (let round = 0; round < 5; round++) for (const each of cases) each.rounds.push(await measured(each, round))
  const found = cases.map(({ rows, rounds }) => ({ rows, ...medians(rounds) }))
  for (const each of found) process.stdout.write(`${JSON.stringify(each)}\n`)
  const [first, last] = [found[0], found.at(-1)]
  if (first !== undefined && last !== undefined && first !== last)
    process.stdout.write(
      `read × ${(last.read / first.read).toFixed(2)}, whole run × ${(last.whole / first.whole).toFixed(2)}, processor × ${(last.processor / first.processor).toFixed(2)}\n`,
    )
} finally {
  await bench.stop()
  await server.stop()
}

type Case = ReturnType<typeof caseOf>
/** Seconds: the window and its rows into nothing; a whole run of the same, and what it takes of the processors. */
type Figures = { readonly read: number; readonly whole: number; readonly processor: number }

function caseOf(rows: number) {
  return { rows, database: `bench_${rows}`, target: { ...pipe, to: { ...pipe.to, table: `sak_${rows}` } } }
}

/** Fills the source and publishes it whole; what Postgres would tidy up later, it does now. */
async function prepare({ rows, database, target }: Case): Promise<void> {
  await withClient('postgres', client => client.query(`CREATE DATABASE ${database}`))
  await withClient(database, async client => {
    await client.query(`CREATE TABLE sak AS SELECT i::bigint AS sak_id, 'APEN'::text AS status, now() - interval '30 days' AS oppdatert FROM generate_series(1, ${rows}) i;
      ALTER TABLE sak ADD PRIMARY KEY (sak_id); CREATE INDEX ON sak (oppdatert)`)
    await client.query('VACUUM ANALYZE sak')
    await client.query('CHECKPOINT')
  })
  await published(target, database)
}

async function measured({ rows, database, target }: Case, round: number): Promise<Figures> {
  const step = Math.floor(rows / changes)
  await withClient(database, client =>
    client.query(`UPDATE sak SET status = CASE status WHEN 'APEN' THEN 'LUKKET' ELSE 'APEN' END, oppdatert = now()
      WHERE sak_id % ${step} = ${round % step}`),
  )
  // Older than the margin that a read keeps from now.
  await new Promise(resolve => setTimeout(resolve, 6000))
  const read = await readOnly(target, database)
  const before = processorSeconds()
  const whole = await timed(() => published(target, database))
  return { read, whole, processor: processorSeconds() - before }
}

function medians(rounds: readonly Figures[]): Figures {
  const of = (figure: keyof Figures) => median(rounds.map(each => each[figure]))
  return { read: of('read'), whole: of('whole'), processor: of('processor') }
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

// One way of reading the table of rows.ts, in a process of its own: what it took, as a line of JSON.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { clock } from '../../src/adapters/clock.ts'
import { openBulk } from '../../src/adapters/parquet/bulk.ts'
import { openRows } from '../../src/adapters/parquet/rows.ts'
import { createPostgresReader } from '../../src/adapters/postgres/reader.ts'
import { readConfig } from '../../src/config.ts'
import { production } from '../../src/domain/policy.ts'
import type { PostgresSource } from '../../src/domain/source.ts'
import { run } from '../../src/engine/run.ts'
import { transformed } from '../../src/engine/transform.ts'
import { wire } from '../../src/wire.ts'
import { bulk, each } from './rows.ts'

const [mode = '', url = '', bigquery = ''] = process.argv.slice(2)
const signal = new AbortController().signal
const reader = createPostgresReader({ variables: () => ({ URL: url }), policy: production, clock })
const directory = await mkdtemp(join(tmpdir(), 'bench-postgres-'))

const modes: Readonly<Record<string, () => Promise<{ rows: number; bytes?: number }>>> = {
  'csv COPY': () => bareCopy('csv'),
  'binary COPY': () => bareCopy('binary'),
  async parquet() {
    const source = bulk.from.maalinger as PostgresSource
    const writer = await openBulk(source.row.columns, { directory })
    const pages = reader.bulk?.(source, { columns: source.row.columns, slices: null }, signal) ?? []
    for await (const page of pages) await writer.write(page)
    return sized(await writer.finish())
  },
  async each() {
    const writer = await openRows(each.to.row.columns, { directory })
    const pages = transformed(
      each,
      { scope: null, windows: {}, moment: null },
      { readers: { postgres: reader } as never },
      signal,
      () => {},
    )
    for await (const page of pages) await writer.write(page)
    return sized(await writer.finish())
  },
  async published() {
    const env = { BIGQUERY_EMULATOR_HOST: bigquery, GOOGLE_CLOUD_PROJECT: 'bench', BENCH_DB_URL: url }
    const { ports, settings, request } = await wire(readConfig({}, { env, stdout: process.stdout, cwd: directory }), {
      report: 'quiet',
    })
    return run(bulk, request, ports, settings, signal)
  },
}

const started = performance.now()
const { rows, bytes } = (await modes[mode]?.()) ?? { rows: 0 }
const seconds = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage()
process.stdout.write(
  `${JSON.stringify({ rows, seconds, cpu: (user + system) / 1e6, mebibytes: process.resourceUsage().maxRSS / 1024, bytes })}\n`,
)
await reader.end?.()
await rm(directory, { recursive: true, force: true })

async function sized({ files, rows }: { files: readonly string[]; rows: number }) {
  const sizes = await Promise.all(files.map(async file => (await stat(file)).size))
  return { rows, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** All bytes of the answer to nowhere: they are not looked at, but for the last message. */
async function bareCopy(format: 'csv' | 'binary'): Promise<{ rows: number; bytes: number }> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const { stream, query } = (client as unknown as { connection: { stream: Socket; query(sql: string): void } }).connection
  const { connection } = client as unknown as { connection: object }
  stream.removeAllListeners('data')
  const text = (bulk.from.maalinger as PostgresSource).query.text
  const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])
  let bytes = 0
  let tail = Buffer.alloc(0)
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject).on('data', chunk => {
      bytes += chunk.length
      tail = chunk.length < 64 ? Buffer.concat([tail, chunk]).subarray(-64) : chunk.subarray(-64)
      if (tail.subarray(-6).equals(ready)) resolve()
    })
    query.call(connection, `COPY (${text}) TO STDOUT (FORMAT ${format})`)
  })
  stream.destroy()
  const done = /COPY (\d+)\0/.exec(tail.toString('latin1'))
  return { rows: Number(done?.[1]), bytes }
}

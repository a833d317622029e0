import { randomBytes } from 'node:crypto'
import type { Context, World } from './cli/command.ts'
import { type Config, projectOf } from './config.ts'
import type { EtlError } from './domain/error.ts'
import type { Clock } from './ports/clock.ts'
import type { Report } from './ports/report.ts'

export { cluster } from './adapters/kubectl/cluster.ts'

/** Which adapter stands behind which port. Heavy ones are loaded here, by the commands that use them. Each call is a new attempt. */
export async function wire(config: Config, options: NonNullable<Parameters<Context['world']>[0]> = {}): Promise<World> {
  const { connect } = await import('./adapters/bigquery/connect.ts')
  const { createSpool } = await import('./adapters/duckdb/spool.ts')
  const { areFlat, openRows } = await import('./adapters/parquet/rows.ts')
  const { openBulk } = await import('./adapters/parquet/bulk.ts')
  const { createPostgresReader } = await import('./adapters/postgres/reader.ts')
  const { createFileReader } = await import('./adapters/files/reader.ts')
  const { clock } = await import('./adapters/clock.ts')
  const { environment, location, policy, codeSha, user, podName, naisjob } = config
  const attempt = randomBytes(3).toString('hex')
  const spool = createSpool({ directory: config.temporary })
  const endpoint = options.endpoint ?? config.endpoint
  const project = endpoint === undefined ? projectOf(config) : (config.project ?? 'local')
  const reach = { project, location, endpoint, policy, clock }
  const bigquery = await connect({ ...reach, environment })
  return {
    ports: {
      readers: {
        table: bigquery.reader,
        file: createFileReader({ root: config.root, environment }),
        self: bigquery.self,
        query: bigquery.query,
        external: bigquery.external,
        postgres: createPostgresReader({ variables: variablesOf(config, options.databases), policy, clock }),
      },
      warehouse: bigquery.warehouse,
      spool: {
        open: columns => (areFlat(columns) ? openRows(columns, { directory: config.temporary }) : spool.open(columns)),
        openBulk: columns => openBulk(columns, { directory: config.temporary }),
      },
      clock,
      report: await reportOf(config, options.report),
    },
    settings: { environment, project, location, codeSha, policy, ...deadlineOf(config, clock) },
    examiner: async () => (await import('./adapters/bigquery/doctor.ts')).createExaminer(reach),
    request: { user, attempt, ...(podName === undefined ? {} : { podName }), ...(naisjob === undefined ? {} : { naisjob }) },
  }
}

/** Where a database is: one of our own, or as the environment says. */
function variablesOf({ variables }: Config, databases: Readonly<Record<string, string>> = {}): Config['variables'] {
  return prefix => (databases[prefix] === undefined ? variables(prefix) : { URL: databases[prefix] })
}

function deadlineOf({ deadlineSeconds: seconds }: Config, clock: Clock): Pick<World['settings'], 'deadline'> {
  if (seconds === undefined) return {}
  return { deadline: { seconds, processBegan: clock.now().getTime() - process.uptime() * 1000 } }
}

/** A failure outside any run, as the log line that a run would have written. */
export async function logFailure(error: EtlError, published: false | 'unknown'): Promise<void> {
  const { createJsonReport } = await import('./adapters/report/json.ts')
  const { clock } = await import('./adapters/clock.ts')
  createJsonReport({ clock }).event({
    kind: 'failed',
    pipeline: error.where.pipeline ?? '',
    run: '',
    attempt: '',
    error,
    published,
  })
}

/** A terminal gets progress and colours, everything else one JSON object a line. */
async function reportOf(config: Config, kind: 'human' | 'quiet' | undefined): Promise<Report> {
  if (kind === 'quiet') return { event: () => undefined }
  if (kind === 'human' || (config.terminal.interactive && !config.json)) {
    const { createTerminalReport } = await import('./adapters/report/terminal.ts')
    return createTerminalReport({ write: text => void process.stdout.write(text), ...config.terminal })
  }
  const { createJsonReport } = await import('./adapters/report/json.ts')
  const { clock } = await import('./adapters/clock.ts')
  return createJsonReport({ clock })
}

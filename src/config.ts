import { tmpdir, userInfo } from 'node:os'
import * as z from 'zod'
import { EtlError } from './domain/error.ts'
import { type Policy, production, scaled } from './domain/policy.ts'

/** What the command line may say about the world; every command takes these. */
export type WorldFlags = { readonly env?: string; readonly project?: string; readonly json?: boolean }

/** Environment and flags, merged once, frozen. Nothing else in src reads process.env. */
export type Config = {
  readonly root: string
  readonly environment: string
  /** undefined: nobody said. */
  readonly project: string | undefined
  /** Who said so: a flag, a variable, or nobody. */
  readonly said: { readonly environment: string; readonly project: string; readonly location: string }
  readonly location: string
  /** The address of a local BigQuery; undefined is the service. */
  readonly endpoint: string | undefined
  readonly podName: string | undefined
  readonly naisjob: string | undefined
  readonly user: string
  readonly codeSha: string
  readonly policy: Policy
  /** How long the Job may take, in seconds; undefined where nobody limits it. */
  readonly deadlineSeconds: number | undefined
  readonly temporary: string
  /** The variables that begin with `<prefix>_`, without it: where a database is. */
  readonly variables: (prefix: string) => Readonly<Record<string, string | undefined>>
  readonly json: boolean
  readonly terminal: { readonly interactive: boolean; readonly colours: boolean; readonly columns: number }
}

const empty = (text: string | undefined) => (text === '' ? undefined : text)
const Environment = z.object({
  BIGQUERY_EMULATOR_HOST: z.string().optional().transform(empty),
  GOOGLE_CLOUD_PROJECT: z.string().optional().transform(empty),
  GCP_TEAM_PROJECT_ID: z.string().optional().transform(empty),
  NAIS_CLUSTER_NAME: z.string().optional().transform(empty),
  NAIS_POD_NAME: z.string().optional().transform(empty),
  NAIS_APP_NAME: z.string().optional().transform(empty),
  NAIS_APP_IMAGE: z.string().optional().transform(empty),
  GITHUB_SHA: z.string().optional().transform(empty),
  ETL_LOCATION: z.string().optional().transform(empty),
  ETL_WAIT_FACTOR: z.coerce.number('expected a number').positive('expected a number above 0').optional(),
  ETL_DEADLINE_SECONDS: z.preprocess(
    value => (value === '' ? undefined : value),
    z.coerce
      .number('expected a number of seconds')
      .int('expected whole seconds')
      .positive('expected seconds above 0')
      .max(2_000_000 /* a timer of Node counts to 2^31 milliseconds */, 'expected at most 2 000 000 seconds')
      .optional(),
  ),
  NO_COLOR: z.string().optional().transform(empty),
})

/**
 * Reads the environment.
 * @throws EtlError `config`: which variable, what is wrong with it.
 */
export function readConfig(
  flags: WorldFlags,
  world: { readonly env: NodeJS.ProcessEnv; readonly stdout: NodeJS.WriteStream; readonly cwd: string } = process_(),
): Config {
  const parsed = Environment.safeParse(world.env)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new EtlError('config', `the environment variable ${issue?.path.join('.')}: ${issue?.message}.`)
  }
  const env = parsed.data
  const endpoint = env.BIGQUERY_EMULATOR_HOST === undefined ? undefined : endpointOf(env.BIGQUERY_EMULATOR_HOST)
  if (flags.env !== undefined && !['dev', 'prod'].includes(flags.env)) {
    throw new EtlError('usage', `--env ${flags.env}: there are dev and prod.`)
  }
  const [environment, environmentSaid] = first<string>(
    [flags.env, '--env'],
    [flags.env === undefined ? environmentOf(env.NAIS_CLUSTER_NAME) : undefined, `NAIS_CLUSTER_NAME=${env.NAIS_CLUSTER_NAME}`],
    ['dev', 'nobody said, so dev'],
  )
  const [project, projectSaid] = first<string | undefined>(
    [flags.project, '--project'],
    [env.GOOGLE_CLOUD_PROJECT, 'GOOGLE_CLOUD_PROJECT'],
    [env.GCP_TEAM_PROJECT_ID, 'GCP_TEAM_PROJECT_ID'],
    [endpoint === undefined ? undefined : 'local', 'BIGQUERY_EMULATOR_HOST'],
    [undefined, 'nobody'],
  )
  const [location, locationSaid] = first<string>(
    [env.ETL_LOCATION, 'ETL_LOCATION'],
    ['europe-north1', 'nobody said, so where nais makes datasets'],
  )
  return Object.freeze({
    root: world.cwd,
    environment,
    project,
    said: { environment: environmentSaid, project: projectSaid, location: locationSaid },
    location,
    endpoint,
    podName: env.NAIS_POD_NAME,
    naisjob: env.NAIS_APP_NAME,
    user: userName(),
    codeSha: env.GITHUB_SHA ?? env.NAIS_APP_IMAGE ?? 'local',
    policy: env.ETL_WAIT_FACTOR === undefined ? production : scaled(production, env.ETL_WAIT_FACTOR),
    deadlineSeconds: env.ETL_DEADLINE_SECONDS,
    temporary: tmpdir(),
    variables: prefix => beginning(`${prefix}_`, world.env),
    json: flags.json ?? false,
    terminal: {
      interactive: world.stdout.isTTY === true,
      colours: world.stdout.isTTY === true && env.NO_COLOR === undefined,
      columns: world.stdout.columns || 120 /* some pseudo-terminals say 0 */,
    },
  })
}

function beginning(prefix: string, env: NodeJS.ProcessEnv): Readonly<Record<string, string | undefined>> {
  const found = Object.entries(env).filter(([name, value]) => name.startsWith(prefix) && value !== '')
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]))
}

/** nais: the clusters of its tenant nav are dev-gcp and prod-gcp (and on-premises ones, which have no Google Cloud project). */
const clusters: ReadonlyMap<string, string> = new Map([
  ['dev-gcp', 'dev'],
  ['prod-gcp', 'prod'],
])

function environmentOf(cluster: string | undefined): string | undefined {
  if (cluster === undefined) return undefined
  const environment = clusters.get(cluster)
  if (environment !== undefined) return environment
  throw new EtlError(
    'config',
    `NAIS_CLUSTER_NAME=${cluster}: the names of env({ dev, prod }) are known for dev-gcp and prod-gcp only.`,
    {
      hint: 'deploy to one of these, or say --env dev or --env prod in the command',
    },
  )
}

/** The first that is said, and who said it. The last is taken as it is. */
function first<T>(...candidates: readonly (readonly [T | undefined, string])[]): readonly [T, string] {
  return (candidates.find(([value]) => value !== undefined) ?? candidates.at(-1)) as readonly [T, string]
}

/**
 * The project, or a sentence.
 * @throws EtlError `config`.
 */
export function projectOf(config: Config): string {
  if (config.project !== undefined) return config.project
  throw new EtlError('config', 'which Google Cloud project? Nobody said.', {
    hint: 'on nais GOOGLE_CLOUD_PROJECT is set; on a laptop add --project NAME, or use --local to run on fixtures',
  })
}

function endpointOf(host: string): string {
  const text = /^https?:\/\//.test(host) ? host : `http://${host}`
  if (!URL.canParse(text))
    throw new EtlError('config', `BIGQUERY_EMULATOR_HOST=${host} is no address.`, { hint: 'write it like http://127.0.0.1:9050' })
  return text.replace(/\/$/, '')
}

function process_() {
  return { env: process.env, stdout: process.stdout, cwd: process.cwd() }
}

/** Letters and digits of the login; on nais the process is user 1069, whom no image has a name for, and asking throws. */
function userName(): string {
  try {
    return (
      userInfo()
        .username.toLowerCase()
        .replace(/[^a-z0-9]/g, '') || 'someone'
    )
  } catch {
    return 'someone'
  }
}

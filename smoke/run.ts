// `npm run smoke -- --project P --dataset D`: asks the service what the protocol rests on. docs/smoke.md tells how to run it and what each check decides.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { clock } from '../src/adapters/clock.ts'
import { startLocalServer } from '../src/cli/local-server.ts'
import { type Config, readConfig } from '../src/config.ts'
import { EtlError } from '../src/domain/error.ts'
import { type Check, megabytes } from './check.ts'
import { checks } from './checks/index.ts'
import { dryText } from './dry.ts'
import type { Names } from './names.ts'
import { perform, stopped } from './perform.ts'
import { counts, lineText, page } from './report.ts'
import type { Given } from './world.ts'

const usage = `npm run smoke -- --project P --dataset D --yes

  --project P         the project that runs the jobs and has the datasets
  --dataset D         the dataset to work in, and D_etl beside it; both must exist
  --location L        where they lie (europe-north1, or ETL_LOCATION)
  --yes               do it: on a real project nothing is sent without
  --dry               print what each check does, sends and costs; send nothing
  --only 1,5,9        these checks only
  --connection C      PROJECT.LOCATION.NAME of a Cloud SQL connection, for check 13
  --policy-tag T      projects/…/taxonomies/…/policyTags/…, for check 11
  --reader ACCOUNT    a service account without rights on D_etl that you may impersonate, for check 15
  --local             a throwaway local server instead of the service
  --endpoint URL      a local server that runs already
  --out FILE          where the report goes (docs/smoke-<date>.md; .etl/smoke-<date>.md where it is not the service)
`

const options = {
  project: { type: 'string' },
  dataset: { type: 'string' },
  location: { type: 'string' },
  only: { type: 'string' },
  connection: { type: 'string' },
  'policy-tag': { type: 'string' },
  reader: { type: 'string' },
  endpoint: { type: 'string' },
  out: { type: 'string' },
  yes: { type: 'boolean', default: false },
  dry: { type: 'boolean', default: false },
  local: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof EtlError) && !(error instanceof TypeError && 'code' in error)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

async function main(args: readonly string[]): Promise<number> {
  const { values: flags } = parseArgs({ args: [...args], options, strict: true })
  if (flags.help) return said(usage)
  const chosen = choose(flags.only)
  const anywhere = flags.local || flags.dry || flags.endpoint !== undefined
  const { dataset = anywhere ? 'etl_smoke' : undefined } = flags
  if (dataset === undefined)
    throw new EtlError('usage', 'which dataset? Nobody said.', { hint: 'add --dataset D; with --dry nothing is sent' })
  const config = configOf(flags)
  const project = config.project ?? (anywhere ? 'my-project' : undefined)
  if (project === undefined) throw new EtlError('usage', 'which project? Nobody said.', { hint: 'add --project P' })
  const expires = new Date(clock.now().getTime() + 24 * 60 * 60 * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  const names: Names = { project, dataset, token: randomBytes(4).toString('hex'), expires }
  if (flags.dry) return said(dryText(chosen, names))
  const given = {
    ...(flags.connection === undefined ? {} : { connection: flags.connection }),
    ...(flags['policy-tag'] === undefined ? {} : { policyTag: flags['policy-tag'] }),
    ...(flags.reader === undefined ? {} : { reader: flags.reader }),
  }
  if (flags.local) return onLocal(url => work({ ...config, endpoint: url }, names, given, chosen, flags.out))
  if (config.endpoint === undefined && !flags.yes) {
    process.stdout.write(
      `${chosen.length} checks on ${project}: tables called smoke_${names.token}_… in ${dataset} and ${dataset}_etl, which vanish at the end or after a day; at most ${megabytes(chosen)} MB billed (${dollars(chosen)}), ten to fifteen minutes.\nNothing was sent. Add --yes to do it, --dry to see all of it.\n`,
    )
    return 1
  }
  return work(config, names, given, chosen, flags.out)
}

async function work(
  config: Config,
  names: Names,
  given: Given,
  chosen: readonly Check[],
  out: string | undefined,
): Promise<number> {
  const { lines, left } = await perform(config, names, given, chosen, line => void process.stdout.write(`${lineText(line)}\n`))
  const isService = config.endpoint === undefined
  const date = clock.now().toISOString().slice(0, 10)
  const file = out ?? join(config.root, isService ? 'docs' : '.etl', `smoke-${date}.md`)
  const where = isService ? `BigQuery, project \`${names.project}\`, ${config.location}` : 'A local server'
  const text = page({ date, where, isService, node: process.version, megabytes: megabytes(chosen), left }, lines)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  process.stdout.write(`\n${counts(lines)}; report in ${file}\n`)
  for (const name of left) process.stdout.write(`Not deleted, it expires by itself: ${name}\n`)
  if (!isService) process.stdout.write('This was no BigQuery: of the service it shows nothing.\n')
  return lines.some(({ verdict }) => verdict.mark === '✘' || verdict === stopped) ? 1 : 0
}

async function onLocal(use: (url: string) => Promise<number>): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'etl-smoke-'))
  const server = await startLocalServer(dir)
  try {
    return await use(server.url)
  } finally {
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

function configOf({ project, location, endpoint }: { project?: string; location?: string; endpoint?: string }): Config {
  const config = readConfig(project === undefined ? {} : { project })
  return {
    ...config,
    ...(location === undefined ? {} : { location }),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.replace(/\/$/, '') }),
  }
}

function choose(only: string | undefined): readonly Check[] {
  if (only === undefined) return checks
  return only.split(',').map(text => {
    const found = checks.find(({ number }) => number === Number(text))
    if (found === undefined)
      throw new EtlError('usage', `--only ${text}: there is no such check.`, {
        hint: `they are ${checks.map(({ number }) => number).join(', ')}`,
      })
    return found
  })
}

/** List price on demand, europe-north1: 6.25 $ a TiB [unv]. */
function dollars(chosen: readonly Check[]): string {
  return `about ${((megabytes(chosen) / 1_048_576) * 6.25).toFixed(2)} $`
}

function said(text: string): number {
  process.stdout.write(text)
  return 0
}

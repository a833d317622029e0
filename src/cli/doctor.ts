import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { bad, type Check, checked, examineAccess, ok, open } from '../engine/doctor.ts'
import { examinePipeline } from '../engine/doctor-pipeline.ts'
import { cronOf } from '../engine/tick.ts'
import { type Difference, datasetDifferences, naisjobDifferences } from '../nais/deployed.ts'
import { naisjobsOf } from '../nais/files.ts'
import { type Command, type Context, worldHelp, worldOptions } from './command.ts'
import { manifestState } from './manifest.ts'
import { loadAll, namedPipelines } from './pipelines.ts'
import { inWorld } from './with-local.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'check all that a run needs: credentials, datasets, rights, manifest; changes nothing',
  usage: '[NAME …]',
  help: `Looks at everything that a run needs, for these pipelines or all, and says one line a check: ✔ it is well · ✘ a run would fail, and what to do ·
– not applicable, or not to be seen from here, and why. Exits with 1 if there is a ✘. It reads, makes dry runs, and changes nothing.

${worldHelp}

Examples
  npm run etl -- doctor --project my-team-dev-1234 --env dev
  npm run etl -- doctor apps-per-env --dir .etl/demo`,
  options: worldOptions,
  words: { least: 0, most: 99 },
  async run(context) {
    const pipelines = await namedPipelines(context.root, context.words)
    const checks: Check[] = []
    const add = printer(context, checks)
    for (const check of configuration(context)) add(check)
    if (!checks.some(check => check.state === 'bad')) await bigQuery(context, pipelines, add)
    for (const check of await manifests(context)) add(check)
    if (context.json) context.out.data(checks)
    const wrong = checks.filter(check => check.state === 'bad').length
    if (!context.json) context.out.line(`\n${wrong === 0 ? 'Nothing stands in the way of a run.' : `${wrong} to mend.`}`)
    return wrong === 0 ? 0 : 1
  },
}

/** Keeps a check and, for people, prints it at once: some of them take seconds. */
function printer({ out, json }: Context, kept: Check[]): (check: Check) => void {
  let about = ''
  return check => {
    kept.push(check)
    if (json) return
    if (check.about !== about) out.line(`${about === '' ? '' : '\n'}${check.about}`)
    about = check.about
    out.line(`  ${marks[check.state]} ${check.name.padEnd(28)} ${check.says}`)
    if (check.todo !== undefined) out.line(`    ${' '.repeat(28)} → ${check.todo}`)
  }
}

const marks = { ok: '✔', bad: '✘', open: '–' } as const

function configuration({ chosen, flags }: Context): Check[] {
  const about = 'configuration'
  const { said, environment, location } = chosen
  const endpoint = typeof flags.dir === 'string' ? flags.dir : chosen.endpoint
  const project = chosen.project ?? (endpoint === undefined ? undefined : 'local')
  const { node } = process.versions
  return [
    { about, name: 'node', ...(Number(node.split('.')[0]) >= 24 ? ok(node) : bad(node, 'Node 24 or newer: npm ci brings it')) },
    { about, name: 'environment', ...ok(`${environment} (${said.environment})`) },
    {
      about,
      name: 'project',
      ...(project !== undefined
        ? ok(`${project} (${project === chosen.project ? said.project : '--dir'})`)
        : bad('nobody said which', 'on nais GOOGLE_CLOUD_PROJECT is set; on a laptop add --project NAME')),
    },
    { about, name: 'location', ...ok(`${location} (${said.location})`) },
    { about, name: 'BigQuery', ...ok(endpoint === undefined ? 'the service' : `a local one: ${endpoint}`) },
  ]
}

/** Everything that BigQuery has to answer. */
async function bigQuery(context: Context, pipelines: readonly NamedPipeline[], add: (check: Check) => void): Promise<void> {
  try {
    await inWorld(context, pipelines, 'quiet', async ({ ports, settings, request, examiner }) => {
      const asked = await examiner()
      const access = await examineAccess(asked)
      access.forEach(add)
      if (access.some(check => check.state === 'bad')) return
      for (const pipeline of pipelines)
        for (const check of await examinePipeline(pipeline, request, ports, settings, asked)) add(check)
    })
  } catch (error) {
    if (!(error instanceof EtlError)) throw error
    add({ about: 'access', name: 'BigQuery', ...bad(error.problem, error.hint ?? 'see the message above') })
  }
}

/** The generated files against the pipelines, and what is deployed against both. */
async function manifests(context: Context): Promise<Check[]> {
  const about = 'manifest'
  const loaded = await loadAll(context.root)
  const { environment } = context.chosen
  let state: Awaited<ReturnType<typeof manifestState>> | undefined
  const files = await checked(about, 'files', async () => {
    try {
      state = await manifestState(context.root, loaded)
    } catch (error) {
      if (!(error instanceof EtlError) || error.kind !== 'unavailable') throw error
      return open(error.problem.replace(/\.$/, ''), error.hint)
    }
    return state.stale.length === 0
      ? ok('naisjob.yaml and alerts.yaml are what the pipelines say')
      : bad(`${state.stale.join(', ')}: not what the pipelines say`, 'npm run etl -- manifest, and commit')
  })
  if (state === undefined) return [files]
  const { deployment, pipelines } = state
  const checks = [files]
  for (const job of naisjobsOf(pipelines, deployment, cronOf, environment))
    checks.push(await deployed(context, job, (job as { metadata: { name: string } }).metadata.name, deployment.team))
  return checks
}

async function deployed(
  context: Context,
  job: Parameters<typeof naisjobDifferences>[0],
  name: string,
  team: string,
): Promise<Check> {
  const { environment } = context.chosen
  return checked('manifest', `deployed ${name}`, async () => {
    try {
      const { cluster, naisjob, datasets } = await (await context.cluster()).deployed(name, team, environment)
      const found = [...naisjobDifferences(job, naisjob), ...(datasets === null ? [] : datasetDifferences(job, datasets))]
      if (found.length === 0)
        return ok(`${cluster} has what the pipelines say${datasets === null ? '; how its datasets were made can’t be seen' : ''}`)
      return bad(`${cluster} has ${found.map(differenceText).join('; ')}`, remedy(found))
    } catch (error) {
      if (!(error instanceof EtlError) || error.kind !== 'unavailable') throw error
      return open(
        error.problem.replace(/\.$/, ''),
        `${error.hint === undefined ? '' : `${error.hint}; `}kubectl get naisjob ${name} -n ${team} -o yaml shows what is deployed`,
      )
    }
  })
}

function differenceText({ path, wanted, found }: Difference): string {
  return `${path} ${found}, not ${wanted}`
}

function remedy(found: readonly Difference[]): string {
  const ignored = found.filter(each => each.ignored).map(each => each.path)
  const rest = ignored.length < found.length ? ['deploy'] : []
  if (ignored.length > 0)
    rest.push(
      `${ignored.join(', ')}: nais uses that when it makes a dataset and ignores a change; change the dataset's access in Google Cloud by hand`,
    )
  return rest.join('; ')
}

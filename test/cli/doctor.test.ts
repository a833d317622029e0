import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { type Check, examineAccess } from '../../src/engine/doctor.ts'
import { examinePipeline } from '../../src/engine/doctor-pipeline.ts'
import { cronOf } from '../../src/engine/tick.ts'
import { dataset, pipeline, replace, row, table } from '../../src/index.ts'
import { naisjobsOf } from '../../src/nais/files.ts'
import type { Examiner } from '../../src/ports/doctor.ts'
import { etl, type Project, project } from '../support/etl.ts'
import { type Local, startLocal } from '../support/local.ts'
import { ask, attempt, worldOn } from '../support/project.ts'

let local: Local
const Row = row({ id: z.int() }, { key: ['id'] })
let number = 0

beforeAll(async () => {
  local = await startLocal()
  await make('inn')
  await ask(local.url, 'CREATE TABLE `team-dev.inn.personer` (id INT64)')
  await ask(local.url, 'INSERT INTO `team-dev.inn.personer` (id) VALUES (1), (2)')
})
afterAll(() => local.stop())

describe('the doctor', () => {
  test('finds nothing amiss before the first run and after it, and changes nothing', async () => {
    const { name, checks } = await fresh()
    const before = await checks()
    expect(states(before)).toEqual({
      [`dataset ${name}`]: 'ok',
      [`dataset ${name}_etl`]: 'ok',
      'source personer': 'ok',
      'target t': 'open',
      head: 'open',
      plan: 'ok',
      'may make tables': 'ok',
      'may publish': 'open',
    })
    expect(await tablesOf(`${name}_etl`)).toEqual([])
    await attempt(local.url, pipe(name), 'first-aaaaa')
    const after = await checks()
    expect(after.filter(check => check.state !== 'ok')).toEqual([])
    expect(says(after, 'source personer')).toMatch(/^team-dev\.inn\.personer may be read, \d+ B a run \(dry run of the query\)$/)
    expect(says(after, 'head')).toMatch(/^one row, version 2\S+ by first$/)
    expect(await tablesOf(`${name}_etl`)).toEqual(['head__t', 'runs'])
    expect(await ask(local.url, `SELECT COUNT(*) AS n FROM \`team-dev.${name}.t\``)).toEqual([{ n: 2n }])
  })

  test.each<[string, (name: string) => Promise<unknown>, string, RegExp, RegExp]>([
    [
      'a dataset is missing',
      name => local.call('DELETE', `/team-dev/datasets/${name}_etl`),
      '_etl',
      /^is not there in project team-dev$/,
      /^it is made by naisjob\.yaml: deploy once/,
    ],
    [
      'a dataset lies elsewhere',
      async name => {
        await local.call('DELETE', `/team-dev/datasets/${name}_etl`)
        await make(`${name}_etl`, { location: 'EU' })
      },
      '_etl',
      /^lies in EU, and the jobs run in europe-north1$/,
      /set ETL_LOCATION=EU/,
    ],
    [
      'a dataset deletes its tables',
      name => local.call('PATCH', `/team-dev/datasets/${name}`, { defaultTableExpirationMs: '86400000' }),
      '',
      /^deletes tables 1 days after they were made/,
      /bq update --default_table_expiration 0/,
    ],
    [
      'a dataset deletes its partitions',
      name => local.call('PATCH', `/team-dev/datasets/${name}`, { defaultPartitionExpirationMs: '172800000' }),
      '',
      /^deletes partitions 2 days after they were made/,
      /bq update --default_partition_expiration 0/,
    ],
  ])('%s', async (_, spoil, suffix, wrong, todo) => {
    const { name, checks } = await fresh()
    await spoil(name)
    const found = (await checks()).find(check => check.name === `dataset ${name}${suffix}`)
    expect(found).toMatchObject({ state: 'bad', says: expect.stringMatching(wrong), todo: expect.stringMatching(todo) })
  })

  test('a source is missing: the nearest name; or has another column', async () => {
    const { checks } = await fresh('inn.persone')
    const source = (await checks()).find(check => check.name === 'source personer')
    expect(source).toMatchObject({ state: 'bad', says: 'table team-dev.inn.persone does not exist.' })
    expect(source?.todo).toMatch(/did you mean personer\?/)
    await ask(local.url, 'CREATE TABLE `team-dev.inn.sak` (sak_id INT64)')
    const other = (await (await fresh('inn.sak')).checks()).find(check => check.name === 'source personer')
    expect(other).toMatchObject({ state: 'bad', says: expect.stringContaining('there is no column id') })
  })

  test('the source lies elsewhere', async () => {
    await make('us_data', { location: 'US' })
    await ask(local.url, 'CREATE TABLE `team-dev.us_data.personer` (id INT64)')
    const source = (await (await fresh('us_data.personer')).checks()).find(check => check.name === 'source personer')
    expect(source).toMatchObject({ state: 'bad', says: expect.stringContaining('lies in US, and the jobs run in europe-north1') })
  })

  test('the target is held; has two heads; is deleted one day', async () => {
    const { name, checks } = await fresh()
    await attempt(local.url, pipe(name), 'first-aaaaa')
    const head = `\`team-dev.${name}_etl.head__t\``
    await ask(local.url, `UPDATE ${head} SET held = TRUE, run = 'rollback-x' WHERE TRUE`)
    expect((await checks()).find(check => check.name === 'head')).toMatchObject({
      state: 'bad',
      says: expect.stringMatching(new RegExp(`^team-dev.${name}.t is held since 2\\S+ by rollback-x, at version 2`)),
      todo: `when it may be published again: etl release ${name}`,
    })
    await ask(
      local.url,
      `INSERT INTO ${head} (seq, version, run, attempt, held) SELECT seq, version, run, attempt, held FROM ${head}`,
    )
    expect((await checks()).find(check => check.name === 'head')).toMatchObject({
      state: 'bad',
      says: expect.stringContaining('has 2 rows instead of one'),
    })
    await local.call('PATCH', `/team-dev/datasets/${name}/tables/t`, { expirationTime: String(Date.now() + 86_400_000) })
    expect((await checks()).find(check => check.name === 'target t')).toMatchObject({
      state: 'bad',
      says: expect.stringMatching(/^is deleted at 2/),
      todo: expect.stringContaining('SET OPTIONS (expiration_timestamp = NULL)'),
    })
  })

  test('a table that is not ours any more: the dry run of the publication says it', async () => {
    const { name, checks } = await fresh()
    await attempt(local.url, pipe(name), 'first-aaaaa')
    await ask(local.url, `DROP TABLE \`team-dev.${name}.t\``)
    await ask(local.url, `CREATE TABLE \`team-dev.${name}.t\` (id INT64)`)
    const found = await checks()
    expect(found.find(check => check.name === 'may publish')).toMatchObject({
      state: 'bad',
      says: expect.stringContaining(`the dry run of INSERT INTO \`team-dev.${name}.t\`: `),
    })
    expect(found.find(check => check.name === 'plan')).toMatchObject({ state: 'bad' })
  })

  // What the local server has no way to be: the facts come from the test, the verdict from the doctor. How facts are read is test/adapters/bigquery/doctor.test.ts.
  test('a streaming buffer stands in the way; row policies, policy tags and a demanded filter are told', async () => {
    const { name, checks } = await fresh()
    await attempt(local.url, pipe(name), 'first-aaaaa')
    const facts = { location: 'europe-north1', streaming: false, filterOn: null, tagged: [], expires: null }
    const target = async (change: object, policies: number | null = 0) => {
      const found = await checks(examiner => ({
        ...examiner,
        table: async () => ({ ...facts, ...change }),
        rowPolicies: async () => policies,
      }))
      return found.find(check => check.name === 'target t')
    }
    expect(await target({ streaming: true })).toMatchObject({
      state: 'bad',
      says: 'has rows in its streaming buffer: BigQuery changes none of them for 30 minutes',
    })
    expect(await target({})).toMatchObject({ state: 'ok', says: 'is there, replace' })
    expect((await target({}, 2))?.says).toBe(
      "is there, replace; 2 row policies: the job's service account needs one of its own, FILTER USING (TRUE)",
    )
    expect((await target({ tagged: ['fnr'], filterOn: 'dato' }))?.says).toMatch(
      /policy tags on fnr: .*; queries need a filter on dato, which replace has none of/,
    )
  })

  test('nobody answers', async () => {
    const { examiner } = await worldOn('http://127.0.0.1:1')
    const [credentials, asked] = await examineAccess(await examiner())
    expect(credentials?.state).toBe('open')
    expect(asked).toMatchObject({ name: 'project', state: 'bad', says: expect.stringContaining('does not answer') })
  })
})

describe('as a command', () => {
  let team: Project
  let path: string
  const env = () => ({ BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev', PATH: path })
  const packageJson = JSON.stringify({ name: 'team', type: 'module', nais: { team: 'nais-analyse', name: 'jobben' } })

  beforeEach(async () => {
    const { name } = await fresh()
    team = await project({ 'package.json': packageJson, [`src/pipelines/${name}.ts`]: text(name) })
    path = join(team.dir, 'bin')
    await mkdir(path)
    await etl(team.dir, ['manifest'])
    return () => team.remove()
  })

  /** A program called kubectl, which answers as the shell lines say. */
  async function kubectl(lines: string): Promise<void> {
    await writeFile(join(path, 'kubectl'), `#!/bin/sh\n${lines}\n`)
    await chmod(join(path, 'kubectl'), 0o755)
    path = `${path}${delimiter}/usr/bin${delimiter}/bin`
  }

  const deployedOf = async () => {
    const said = await etl(team.dir, ['doctor', '--json'], env())
    const checks = JSON.parse(said.stdout) as Check[]
    return { code: said.code, check: checks.find(check => check.name === 'deployed jobben') }
  }
  const generated = async () => {
    const name = `doc${number}`
    const [job] = naisjobsOf([pipe(name)], { name: 'jobben', team: 'nais-analyse' }, cronOf, 'dev')
    return JSON.parse(JSON.stringify(job)) as { spec: { schedule: string; gcp: { bigQueryDatasets: { permission: string }[] } } }
  }
  /** A cluster that has this Naisjob, and no BigQueryDatasets that anybody may list. */
  const having = async (job: unknown) => {
    await writeFile(join(team.dir, 'job.json'), JSON.stringify(job))
    await kubectl(`case "$1 $2" in
"config current-context") echo dev-gcp ;;
"get naisjob") [ "$*" = "get naisjob jobben -n nais-analyse -o json" ] && cat ${join(team.dir, 'job.json')} ;;
*) echo 'Error from server (Forbidden): no' >&2; exit 1 ;;
esac`)
  }

  test('without kubectl: 0, a line a check, and which command would look', async () => {
    const said = await etl(team.dir, ['doctor'], env())
    expect(said.stdout).toContain('  – deployed jobben              there is no kubectl here\n')
    expect(said.stdout).toContain('→ kubectl get naisjob jobben -n nais-analyse -o yaml shows what is deployed')
    expect(said.stdout).toContain('  ✔ environment                  dev (nobody said, so dev)\n')
    expect(said.stdout).toContain('  ✔ project                      team-dev (GOOGLE_CLOUD_PROJECT)\n')
    expect(said.stdout).toContain('Nothing stands in the way of a run.')
    expect(said.code).toBe(0)
  })

  test('a manifest that is not what the pipelines say: 1', async () => {
    await team.write({ 'naisjob.yaml': '# mine\n' })
    const said = await etl(team.dir, ['doctor'], env())
    expect(said.stdout).toContain('✘ files                        naisjob.yaml: not what the pipelines say')
    expect(said.stdout).toContain('1 to mend.')
    expect(said.code).toBe(1)
  })

  test('the cluster has what was generated', async () => {
    await having(await generated())
    expect(await deployedOf()).toMatchObject({
      code: 0,
      check: { state: 'ok', says: expect.stringContaining('dev-gcp has what the pipelines say') },
    })
  })

  test('the cluster has an older one, and one field that the platform ignores', async () => {
    const job = await generated()
    job.spec.schedule = '0 5 * * *'
    for (const entry of job.spec.gcp.bigQueryDatasets.slice(0, 1)) entry.permission = 'READ'
    await having(job)
    const { code, check } = await deployedOf()
    expect(code).toBe(1)
    expect(check?.says).toMatch(
      /spec\.schedule 0 5 \* \* \*, not 30 6 \* \* \*; spec\.gcp\.bigQueryDatasets\[doc\d+\]\.permission READ, not READWRITE/,
    )
    expect(check?.todo).toMatch(
      /^deploy; spec\.gcp\.bigQueryDatasets\[doc\d+\]\.permission: nais uses that when it makes a dataset and ignores a change/,
    )
  })

  test('kubectl is set to the other environment: –, and how to look', async () => {
    await kubectl('echo prod-gcp')
    const { code, check } = await deployedOf()
    expect(check).toMatchObject({ state: 'open', says: 'kubectl is set to prod-gcp, which is not a cluster of dev' })
    expect(check?.todo).toMatch(/^kubectl config use-context dev-gcp; kubectl get naisjob jobben/)
    expect(code).toBe(0)
  })

  test('without a project: ✘, and nothing is asked', async () => {
    const said = await etl(team.dir, ['doctor', '--json'], { PATH: path })
    const checks = JSON.parse(said.stdout) as Check[]
    expect(checks.find(check => check.name === 'project')).toMatchObject({ state: 'bad', says: 'nobody said which' })
    expect(checks.map(check => check.about)).not.toContain('access')
    expect(said.code).toBe(1)
  })
})

function pipe(name: string, from = 'inn.personer'): NamedPipeline {
  const made = pipeline({
    schedule: '30 6 * * *',
    from: { personer: table(Row, from) },
    to: dataset(name).table('t', Row),
    write: replace(),
  })
  return { ...made, name }
}

const text = (name: string) => `import { dataset, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'
const Row = row({ id: z.int() }, { key: ['id'] })
export default pipeline({ schedule: '30 6 * * *', from: { personer: table(Row, 'inn.personer') }, to: dataset('${name}').table('t', Row), write: replace() })
`

/** A pipeline with two datasets of its own, of the same name. */
async function fresh(from?: string) {
  const name = `doc${++number}`
  await make(name)
  await make(`${name}_etl`)
  const checks = async (change = (examiner: Examiner) => examiner) => {
    const { ports, settings, request, examiner } = await worldOn(local.url)
    return examinePipeline(pipe(name, from), request, ports, settings, change(await examiner()))
  }
  return { name, checks }
}

async function make(datasetId: string, more: object = {}): Promise<void> {
  await local.call('POST', '/team-dev/datasets', { datasetReference: { projectId: 'team-dev', datasetId }, ...more })
}

async function tablesOf(name: string): Promise<string[]> {
  const { body } = await local.call('GET', `/team-dev/datasets/${name}/tables`)
  return ((body.tables ?? []) as { tableReference: { tableId: string } }[]).map(each => each.tableReference.tableId).sort()
}

const states = (checks: readonly Check[]) => Object.fromEntries(checks.map(check => [check.name, check.state]))
const says = (checks: readonly Check[], name: string) => checks.find(check => check.name === name)?.says

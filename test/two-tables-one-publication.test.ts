import { dataset, pipeline, replace, row, sql, table } from 'nais-etl'
import { testPipeline } from 'nais-etl/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { etl, type Project, project } from './support/etl.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask } from './support/project.ts'
import { makeDatasets, sourceTable } from './support/source-table.ts'

// A pipeline with two tables, in a project of its own, by the command line: both are published, or neither.
const file = `import { dataset, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'

const App = row({ app: z.string(), team: z.string() })
const PerTeam = row({ team: z.string(), antall: z.int().max(2) }, { key: ['team'] })

export default pipeline({
  schedule: '30 6 * * *',
  from: { apps: table(App, 'kilde.apps') },
  to: dataset('to').table('alle', App),
  write: replace(),
}).and({
  to: dataset('to').table('per_team', PerTeam),
  write: replace(),
  transform: ({ apps }) => Object.entries(Object.groupBy(apps, app => app.team)).map(([team, of]) => ({ team, antall: of?.length ?? 0 })),
})
`
const App = row({ app: z.string(), team: z.string() })
const PerTeam = row({ team: z.string(), antall: z.int() }, { key: ['team'] })
const both = pipeline({
  schedule: '30 6 * * *',
  from: { apps: table(App, 'kilde.apps') },
  to: dataset('to').table('alle', App),
  write: replace(),
}).and({
  to: dataset('to').table('per_team', PerTeam),
  write: replace(),
  transform: ({ apps }) =>
    [...new Set(apps.map(app => app.team))].map(team => ({ team, antall: apps.filter(app => app.team === team).length })),
  twin: sql`SELECT team, COUNT(*) AS antall FROM ${'apps'} GROUP BY team`,
})
// Fixtures for each: expected.csv, and expected.per_team.csv of the second.
testPipeline(both, 'to-tabeller', { fixtures: 'test/testing/fixtures', runs: 20 })

describe('two tables of one pipeline', () => {
  let local: Local
  let team: Project
  let source: Awaited<ReturnType<typeof sourceTable>>
  const world = (more: Readonly<Record<string, string>> = {}) => ({
    BIGQUERY_EMULATOR_HOST: local.url,
    GOOGLE_CLOUD_PROJECT: 'team-dev',
    ...more,
  })
  const rows = (name: string) => ask(local.url, `SELECT * FROM \`team-dev.to.${name}\``)

  beforeAll(async () => {
    local = await startLocal()
    await makeDatasets(local, 'kilde', 'to')
    source = await sourceTable(local, 'kilde.apps', 'app STRING, team STRING')
    team = await project({
      'src/pipelines/to-tabeller.ts': file,
    })
  })
  afterAll(async () => {
    await team.remove()
    await local.stop()
  })

  test('have one plan each, and one script', async () => {
    const { stdout } = await etl(team.dir, ['plan', 'to-tabeller', '--sql'], world())
    expect(stdout).toContain('writes    team-dev.to.alle (replace)')
    expect(stdout).toContain('writes    team-dev.to.per_team (replace)')
    expect(stdout.match(/COMMIT TRANSACTION/g)).toHaveLength(2) // the same script, once in each plan
    expect(stdout).toContain('before_2')
  })

  test('are published as one version, by one job', async () => {
    await source.fill(`('a', 'x')`, `('b', 'x')`, `('c', 'y')`)
    expect(await etl(team.dir, ['run', 'to-tabeller'], world())).toMatchObject({ code: 0 })
    const published = await ask(local.url, "SELECT target, version, job FROM `team-dev.to_etl.runs` WHERE event = 'published'")
    expect(published.map(row => row.target).sort()).toEqual(['team-dev.to.alle', 'team-dev.to.per_team'])
    expect(new Set(published.map(row => `${row.version} ${row.job}`)).size).toBe(1)
    expect(await rows('alle')).toHaveLength(3)
    expect((await rows('per_team')).map(row => `${row.team}${row.antall}`).sort()).toEqual(['x2', 'y1'])
  })

  test('neither changes where one of them is refused', async () => {
    await source.fill(`('a', 'x')`, `('b', 'x')`, `('c', 'x')`, `('d', 'z')`)
    const failed = await etl(team.dir, ['run', 'to-tabeller'], world())
    expect(failed.code).toBe(1)
    expect(failed.stdout).toContain('antall')
    expect(await rows('alle')).toHaveLength(3)
    expect(await rows('per_team')).toHaveLength(2)
  })

  test('neither changes where one of them is held', async () => {
    await source.fill(`('a', 'x')`)
    expect(await etl(team.dir, ['run', 'to-tabeller'], world())).toMatchObject({ code: 0 })
    const { stdout } = await etl(team.dir, ['versions', 'to-tabeller.per_team', '--json'], world())
    const [, first] = JSON.parse(stdout) as { version: string }[]
    expect(await etl(team.dir, ['rollback', 'to-tabeller.per_team', first?.version ?? ''], world())).toMatchObject({ code: 0 })
    await source.fill(`('e', 'x')`)
    const held = await etl(team.dir, ['run', 'to-tabeller'], world())
    expect(held).toMatchObject({ code: 0 })
    expect(held.stdout).toContain('Target is held')
    expect((await rows('alle')).map(row => row.app)).toEqual(['a'])
    expect((await rows('per_team')).map(row => `${row.team}${row.antall}`).sort()).toEqual(['x2', 'y1'])
    expect(await etl(team.dir, ['release', 'to-tabeller.per_team'], world())).toMatchObject({ code: 0 })
    expect(await etl(team.dir, ['run', 'to-tabeller'], world())).toMatchObject({ code: 0 })
    expect((await rows('alle')).map(row => row.app)).toEqual(['e'])
  })

  test('are read by NAME.table; another name is a sentence', async () => {
    expect((await etl(team.dir, ['read', 'to-tabeller.per_team'], world())).stdout).toContain('x')
    const wrong = await etl(team.dir, ['read', 'to-tabeller.annen'], world())
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.stderr).toContain('to-tabeller writes no table annen. Hint: it writes alle, per_team')
    expect((await etl(team.dir, ['list'], world())).stdout).toContain('to.alle (replace), to.per_team (replace)')
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { etl, type Project, project } from '../support/etl.ts'
import { type Local, startLocal } from '../support/local.ts'
import { ask } from '../support/project.ts'

const secret = '99017012345'
let local: Local
let team: Project
const on = (...args: string[]) => etl(team.dir, args, { BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev' })

beforeAll(async () => {
  local = await startLocal()
  for (const dataset of ['inn', 'ut', 'ut_etl'])
    await local.call('POST', '/team-dev/datasets', { datasetReference: { projectId: 'team-dev', datasetId: dataset } })
  await ask(local.url, `CREATE TABLE \`team-dev.inn.personer\` AS SELECT 1 AS id, 'Kari' AS navn, '${secret}' AS fnr`)
  team = await project({
    'src/pipelines/apne.ts': pipeline('apne', 'z.string()'),
    'src/pipelines/skjulte.ts': pipeline('skjulte', "z.string().meta({ pii: 'direct' })"),
  })
})
afterAll(async () => {
  await team?.remove()
  await local?.stop()
})

function pipeline(to: string, fnr: string): string {
  return `import { dataset, pipeline, replace, row, sql, table } from 'nais-etl'
import * as z from 'zod'

const Person = row({ id: z.int(), navn: z.string(), fnr: ${fnr} })

export default pipeline({
  schedule: '30 6 * * *',
  from: { personer: table(Person, 'inn.personer') },
  to: dataset('ut').table('${to}', Person),
  write: replace(),
  audits: { 'nobody is called Kari': sql\`SELECT id, fnr FROM \${'result'} WHERE navn = 'Kari'\` },
  expect: { rows: '≥ 2' },
})
`
}

// Each command is a process and asks a server: on a busy machine some of them take their time.
describe('rejected', { timeout: 120_000 }, () => {
  test('says so where no run has failed', async () => {
    const said = await on('rejected', 'apne')
    expect(said.code).toBe(1)
    expect(said.stderr).toContain('no run has failed after it had staged its result.')
  })

  test('shows the promise, the rows and the SQL; run says how to get there', async () => {
    const run = await on('run', 'apne', '--accept')
    expect(run.code).toBe(1)
    expect(run.stdout).toContain('`npm run etl -- rejected apne` shows the rows')
    const said = await on('rejected', 'apne')
    expect(said.code).toBe(0)
    expect(said.stdout).toMatch(
      /audit "nobody is called Kari": 1 row \(id 1, fnr 99017012345\)\n {2}id {2}fnr\n.*\n {3}1 {2}99017012345\n/,
    )
    expect(said.stdout).toContain("WHERE navn = 'Kari'")
  })

  test('gives them as data, of a run by its name', async () => {
    const data = JSON.parse((await on('rejected', 'apne', '--json', '--limit', '1')).stdout) as { run: string; broken: unknown[] }
    expect(data.broken).toEqual([
      { promise: expect.any(String), sql: expect.stringMatching(/LIMIT 1$/), rows: [{ id: 1, fnr: secret }] },
    ])
    expect((await on('rejected', 'apne', '--run', data.run)).code).toBe(0)
    expect((await on('rejected', 'apne', '--run', 'another')).stderr).toContain('the run another has failed after')
  })

  test('shows no value of a pipeline that handles personal data unless it is asked for', async () => {
    expect((await on('run', 'skjulte')).all).not.toContain(secret)
    for (const format of [[], ['--json']]) {
      const said = await on('rejected', 'skjulte', ...format)
      expect(said.code).toBe(0)
      expect(said.all).not.toContain(secret)
      expect(said.stdout).toContain('1 row (id, fnr)')
      expect((await on('rejected', 'skjulte', '--personal', ...format)).stdout).toContain(secret)
    }
  })
})

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { etl, type Project, project } from '../support/etl.ts'

const source = `import { dataset, pipeline, query, replace, row, sql } from 'nais-etl'
import * as z from 'zod'

const Antall = row({ type: z.string(), n: z.int() }, { key: ['type'] })

export default pipeline({
  schedule: '30 6 * * *',
  from: {
    antall: query(Antall, sql\`
      SELECT COALESCE(t.navn, s.type) AS type, COUNT(*) AS n
      FROM \\\`team-prod.saker.sak\\\` AS s LEFT JOIN oppslag.typer AS t ON t.type = s.type GROUP BY 1\`),
  },
  to: dataset('statistikk').table('antall', Antall),
  write: replace(),
})
`
const tables = `-- What the query reads.
CREATE TABLE \`team-prod.saker.sak\` (id INT64, type STRING);
INSERT INTO \`team-prod.saker.sak\` (id, type) VALUES (1, 'A'), (2, 'A'), (3, 'B');
CREATE TABLE oppslag.typer (type STRING, navn STRING);
INSERT INTO oppslag.typer (type, navn) VALUES ('A', 'Alderspensjon');
`

let team: Project
beforeAll(async () => {
  team = await project({
    'package.json': '{ "name": "antall-etl", "type": "module", "nais": { "team": "team" } }',
    'src/pipelines/antall.ts': source,
    'fixtures/antall/guide/antall.csv': 'type,n\nAlderspensjon,2\nB,1\n',
    'fixtures/antall/guide/antall.sql': tables,
    'fixtures/antall/guide/expected.csv': 'type,n\nAlderspensjon,2\nB,1\n',
  })
})
afterAll(() => team.remove())

describe('a query source on --local', () => {
  test('reads the tables that SOURCE.sql of the case has made', async () => {
    const { code, all } = await etl(team.dir, ['run', 'antall', '--local'])
    expect([code, all]).toEqual([0, expect.stringMatching(/published.*"rows":2|"rows":2.*published/)])
  })

  test('is named with its tables in the plan', async () => {
    const { stdout } = await etl(team.dir, ['plan', 'antall', '--local'])
    expect(stdout).toMatch(
      /reads +antall = a query of (local\.oppslag\.typer, team-prod\.saker\.sak|team-prod\.saker\.sak, local\.oppslag\.typer)/,
    )
  })

  test.each([
    [
      'a table that nothing makes is told with the file that is to make it',
      tables.slice(0, tables.indexOf('CREATE TABLE oppslag')),
      /nothing makes local\.oppslag\.typer, which the query antall reads\. Hint: fixtures\/antall\/guide\/antall\.sql is to make it: CREATE TABLE `local\.oppslag\.typer`/,
    ],
    [
      'a file that is wrong is told with what BigQuery says of it',
      tables.replace('(id INT64', '(id INT65'),
      /fixtures\/antall\/guide\/antall\.sql: .*INT65.* Hint: it is run by the local BigQuery/,
    ],
  ])('%s', async (_, text, sentence) => {
    const path = 'fixtures/antall/guide/antall.sql'
    await team.write({ [path]: text })
    const { code, stderr } = await etl(team.dir, ['plan', 'antall', '--local'])
    await team.write({ [path]: tables })
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringMatching(sentence)])
    expect(code).not.toBe(0)
  })
})

describe('the manifest', () => {
  test('gives READ on the datasets of the own project that a query names, and says whose give the others', async () => {
    const { code, all } = await etl(team.dir, ['manifest'])
    expect([code, all]).toEqual([0, expect.stringContaining('naisjob.yaml written')])
    const text = await readFile(join(team.dir, 'naisjob.yaml'), 'utf8')
    expect(text).toMatch(/- name: oppslag\n +permission: READ\n/)
    expect(text).toContain('its owners do (docs/deploy.md): team-prod.saker.sak')
    expect((await etl(team.dir, ['manifest', '--check'])).code).toBe(0)
  })

  test('names a query that the analyser does not understand', async () => {
    await team.write({
      'src/pipelines/feil.ts': source.replace('SELECT COALESCE', 'SELEC COALESCE').replace("'antall', Antall", "'feil', Antall"),
    })
    expect((await etl(team.dir, ['manifest'])).code).toBe(0)
    const text = await readFile(join(team.dir, 'naisjob.yaml'), 'utf8')
    await rm(join(team.dir, 'src/pipelines/feil.ts'))
    expect(text).toContain('what the query antall of feil reads')
  })
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { etl, type Project, project } from '../support/etl.ts'
import { type Local, startLocal } from '../support/local.ts'
import { ask, root } from '../support/project.ts'

// Whatever a person gets wrong: where, what, why, what next; exit 1; nothing half-published.
const secret = '99017012345'
let local: Local
let team: Project
const run = (...args: string[]) =>
  etl(team.dir, ['run', ...args], { BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev' })
const headOf = async (table: string) => (await ask(local.url, `SELECT seq FROM \`team-dev.ut_etl.head__${table}\``))[0]?.seq

beforeAll(async () => {
  local = await startLocal()
  for (const dataset of ['inn', 'ut', 'ut_etl'])
    await local.call('POST', '/team-dev/datasets', { datasetReference: { projectId: 'team-dev', datasetId: dataset } })
  await ask(local.url, 'CREATE TABLE `team-dev.inn.personer` (id INT64, navn STRING, fnr STRING)')
  const rows = Array.from({ length: 20 }, (_, index) => `(${index + 1}, 'navn ${index + 1}', '${secret}')`)
  await ask(local.url, `INSERT INTO \`team-dev.inn.personer\` (id, navn, fnr) VALUES ${rows.join(', ')}`)
})
afterAll(() => local.stop())
beforeEach(async () => {
  team = await project()
  return () => team.remove()
})

/** A pipeline over `personer`; every test changes one thing. */
function pipeline(
  change: { table?: string; row?: string; transform?: string; dataset?: string; to?: string; more?: string } = {},
): string {
  return `import { dataset, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'

const Person = row({ ${change.row ?? "id: z.int(), navn: z.string(), fnr: z.string().meta({ pii: 'direct' })"} })
const Ut = row({ id: z.int(), navn: z.string() }, { key: ['id'] })

export default pipeline({
  schedule: '30 6 * * *',
  from: { personer: table(Person, '${change.table ?? 'inn.personer'}') },
  transform: ({ personer }) => ${change.transform ?? 'personer.map(({ id, navn }) => ({ id, navn }))'},
  to: dataset('${change.dataset ?? 'ut'}').table('${change.to ?? 'personer'}', Ut),
  write: replace(),${change.more ?? ''}
})
`
}

describe('bad input gets a sentence', () => {
  test('no such pipeline: the nearest name', async () => {
    await team.write({ 'src/pipelines/apps-per-env.ts': pipeline() })
    const said = await run('apps-per-nev')
    expect(said.code).toBe(1)
    expect(said.all).toContain('there is no pipeline apps-per-nev. Hint: did you mean apps-per-env?')
  })

  test('a pipeline file that does not compile: file, line and why', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline().replace('replace(),', 'replace(') })
    const said = await run('personer')
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/personer › load › src\/pipelines\/personer\.ts:\d+: the file can't be loaded: /)
  })

  test('a schema that has no column type: the line of the author', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline({ row: 'id: z.int(), navn: z.date()' }) })
    const said = await run('personer')
    expect(said.code).toBe(1)
    expect(said.all).toContain(
      'personer › load › src/pipelines/personer.ts:4: column navn: z.date is no column type. Hint: use z.iso.date() for a day',
    )
  })

  test('a schedule in the hour that summer time skips and repeats: plan refuses it', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline().replace('30 6', '30 2') })
    const said = await etl(team.dir, ['plan', 'personer'], {
      BIGQUERY_EMULATOR_HOST: local.url,
      GOOGLE_CLOUD_PROJECT: 'team-dev',
    })
    expect(said.code).toBe(1)
    expect(said.all).toMatch(
      /"30 2 \* \* \*" ticks between 02:00 and 02:59 in Europe\/Oslo: that hour is skipped in spring.*choose another hour/,
    )
  })

  test('a source table that is missing: similar names', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline({ table: 'inn.persone' }) })
    const said = await run('personer')
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/personer › plan personer: .*team-dev\.inn\.persone.*personer/)
  })

  test('a dataset that is missing: made by naisjob.yaml', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline({ dataset: 'ukjent' }) })
    const said = await run('personer')
    expect(said.code).toBe(1)
    expect(said.all).toContain('dataset ukjent not found in project team-dev.')
  })

  test('a column that is missing: the columns that there are', async () => {
    await team.write({
      'src/pipelines/personer.ts': pipeline({
        row: 'id: z.int(), navm: z.string()',
        transform: 'personer.map(({ id, navm }) => ({ id, navn: navm }))',
      }),
    })
    const said = await run('personer')
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/column navm.*navn/)
  })

  test('a wrong value in row 17: the row and the column', async () => {
    await ask(local.url, 'CREATE TABLE `team-dev.inn.hull` (id INT64, navn STRING)')
    for (let id = 1; id <= 20; id++)
      await ask(local.url, `INSERT INTO \`team-dev.inn.hull\` (id, navn) VALUES (${id}, ${id === 17 ? 'NULL' : "'x'"})`)
    await team.write({
      'src/pipelines/hull.ts': pipeline({ table: 'inn.hull', to: 'hull', row: 'id: z.int(), navn: z.string()' }),
    })
    const said = await run('hull')
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/hull › read personer › row 17 › navn: expected string, got null.*Hint: .*nullable/)
  }, 60_000)

  test('a value of a personal column never shows, whatever happens to it', async () => {
    const row = "id: z.int(), navn: z.string(), fnr: z.string().max(3).meta({ pii: 'direct' })"
    await team.write({
      'src/pipelines/lengde.ts': pipeline({ row, to: 'lengde' }),
      'src/pipelines/kaster.ts': pipeline({
        to: 'kaster',
        transform: 'personer.map(person => { throw new Error(`bad ${person.fnr}`) })',
      }),
      'src/pipelines/feil-type.ts': pipeline({
        to: 'feil_type',
        transform: 'personer.map(({ fnr, navn }) => ({ id: fnr as unknown as number, navn }))',
      }),
    })
    for (const name of ['lengde', 'kaster', 'feil-type']) {
      const said = await run(name)
      expect(said.code).toBe(1)
      expect(said.all).toContain('"failed"')
      expect(said.all).not.toContain(secret)
    }
  })

  test('read hides a personal column unless it is asked for', async () => {
    const ut = 'z.int(), navn: z.string() }'
    const text = pipeline({ to: 'lest', transform: 'personer.map(({ id, fnr }) => ({ id, navn: fnr }))' }).replace(
      ut,
      "z.int(), navn: z.string().meta({ pii: 'direct' }) }",
    )
    await team.write({ 'src/pipelines/lest.ts': text })
    expect((await run('lest')).code).toBe(0)
    const env = { BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev' }
    for (const format of [[], ['--json']]) {
      expect((await etl(team.dir, ['read', 'lest', ...format], env)).all).not.toContain(secret)
      expect((await etl(team.dir, ['read', 'lest', '--personal', ...format], env)).stdout).toContain(secret)
    }
  })

  test('two pipelines of one table: which, before anything runs', async () => {
    await team.write({ 'src/pipelines/a.ts': pipeline({ to: 'felles' }), 'src/pipelines/b.ts': pipeline({ to: 'felles' }) })
    const said = await run()
    expect(said.code).toBe(1)
    expect(said.all).toContain('a and b write the same table felles.')
  })

  test('a key that stands twice in the result: how often, and nothing is published', async () => {
    await team.write({
      'src/pipelines/dobbel.ts': pipeline({ to: 'dobbel', transform: 'personer.map(({ navn }) => ({ id: 7, navn }))' }),
    })
    const said = await run('dobbel')
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/dobbel › transform › row 2: has the same key as row 1/)
    expect(await headOf('dobbel')).toBe(0n)
  })

  test('an empty result where the last was not: refused, the last version stays', async () => {
    await team.write({ 'src/pipelines/tom.ts': pipeline({ to: 'tom' }) })
    expect((await run('tom')).code).toBe(0)
    await team.write({ 'src/pipelines/tom.ts': pipeline({ to: 'tom', transform: '[]' }) })
    const said = await run('tom')
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/tom › audit: the result is empty, and version .* had 20 rows/)
    expect(await headOf('tom')).toBe(1n)
    await team.write({ 'src/pipelines/tom.ts': pipeline({ to: 'tom', transform: '[]', more: " empty: 'allowed'," }) })
    expect((await run('tom')).code).toBe(0)
  })

  test('a transform that throws: the author’s line, in the hint and in the stack', async () => {
    const plain = pipeline({
      row: 'id: z.int(), navn: z.string()',
      to: 'feiler',
      transform: 'personer.map(person => {\n    throw new Error(`no ${person.navn}`)\n  })',
    })
    await team.write({ 'src/pipelines/feiler.ts': plain })
    const said = await run('feiler')
    expect(said.code).toBe(1)
    expect(said.all).toContain('feiler › transform: it threw Error: no navn 1. Hint: see src/pipelines/feiler.ts:11')
    expect(JSON.parse(said.stdout.trim().split('\n').at(-1) ?? '').stack_trace).toMatch(/src\/pipelines\/feiler\.ts:11/)
  })

  test('a promise that nobody waited for: a sentence, and nothing is published', async () => {
    const stray =
      'personer.map(({ id, navn }) => { if (id === 1) void Promise.reject(new TypeError(navn)); return { id, navn } })'
    await team.write({ 'src/pipelines/lover.ts': pipeline({ to: 'lover', transform: stray }) })
    const said = await run('lover')
    expect(said.code).toBe(1)
    expect(said.all).toContain('a promise or timer that nobody waited for failed with TypeError')
    expect(said.all).not.toContain('navn 1')
    expect(await headOf('lover')).toBe(0n)
  })

  test('a timer that throws, early or long after: no text of it, and nothing left under way', async () => {
    const late =
      'personer.map(({ id, navn, fnr }) => { if (id === 1) setTimeout(() => { throw new Error(fnr) }, MS); return { id, navn } })'
    await team.write({
      'src/pipelines/straks.ts': pipeline({ to: 'straks', transform: late.replace('MS', '0') }),
      'src/pipelines/senere.ts': pipeline({ to: 'senere', transform: late.replace('MS', '20000') }),
    })
    const soon = await run('straks')
    expect(soon.code).toBe(1)
    expect(soon.all).not.toContain(secret)
    const later = await run('senere')
    expect(later.code).toBe(0)
    expect(later.all).not.toContain(secret)
  })

  test('a plain object instead of pipeline(…)', async () => {
    await team.write({ 'src/pipelines/rett.ts': pipeline().replace('export default pipeline({', 'export default ({') })
    const said = await run('rett')
    expect(said.code).toBe(1)
    expect(said.all).toContain('src/pipelines/rett.ts has no pipeline as its default export')
  })

  test('a file whose name can be no pipeline’s', async () => {
    await team.write({ 'src/pipelines/Bad_Name.ts': pipeline() })
    const said = await etl(team.dir, ['list'])
    expect(said.code).toBe(1)
    expect(said.all).toContain('call it bad-name.ts')
  })

  test('a folder that can not be written: which, not a defect', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline(), 'fil.txt': '' })
    const said = await etl(team.dir, ['plan', 'personer', '--dir', 'fil.txt'])
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/fil\.txt/)
    expect(said.all).not.toContain('defect')
  })

  test('one pipeline that fails does not stop the others, and the exit code tells', async () => {
    await team.write({
      'src/pipelines/a.ts': pipeline({ to: 'a', transform: '[{ id: 1.5, navn: "x" }]' }),
      'src/pipelines/b.ts': pipeline({ to: 'b' }),
    })
    const said = await run()
    expect(said.code).toBe(1)
    expect(await headOf('b')).toBe(1n)
  })

  test('a port in use: which, and what to do', async () => {
    const said = await etl(team.dir, ['local', '--port', new URL(local.url).port])
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/port \d+ .*in use/i)
  })

  test('a broken fixture: file, line and why', async () => {
    await team.write({
      'src/pipelines/personer.ts': pipeline(),
      'fixtures/personer/en/personer.csv': 'id,navn,fnr\n1,Kari,1\nto,Ola,2\n',
    })
    const said = await etl(team.dir, ['run', 'personer', '--local'])
    expect(said.code).toBe(1)
    expect(said.all).toMatch(/fixtures\/personer\/en\/personer\.csv › .*row 2 › id/)
  })

  test('a pipeline without fixtures can not run on them', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline() })
    const said = await etl(team.dir, ['run', 'personer', '--local'])
    expect(said.code).toBe(1)
    expect(said.all).toContain('fixtures/personer has no case.')
  })

  test('an unknown flag, command or word', async () => {
    for (const [args, sentence] of [
      [['run', '--lokal'], 'etl run has no flag --lokal. Hint: did you mean --local?'],
      [['rnu'], 'there is no command rnu. Hint: did you mean run?'],
      [['plan'], 'etl plan needs NAME.'],
      [['plan', 'a', 'b'], 'b is one word too many'],
      [['run', '--slot', 'i går'], '--slot i går is no time.'],
      [['run', '--env', 'qa'], '--env qa: there are dev and prod.'],
      [['run', '--local', '--dir', '.'], '--dir and --local are two different places.'],
      [['run', '--case', 'en'], '--case chooses fixtures, which only --local reads.'],
      [['read', 'personer', '--dir', 'borte'], '--dir borte: there is no such folder.'],
      [['run', '--slot', '2026-02-31T05:30:00Z'], '--slot 2026-02-31T05:30:00Z is no time.'],
      [['read', 'personer', '--limit', 'alt'], '--limit alt is no number of rows.'],
    ] as const) {
      await team.write({ 'src/pipelines/personer.ts': pipeline() })
      const said = await etl(team.dir, args)
      expect(said.code).toBe(1)
      expect(said.all).toContain(sentence)
    }
  })

  test('no project on a laptop: how to say it', async () => {
    await team.write({ 'src/pipelines/personer.ts': pipeline() })
    const said = await etl(team.dir, ['plan', 'personer'])
    expect(said.code).toBe(1)
    expect(said.all).toContain('add --project NAME, or use --local')
  })

  test('an old Node: the version that is needed, before any TypeScript is loaded', async () => {
    // The real file, told that it runs on Node 20: only the version differs.
    const old = (await readFile(join(root, 'bin', 'etl.js'), 'utf8')).replaceAll('process.versions.node', "'20.19.0'")
    await team.write({ 'etl.js': old })
    const { execFile } = await import('node:child_process')
    const said = await new Promise<{ code: unknown; stderr: string }>(resolve =>
      execFile(process.execPath, [join(team.dir, 'etl.js')], (error, _, stderr) => resolve({ code: error?.code, stderr })),
    )
    expect(said.code).toBe(1)
    expect(said.stderr).toContain('nais-etl needs Node 24 or newer; this is Node 20.19.0')
  })
})

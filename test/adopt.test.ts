import { append, dataset, merge, partition, pipeline, replace, row, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { adopt, adoption, contract, contraction, evolve } from '../src/engine/migrate.ts'
import { client } from './local/support/client.ts'
import { etl, type Project, project } from './support/etl.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'

// A table as pandas' to_gbq makes it: everything NULLABLE, whole numbers with a gap as FLOAT, the legacy names of the types.
const made = [
  { name: 'dato', type: 'DATE' },
  { name: 'id', type: 'STRING' },
  { name: 'n', type: 'FLOAT' },
  { name: 'antall', type: 'INTEGER' },
  { name: 'kommentar', type: 'STRING' },
]
const shape = { dato: z.iso.date(), id: z.string(), n: z.int().nullable(), antall: z.int() }
const Sak = row(shape, { key: ['id'] })
const from = { saker: table(Sak, 'kilde.saker') }
const common = { schedule: '0 6 * * *', from } as const
const to = dataset('arv')
const named = (name: string, its: object) => ({ name, ...pipeline(its as never) }) as NamedPipeline

let local: Local
let runs = 0
const publish = (its: NamedPipeline) => attempt(local.url, its, `arv-${++runs}-aaaaa`)
const world = () => worldOn(local.url)
const rows = (name: string, columns = 'id, n, antall, kommentar, version') =>
  ask(local.url, `SELECT ${columns} FROM \`team-dev.arv.${name}\` ORDER BY id`)
async function inherited(name: string, more: object = {}, fields: readonly object[] = made) {
  const body = { tableReference: { projectId: 'team-dev', datasetId: 'arv', tableId: name }, schema: { fields }, ...more }
  expect((await local.call('POST', '/team-dev/datasets/arv/tables', body)).status).toBe(200)
  await ask(
    local.url,
    `INSERT INTO \`team-dev.arv.${name}\` (dato, id, n, antall, kommentar) VALUES
     (DATE '2024-01-01', 'a', 1, 10, 'gammel'), (DATE '2024-01-01', 'b', NULL, 20, 'gammel')`,
  )
}

beforeAll(async () => {
  local = await startLocal()
  const google = client(local.url, 'team-dev')
  for (const name of ['kilde', 'arv', 'arv_etl']) await google.createDataset(name)
  await ask(local.url, 'CREATE TABLE `team-dev.kilde.saker` (dato DATE, id STRING, n INT64, antall INT64)')
  await ask(
    local.url,
    "INSERT INTO `team-dev.kilde.saker` (dato, id, n, antall) VALUES (DATE '2024-01-01', 'a', 1, 10), (DATE '2024-01-02', 'c', 3, 30)",
  )
})
afterAll(() => local?.stop())

describe('a table that something else made', () => {
  test('is taken over by replace: a version from then on, and what the pipeline doesn’t know stays a column', async () => {
    await inherited('hele')
    const its = named('hele', { ...common, to: to.table('hele', Sak), write: replace() })
    await expect(publish(its)).rejects.toMatchObject({
      kind: 'schema',
      hint: expect.stringContaining('npm run etl -- adopt hele'),
    })
    const found = await adoption(its, await world())
    expect(found).toMatchObject({ isOurs: false, refused: [], rows: 2 })
    expect(found.remarks).toEqual([
      'it stays without clusters; the pipeline would cluster it by id',
      'column n stays FLOAT64, which holds every INT64; whole numbers above 2^53 are not exact there',
      'column kommentar STRING is not in the row schema: it stays, and is NULL in new rows',
    ])
    expect(found.changes[0]).toBe('it gets the column version TIMESTAMP, NULL in the rows that are there')
    expect((await rows('hele', 'id, kommentar'))[0]).toEqual({ id: 'a', kommentar: 'gammel' })
    await adopt(its, found, await world())
    expect((await adoption(its, await world())).isOurs).toBe(true)
    expect(await rows('hele')).toMatchObject([
      { id: 'a', n: 1, antall: 10n, kommentar: 'gammel', version: null },
      { id: 'b', version: null },
    ])
    const { outcome, version } = await publish(its)
    expect(outcome).toBe('published')
    expect(await rows('hele')).toEqual([
      { id: 'a', n: 1, antall: 10n, kommentar: null, version },
      { id: 'c', n: 3, antall: 30n, kommentar: null, version },
    ])
    expect((await publish(its)).outcome).toBe('published')
    expect(
      await ask(
        local.url,
        "SELECT COUNT(*) AS n FROM `team-dev.arv_etl.runs` WHERE event = 'published' AND target = 'team-dev.arv.hele'",
      ),
    ).toEqual([{ n: 2n }])
  })

  test('is taken over by append: the old rows stay beside the new ones', async () => {
    await inherited('lagt')
    const its = named('lagt', { ...common, to: to.table('lagt', Sak), write: append() })
    await adopt(its, await adoption(its, await world()), await world())
    const { version } = await publish(its)
    expect((await rows('lagt')).map(each => [each.id, each.kommentar, each.version])).toEqual(
      expect.arrayContaining([
        ['a', 'gammel', null],
        ['b', 'gammel', null],
        ['a', null, version],
        ['c', null, version],
      ]),
    )
  })

  test('is taken over by merge: what is equal is left alone; the history holds what the table holds', async () => {
    await inherited('flettet')
    const its = named('flettet', { ...common, to: to.table('flettet', Sak), write: merge() })
    await adopt(its, await adoption(its, await world()), await world())
    const { version } = await publish(its)
    expect(await rows('flettet')).toEqual([
      { id: 'a', n: 1, antall: 10n, kommentar: 'gammel', version: null },
      { id: 'b', n: null, antall: 20n, kommentar: 'gammel', version: null },
      { id: 'c', n: 3, antall: 30n, kommentar: null, version },
    ])
    const history = await ask(
      local.url,
      "SELECT id, n, _op FROM `team-dev.arv.flettet__history` WHERE version > TIMESTAMP '2000-01-01 00:00:00+00' ORDER BY id",
    )
    expect(history.map(each => each.id)).toEqual(expect.arrayContaining(['a', 'b', 'c']))
    await inherited('dobbel')
    await ask(local.url, "INSERT INTO `team-dev.arv.dobbel` (id, antall) VALUES ('a', 1), (NULL, 2)")
    const twice = named('dobbel', { ...common, to: to.table('dobbel', Sak), write: merge() })
    expect((await adoption(twice, await world())).refused).toEqual([
      '2 keys stand in several rows, or are NULL (id): a merge needs each once; clean the table first',
    ])
  })

  test('is taken over by partition where its partitions are the same ones, else refused with the way on', async () => {
    await inherited('hel')
    const its = named('hel', { ...common, to: to.table('hel', Sak), write: partition('dato', { recompute: 2 }) })
    const [refused] = (await adoption(its, await world())).refused
    expect(refused).toContain('it has no partitions, the pipeline writes partitions by day of dato')
    expect(refused).toContain('npm run etl -- evolve hel --as hel_v2')

    await inherited('delt', { timePartitioning: { type: 'DAY', field: 'dato' } })
    const fits = named('delt', { ...common, to: to.table('delt', Sak), write: partition('dato', { recompute: 2 }) })
    await adopt(fits, await adoption(fits, await world()), await world())
    const { version } = await publish(fits)
    expect((await rows('delt')).map(each => [each.id, each.version])).toEqual([
      ['a', version],
      ['c', version],
    ])
  })

  test('of other types, or one that deletes itself, is refused; NULL under a required column is told', async () => {
    await inherited('annen', { expirationTime: String(Date.parse('2099-01-01')) })
    const Other = row({ ...shape, antall: z.string() }, { key: ['id'] })
    const its = named('annen', {
      ...common,
      to: to.table('annen', Other),
      write: append(),
      transform: () => [],
    })
    const found = await adoption(its, await world())
    expect(found.refused).toEqual([
      expect.stringContaining('it is deleted by itself at 2099-01-01T00:00:00.000Z'),
      expect.stringContaining('column antall is INT64 there, the row schema says STRING'),
    ])
    await ask(local.url, "INSERT INTO `team-dev.arv.annen` (id) VALUES ('x')")
    const loose = named('annen', { ...common, to: to.table('annen', Sak), write: append() })
    expect((await adoption(loose, await world())).remarks).toEqual(
      expect.arrayContaining([
        'column dato takes no NULL in the row schema, but is NULL in 1 of the rows that stay',
        'column antall takes no NULL in the row schema, but is NULL in 1 of the rows that stay',
      ]),
    )
  })
})

describe('the commands', () => {
  let team: Project
  const files = (table: string, columns: string) => ({
    'src/pipelines/saker.ts': `import { dataset, merge, pipeline, row, table } from 'nais-etl'
import * as z from 'zod'
const Source = row({ dato: z.iso.date(), id: z.string(), n: z.int().nullable(), antall: z.int() }, { key: ['id'] })
const Sak = row({ ${columns} }, { key: ['id'] })
export default pipeline({
  schedule: '0 6 * * *', from: { saker: table(Source, 'kilde.saker') }, write: merge(),
  transform: ({ saker }) => saker.map(({ dato, id, antall }) => ({ dato, id, antall, ny: 'ja' })) as never,
  to: dataset('arv').table('${table}', Sak),
})`,
  })
  const say = (...args: string[]) => etl(team.dir, args, { BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev' })
  const first = 'dato: z.iso.date(), id: z.string(), antall: z.int()'
  beforeAll(async () => {
    await inherited('kommando')
    team = await project(files('kommando', first))
  })
  afterAll(() => team?.remove())

  test('adopt shows, then does; run publishes; contract drops only what nobody writes; evolve makes the next table', async () => {
    const shown = await say('adopt', 'saker')
    expect(shown.stdout).toContain('kommando (2 rows) was made by something else.')
    expect(shown.stdout).toContain('Nothing was changed. To take it over: npm run etl -- adopt saker --yes')
    expect((await say('adopt', 'saker', '--yes')).stdout).toContain('Taken over. Now: npm run etl -- run saker')
    expect((await say('run', 'saker')).code).toBe(0)

    const would = await say('contract', 'saker', '--drop', 'kommentar')
    expect(would.stdout).toContain('team-dev.arv.kommando: 2 values')
    expect(would.stdout).toContain('Nothing was changed.')
    expect((await say('contract', 'saker', '--drop', 'kommentar', '--yes')).stdout).toContain('Dropped.')
    expect((await rows('kommando', 'id, antall')).length).toBe(3)
    await expect(rows('kommando', 'id, kommentar')).rejects.toMatchObject({ kind: 'query' })

    await team.write(files('kommando', 'dato: z.iso.date(), id: z.string(), antall: z.string(), ny: z.string()'))
    const refused = await say('plan', 'saker')
    expect(refused.stderr).toContain('npm run etl -- evolve saker --as kommando_v2')
    const next = await say('evolve', 'saker', '--as', 'kommando_v2', '--until', '2027-03-01')
    expect(next.stdout).toContain('Made: team-dev.arv.kommando_v2, beside team-dev.arv.kommando. Nothing was copied')
    for (const line of [
      'Tabellen `team-dev.arv.kommando` får en ny utgave: `team-dev.arv.kommando_v2`.',
      '- kolonnen antall er nå STRING; den var INT64',
      '- kolonnen ny (STRING) er ny',
      'Den gamle tabellen blir stående til 2027-03-01',
    ])
      expect(next.stdout).toContain(line)
    expect(await ask(local.url, 'SELECT * FROM `team-dev.arv.kommando_v2`')).toEqual([])
  })
})

test('a column that the last run still wrote is not dropped, nor one that the table is clustered by; evolve takes no old name', async () => {
  const its = named('siste', { ...common, to: to.table('siste', Sak, { clusterBy: ['antall'] }), write: replace() })
  await publish(its)
  const { antall: _, n: __, ...rest } = shape
  const without = named('siste', {
    ...common,
    to: to.table('siste', row(rest, { key: ['id'] })),
    write: replace(),
    transform: (({ saker }: { saker: { dato: string; id: string }[] }) => saker.map(({ dato, id }) => ({ dato, id }))) as never,
  })
  await expect(contraction(without, 'n', await world())).rejects.toMatchObject({
    kind: 'usage',
    problem: expect.stringContaining('column n is still written: the last run'),
  })
  const { plan } = await publish(without)
  expect(plan.changes.map(change => [change.kind, change.column])).toEqual(
    expect.arrayContaining([
      ['relax', 'antall'],
      ['unwritten', 'n'],
    ]),
  )
  await expect(contraction(without, 'antall', await world())).rejects.toMatchObject({
    problem: expect.stringContaining('clustered by it'),
  })
  await expect(contraction(without, 'version', await world())).rejects.toMatchObject({ kind: 'usage' })
  await expect(contraction(without, 'id', await world())).rejects.toMatchObject({
    problem: expect.stringContaining('still written'),
  })
  await expect(contraction(without, 'antal', await world())).rejects.toMatchObject({ hint: 'did you mean antall?' })
  const dropped = await contraction(without, 'n', await world())
  expect(dropped.lost).toEqual([
    { table: 'team-dev.arv.siste__history', values: 2 },
    { table: 'team-dev.arv.siste', values: 0 },
  ])
  await contract(dropped, await world())
  expect((await publish(without)).outcome).toBe('published')
  await expect(evolve(without, 'SISTE', undefined, await world())).rejects.toMatchObject({ kind: 'usage' })
  const since = (await publish(without)).plan.changes.find(change => change.column === 'antall' && change.kind === 'unwritten')
  expect(since?.sentence).toMatch(/^column antall is no longer written since version \S+Z, which was the last with it$/)
})

import { bq, dataset, partition, pipeline, row, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { makePlan } from '../src/engine/plan.ts'
import { client } from './local/support/client.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'

const Source = row({
  dato: z.iso.date(),
  id: z.string(),
  n: z.int(),
  note: z.string().nullable(),
  sett: bq.timestamp(),
  belop: bq.numeric(),
})
const from = { saker: table(Source, 'kilde.saker') }
const key = { key: ['dato', 'id'] } as const
const common = { schedule: '0 6 * * *', from, write: partition('dato', { recompute: 1 }) } as const

const V1 = row({ dato: z.iso.date(), id: z.string(), n: z.int(), note: z.string() }, key)
/** The code of the first day. */
const v1 = (set: string): NamedPipeline => ({
  name: 'saker',
  ...pipeline({
    ...common,
    to: dataset(set).table('sak', V1),
    transform: ({ saker }) => saker.map(({ dato, id, n, note }) => ({ dato, id, n, note: note ?? '-' })),
  }),
})
const V2 = row(
  {
    dato: z.iso.date(),
    id: z.string().meta({ description: 'Sakens id' }),
    n: bq.numeric(),
    note: z.string().nullable(),
    sett: bq.timestamp(),
  },
  key,
)
/** A TIMESTAMP more, a column that may be NULL, a wider number, a description. */
const v2 = (set: string): NamedPipeline => ({
  name: 'saker',
  ...pipeline({
    ...common,
    to: dataset(set).table('sak', V2),
    transform: ({ saker }) => saker.map(({ dato, id, note, sett, belop }) => ({ dato, id, note, sett, n: belop })),
  }),
})

let local: Local
const columns = async (set: string, name = 'sak') => {
  const { body } = await local.call('GET', `/team-dev/datasets/${set}/tables/${name}`)
  const { fields } = body.schema as { fields: { name: string; type: string; mode?: string; description?: string }[] }
  return fields.map(field => [field.name, field.type, field.mode ?? 'NULLABLE', field.description ?? ''].join(' ').trim())
}
const rowsOf = (set: string, names: string) => ask(local.url, `SELECT ${names} FROM \`team-dev.${set}.sak\` ORDER BY dato, id`)
const day = (number: number) =>
  ask(
    local.url,
    `INSERT INTO \`team-dev.kilde.saker\` (dato, id, n, note, sett, belop) VALUES
     (DATE '2024-01-0${number}', 'a', ${number}, 'x${number}', TIMESTAMP '2024-01-0${number} 10:00:00.000001+00', NUMERIC '${number}.25'),
     (DATE '2024-01-0${number}', 'b', -${number}, NULL, TIMESTAMP '2024-01-0${number} 11:00:00+00', NUMERIC '${number}')`,
  )
let runs = 0
const publish = async (its: NamedPipeline) => {
  const done = await attempt(local.url, its, `saker-${++runs}-aaaaa`)
  expect(done.outcome).toBe('published')
  return done
}
const plan = async (its: NamedPipeline) => {
  const { ports, settings, request } = await worldOn(local.url)
  return makePlan(its, request, ports, settings)
}
const datasets = async (...names: string[]) => {
  const google = client(local.url, 'team-dev')
  for (const name of names) await google.createDataset(name)
}

beforeAll(async () => {
  local = await startLocal()
  await datasets('kilde')
  await ask(
    local.url,
    'CREATE TABLE `team-dev.kilde.saker` (dato DATE, id STRING, n INT64, note STRING, sett TIMESTAMP, belop NUMERIC)',
  )
  await day(1)
})
afterAll(() => local?.stop())

test('v1, a new TIMESTAMP, relaxed and widened columns, the old code again, and v2: every value where it belongs', async () => {
  await datasets('gang', 'gang_etl')
  await publish(v1('gang'))
  const planned = await plan(v2('gang'))
  expect(planned.changes.map(change => `${change.class}: ${change.sentence}`)).toEqual([
    'expand: column id has another description',
    'expand: column n becomes NUMERIC; it is INT64',
    'expand: column note may be NULL from now on',
    'expand: column sett TIMESTAMP is new; BigQuery adds it nullable, the audit refuses NULL from now on',
  ])
  const [t, history] = ['`team-dev.gang.sak`', '`team-dev.gang.sak__history`']
  expect(planned.evolve.slice(0, -1)).toEqual([
    `ALTER TABLE ${history}\n  ADD COLUMN IF NOT EXISTS \`sett\` TIMESTAMP;`,
    `ALTER TABLE ${history} ALTER COLUMN \`n\` SET DATA TYPE NUMERIC;`,
    `ALTER TABLE ${history} ALTER COLUMN \`note\` DROP NOT NULL;`,
    `ALTER TABLE ${t}\n  ADD COLUMN IF NOT EXISTS \`sett\` TIMESTAMP;`,
    `ALTER TABLE ${t} ALTER COLUMN \`id\` SET OPTIONS (description = 'Sakens id');`,
    `ALTER TABLE ${t} ALTER COLUMN \`n\` SET DATA TYPE NUMERIC;`,
    `ALTER TABLE ${t} ALTER COLUMN \`note\` DROP NOT NULL;`,
  ])
  expect(planned.evolve.at(-1)).toContain("'evolved'")

  await day(2)
  const second = await publish(v2('gang'))
  expect(second.events.find(event => event.kind === 'evolved')).toMatchObject({ table: 'team-dev.gang.sak' })
  await day(3)
  const old = await plan(v1('gang'))
  expect(old.changes.map(change => [change.class, change.kind, change.column])).toEqual([
    ['keep', 'wider', 'n'],
    ['keep', 'tighten', 'note'],
    ['keep', 'unwritten', 'sett'],
  ])
  await publish(v1('gang'))
  await day(4)
  const third = await plan(v2('gang'))
  expect(third.evolve).toHaveLength(1) // only the note: v2 is what is declared again
  await publish(v2('gang'))
  expect((await plan(v2('gang'))).evolve).toEqual([])

  expect(await columns('gang')).toEqual([
    'dato DATE REQUIRED',
    'id STRING REQUIRED Sakens id',
    'n NUMERIC REQUIRED',
    'note STRING NULLABLE',
    'version TIMESTAMP REQUIRED',
    'sett TIMESTAMP NULLABLE',
  ])
  // Old rows keep their values in the wider column and have none in the new one; so do those that the old code wrote afterwards.
  const found = await rowsOf('gang', 'dato, id, n, note, sett')
  const of = (name: string) => found.map(each => each[name])
  expect(of('dato')).toEqual(['01', '01', '02', '02', '03', '03', '04', '04'].map(number => `2024-01-${number}`))
  expect(of('id')).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b'])
  expect(of('n')).toEqual(['1', '-1', '2.25', '2', '3', '-3', '4.25', '4'])
  expect(of('note')).toEqual(['x1', '-', 'x2', null, 'x3', '-', 'x4', null])
  expect(of('sett')).toEqual([
    null,
    null,
    '2024-01-02T10:00:00.000001Z',
    '2024-01-02T11:00:00Z',
    null,
    null,
    '2024-01-04T10:00:00.000001Z',
    '2024-01-04T11:00:00Z',
  ])
  const kept = await ask(
    local.url,
    "SELECT dato, id, n, note, sett, _op FROM `team-dev.gang.sak__history` WHERE version > TIMESTAMP '2000-01-01 00:00:00+00' AND sett IS NOT NULL ORDER BY dato, id, n",
  )
  expect(new Set(kept.map(each => each.dato))).toEqual(new Set(['2024-01-02', '2024-01-04']))
  expect(kept.at(-1)).toMatchObject({ id: 'b', n: '4', note: null, sett: '2024-01-04T11:00:00Z', _op: 'row' })
})

test('two pods that widen at once, and one that was cut in the middle: each finds what is left', async () => {
  await datasets('to', 'to_etl')
  await publish(v1('to'))
  const { ports } = await worldOn(local.url)
  const { evolve } = await plan(v2('to'))
  await ports.warehouse.bootstrap(evolve.slice(0, 3), 'cutcut')
  // A second DROP NOT NULL of the same column is an error of the service.
  await expect(ports.warehouse.bootstrap(evolve.slice(0, 3), 'cutcut')).rejects.toMatchObject({ kind: 'query' })
  const both = await Promise.all(['p', 'q'].map(job => attempt(local.url, v2('to'), `saker-${job}-bbbbb`)))
  expect(both.map(each => each.outcome)).toEqual(['published', 'published'])
  expect(await columns('to')).toContain('sett TIMESTAMP NULLABLE')
  expect(await columns('to', 'sak__history')).toContain('note STRING NULLABLE')
})

describe('what breaks a reader', () => {
  const other = (to: ReturnType<typeof row>, transform: (rows: { saker: readonly Record<string, unknown>[] }) => unknown[]) =>
    ({
      name: 'saker',
      ...pipeline({ ...common, to: dataset('brudd').table('sak', to as never), transform: transform as never } as never),
    }) as NamedPipeline
  const shape = V1.shape
  beforeAll(async () => {
    await datasets('brudd', 'brudd_etl')
    await publish(v1('brudd'))
  })

  test.each([
    ['another type', row({ ...shape, n: z.string() }, key), 'column n is INT64 there, the row schema says STRING'],
    [
      'another name',
      row({ dato: shape.dato, id: shape.id, n: shape.n, notat: z.string() }, key),
      'column note is called notat in the row schema',
    ],
    ['another key', row(shape, { key: ['dato'] }), 'its rows are told apart by dato, id so far, the row schema says by dato'],
  ])('%s is refused by the plan, with the way on, and nothing is changed', async (_, to, sentence) => {
    const before = await columns('brudd')
    const refused = other(to as never, () => [])
    await expect(plan(refused)).rejects.toMatchObject({
      kind: 'schema',
      problem: expect.stringContaining(sentence),
      hint: expect.stringContaining('npm run etl -- evolve saker --as sak_v2'),
    })
    await expect(attempt(local.url, refused, `saker-${++runs}-aaaaa`)).rejects.toMatchObject({ kind: 'schema' })
    expect(await columns('brudd')).toEqual(before)
    expect(await rowsOf('brudd', 'n, dato, id')).toHaveLength((await rowsOf('brudd', 'dato, id')).length)
  })

  test('NULL that may be no longer, where rows with NULL stay; without such rows the audit takes over', async () => {
    await datasets('nuller', 'nuller_etl')
    const loose = row({ dato: shape.dato, id: shape.id, note: z.string().nullable() }, key)
    const of = (to: unknown, write: unknown, note: (text: unknown) => unknown) =>
      ({
        name: 'saker',
        ...pipeline({
          ...common,
          write,
          to: dataset('nuller').table('sak', to as never),
          transform: (({ saker }: { saker: Record<string, unknown>[] }) =>
            saker.map(({ dato, id, note: text }) => ({ dato, id, note: note(text) }))) as never,
        } as never),
      }) as NamedPipeline
    const tight = row({ dato: shape.dato, id: shape.id, note: z.string() }, key)
    await publish(of(loose, common.write, text => text))
    await expect(plan(of(tight, common.write, text => text ?? '-'))).rejects.toMatchObject({
      kind: 'schema',
      problem: expect.stringMatching(/column note takes no NULL in the row schema, but is NULL in \d+ rows? that stay/),
    })
    await ask(local.url, "UPDATE `team-dev.nuller.sak` SET note = '-' WHERE note IS NULL")
    const fits = of(tight, common.write, text => text ?? '-')
    expect((await plan(fits)).changes.map(change => change.kind)).toEqual(['tighten'])
    await publish(fits)
    expect((await plan(fits)).changes).toEqual([])
  })
})

test('another length of the history is that of the table from the next run on', async () => {
  await datasets('lengde', 'lengde_etl')
  const kept = (days: 90 | 400): NamedPipeline => ({
    ...v1('lengde'),
    write: partition('dato', { recompute: 1, history: `${days} days` }),
  })
  const expiration = async () => {
    const { body } = await local.call('GET', '/team-dev/datasets/lengde/tables/sak__history')
    return Number((body.timePartitioning as { expirationMs: string }).expirationMs) / 86_400_000
  }
  await publish(kept(90))
  expect(await expiration()).toBe(90)
  expect((await plan(kept(400))).evolve[0]).toBe(
    'ALTER TABLE `team-dev.lengde.sak__history` SET OPTIONS (partition_expiration_days = 400);',
  )
  await publish(kept(400))
  expect(await expiration()).toBe(400)
  expect((await plan(kept(400))).evolve).toEqual([])
})

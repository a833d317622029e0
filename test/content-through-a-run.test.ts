// The hash of what lies in a stage, in runs: other rows than were sent are never published, and rows that never left BigQuery have a hash too.
import { dataset, merge, pipeline, replace, row, sql, table } from 'nais-etl'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline, Pipeline } from '../src/domain/pipeline.ts'
import { run } from '../src/engine/run.ts'
import { client } from './local/support/client.ts'
import { loadTable } from './support/as-values.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'

const App = row({ id: z.int(), name: z.string().nullable() }, { key: ['id'] })
const apps = [1, 2, 3].map(id => ({ id, name: id === 2 ? null : `app ${id}` }))

let local: Local
beforeAll(async () => {
  local = await startLocal()
  for (const name of ['inn', 'ut', 'ut_etl']) await client(local.url, 'team-dev').createDataset(name)
  await loadTable(client(local.url, 'team-dev'), 'inn', 'apps', App.columns, apps)
})
afterAll(() => local?.stop())

const from = { apps: table(App, 'inn.apps') }
const named = (name: string, made: Pipeline): NamedPipeline => ({ ...made, name })
const rowsWay = (name: string, write = replace() as never) =>
  named(
    name,
    pipeline({ schedule: '0 6 * * *', from, transform: given => [...given.apps], to: dataset('ut').table(name, App), write }),
  )
const sqlWay = (name: string) =>
  named(
    name,
    pipeline({
      schedule: '0 6 * * *',
      from,
      transform: sql`SELECT id, name FROM ${'apps'}`,
      to: dataset('ut').table(name, App),
      write: replace(),
    }),
  )

const hashes = async (name: string) => {
  const runs = 'SELECT content_hash, version FROM `team-dev.ut_etl.runs`'
  const rows = await ask(local.url, `${runs} WHERE event = 'published' AND target = 'team-dev.ut.${name}' ORDER BY version`)
  return rows.map(each => each.content_hash)
}

test('rows of a function and rows of a query have the same hash where they are the same, and the query says what is unchanged', async () => {
  await attempt(local.url, rowsWay('by_rows'), 'by-rows-aaaaa')
  await attempt(local.url, sqlWay('by_sql'), 'by-sql-aaaaa')
  const again = await attempt(local.url, sqlWay('by_sql'), 'again-aaaaa')
  expect(again.events.find(event => event.kind === 'published')).toMatchObject({ unchanged: true })
  const [hash] = await hashes('by_rows')
  expect(hash).toMatch(/^2-3-\d+-\d+$/)
  expect(await hashes('by_sql')).toEqual([hash, hash])
})

test('rows that are deleted are not among those that were sent', async () => {
  const merged = rowsWay('merged', merge({ deletes: 'missing' }) as never)
  await attempt(local.url, merged, 'first-aaaaa')
  await ask(local.url, "INSERT INTO `team-dev.ut.merged` (id, name, version) VALUES (9, 'gone', CURRENT_TIMESTAMP())")
  await attempt(local.url, merged, 'second-aaaaa')
  expect(await ask(local.url, 'SELECT id FROM `team-dev.ut.merged` ORDER BY id')).toEqual([{ id: 1n }, { id: 2n }, { id: 3n }])
  const [first, second] = await hashes('merged')
  expect(second).toBe(first)
})

test.each([
  ['a value that changed on the way', "SET name = 'other' WHERE id = 3"],
  ['NULL that became text', "SET name = 'NULL' WHERE id = 2"],
])('%s: nothing is published', async (_, change) => {
  const name = `changed_${change.length}`
  const world = await worldOn(local.url, `${name.replaceAll('_', '-')}-aaaaa`)
  const { warehouse } = world.ports
  const ports = {
    ...world.ports,
    warehouse: {
      ...warehouse,
      // What a load job might do to a value.
      async stage(...given: Parameters<typeof warehouse.stage>) {
        const stage = await warehouse.stage(...given)
        const { project, dataset, table } = stage.table
        await ask(local.url, `UPDATE \`${project}.${dataset}.${table}\` ${change}`)
        return stage
      },
    },
  }
  const made = rowsWay(name)
  await expect(run(made, world.request, ports, world.settings, new AbortController().signal)).rejects.toMatchObject({
    kind: 'audit',
    problem: 'the stage holds other rows than were sent: their hash is another',
  })
  expect(await hashes(name)).toEqual([])
})

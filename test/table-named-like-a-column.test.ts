import { dataset, partition, pipeline, replace, row, sql, table } from 'nais-etl'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { makePlan } from '../src/engine/plan.ts'
import { currentRows } from '../src/engine/rows.ts'
import { client } from './local/support/client.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'

// In GoogleSQL `SELECT dato FROM d.dato` gives whole rows of the table, not its column.
const Day = row({ dato: z.iso.date(), this_table: z.int() }, { key: ['dato'] })
const common = { schedule: '0 6 * * *', from: { days: table(Day, 'kilde.Dato') } }
const to = (name: string) => dataset(name).table('dato', Day)
const rows = [
  { dato: '2024-01-01', this_table: 1n },
  { dato: '2024-01-02', this_table: 2n },
]

let local: Local
beforeAll(async () => {
  local = await startLocal()
  const google = client(local.url, 'team-dev')
  for (const name of ['kilde', 'hele', 'hele_etl', 'deler', 'deler_etl', 'sporring', 'sporring_etl'])
    await google.createDataset(name)
  await ask(local.url, 'CREATE TABLE `team-dev.kilde.Dato` (dato DATE, this_table INT64)')
  await ask(
    local.url,
    "INSERT INTO `team-dev.kilde.Dato` (dato, this_table) VALUES (DATE '2024-01-01', 1), (DATE '2024-01-02', 2)",
  )
})
afterAll(() => local?.stop())

const pipelines: readonly NamedPipeline[] = [
  { name: 'hele', ...pipeline({ ...common, to: to('hele'), write: replace() }) },
  { name: 'deler', ...pipeline({ ...common, to: to('deler'), write: partition('dato', { recompute: 2 }) }) },
  {
    name: 'sporring',
    ...pipeline({ ...common, to: to('sporring'), write: partition('dato'), transform: sql`SELECT * FROM ${'days'}` }),
  },
]

test.each(pipelines)('source and target of $name may have the name of a column', async pipeline => {
  for (const run of ['a', 'b']) await attempt(local.url, pipeline, `${pipeline.name}-${run}-aaaaa`)
  const { ports, request, settings } = await worldOn(local.url)
  const { tables } = await makePlan(pipeline, request, ports, settings)
  const current = await currentRows(pipeline, tables, ports.warehouse, 10)
  expect(current.rows).toMatchObject(rows)
})

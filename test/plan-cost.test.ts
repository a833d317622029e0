import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { costOfPlan } from '../src/engine/cost.ts'
import { makePlan } from '../src/engine/plan.ts'
import { dataset, pipeline, replace, row, sql, table } from '../src/index.ts'
import { etl } from './support/etl.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, root, worldOn } from './support/project.ts'

// Sizes of real tables, by tables.get and dry runs; the arithmetic is test/domain/cost.test.ts.
let local: Local
const Row = row({ id: z.int(), tekst: z.string() }, { key: ['id'] })
const leastBilled = 10 * 2 ** 20

beforeAll(async () => {
  local = await startLocal()
  for (const datasetId of ['inn', 'ut', 'ut_etl'])
    await local.call('POST', '/team-dev/datasets', { datasetReference: { projectId: 'team-dev', datasetId } })
  await ask(local.url, 'CREATE TABLE `team-dev.inn.rader` (id INT64, tekst STRING, ubrukt STRING)')
  await ask(local.url, "INSERT INTO `team-dev.inn.rader` (id, tekst, ubrukt) VALUES (1, 'abc', 'x'), (2, 'def', 'x')")
})
afterAll(() => local.stop())

const made = (
  to: string,
  more: { transform?: ReturnType<typeof sql>; write?: ReturnType<typeof replace> } = {},
): NamedPipeline => ({
  ...pipeline({
    schedule: '30 6 * * *',
    from: { rader: table(Row, 'inn.rader'), igjen: table(Row, 'inn.rader') },
    transform: (more.transform ?? (({ rader }: { rader: unknown }) => rader)) as never,
    to: dataset('ut').table(to, Row),
    write: more.write ?? replace(),
  }),
  name: to,
})
const planned = async (one: NamedPipeline) => {
  const { ports, settings, request } = await worldOn(local.url)
  const plan = await makePlan(one, request, ports, settings)
  return { plan, cost: await costOfPlan(plan, ports) }
}

test('before the first publication: what the sources’ own queries read, the columns of the schema alone', async () => {
  const { plan, cost } = await planned(made('a'))
  // BigQuery: Data size calculation: INT64 8 bytes, STRING 2 bytes and its UTF-8.
  expect(cost.sources).toEqual({ rader: 2 * (8 + 2 + 3), igjen: 2 * (8 + 2 + 3) })
  expect(cost).toMatchObject({ readBytes: leastBilled, complete: false })
  expect(cost.runsMonth).toBeCloseTo(365 / 12)
  expect(plan.size).toBeNull()
})

test('after it: the table’s size too', async () => {
  await attempt(local.url, made('a'), 'first-aaaaa')
  const { plan, cost } = await planned(made('a'))
  expect(plan.size).toEqual({ rows: 2, bytes: 2 * (8 + 2 + 3 + 8) })
  expect(cost.complete).toBe(true)
  expect(cost.publishBytes).toBe((8 + 3) * leastBilled)
})

test('a sql transform reads its sources by one query', async () => {
  const both = sql`SELECT rader.id, rader.tekst FROM ${'rader'} AS rader JOIN ${'igjen'} AS igjen ON rader.id = igjen.id`
  const { cost } = await planned(made('b', { transform: both }))
  expect(cost.readBytes).toBe(leastBilled)
  expect(cost.sources.rader).toBe(cost.sources.igjen)
})

test('replace is refused above maxReplaceBytes, with the way out and its price; a run refuses it too', async () => {
  const limited = made('a', { write: replace({ maxReplaceBytes: 41 }) })
  const sentence =
    "team-dev.ut.a has 42 B, and replace writes all of it in every run (maxReplaceBytes: 41 B). Hint: use partition, or set history: 'snapshot' and raise maxReplaceBytes: ≈ 0.018 USD a month"
  await expect(planned(limited)).rejects.toThrow(sentence)
  await expect(attempt(local.url, limited, 'second-aaaaa')).rejects.toThrow(sentence)
  expect((await planned(made('a', { write: replace({ maxReplaceBytes: 42 }) }))).plan.version).toBeDefined()
})

test('etl plan prints bytes and cost, per run and per month', async () => {
  const said = await etl(root, ['plan', 'apps-per-env', '--local'])
  expect(said.stdout).toMatch(/reads {5}apps = nais-prod-b6f2\.dataproduct_apps\.unique \(6 rows\), 105 B\n/)
  expect(said.stdout).toContain(
    '  bytes     a run is billed for 10.5 MB of reading and 83.9 MB of publishing, as far as it is known yet\n',
  )
  expect(said.stdout).toContain(
    '  costs     ≈ 0.00054 USD a run, ≈ 0.016 USD a month of 30.4 runs (list price, 6.25 USD per TiB)\n',
  )
  const { cost } = JSON.parse((await etl(root, ['plan', 'apps-per-env', '--local', '--json'])).stdout) as { cost: object }
  expect(cost).toMatchObject({ readBytes: leastBilled, complete: false })
})

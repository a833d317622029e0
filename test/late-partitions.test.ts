import { dataset, partition, pipeline, row, sql, table } from 'nais-etl'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { makePlan } from '../src/engine/plan.ts'
import { run } from '../src/engine/run.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'
import { makeDatasets } from './support/source-table.ts'

const Day = row({ dato: z.iso.date(), n: z.int() }, { key: ['dato', 'n'] })
const named = (name: string, source: string, options: Parameters<typeof partition>[1] = {}): NamedPipeline => ({
  name,
  ...pipeline({
    schedule: '30 6 * * *',
    from: { days: table(Day, source) },
    to: dataset('sene').table(name, Day),
    write: partition('dato', options),
  }),
})
const day = (number: number) => `2024-01-0${number}`

let local: Local
let count = 0
let days: NamedPipeline
beforeAll(async () => {
  local = await startLocal()
  await makeDatasets(local, 'kilde', 'sene')
})
beforeEach(async () => {
  count++
  days = named(`dager_${count}`, `kilde.dager_${count}`)
  await execute(`CREATE TABLE ${source()} (dato DATE NOT NULL, n INT64 NOT NULL) PARTITION BY dato`)
  await execute(`INSERT INTO ${source()} VALUES ${[1, 2, 3, 4, 5].map(number => `(DATE '${day(number)}', 1)`).join(', ')}`)
  // The local server keeps the times of a table's partitions from the first question on; the service always does.
  await ask(
    local.url,
    `SELECT partition_id FROM \`team-dev.kilde\`.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = '${days.name}'`,
  )
})
afterAll(() => local.stop())

test('exactly the slices that the source has changed are done again, and each once', async () => {
  expect(await scope('a')).toEqual([1, 2, 3, 4, 5].map(day))
  expect(await scope('b')).toEqual([day(5)])
  await execute(`UPDATE ${source()} SET n = 2 WHERE dato = '${day(2)}'; INSERT INTO ${source()} VALUES (DATE '${day(3)}', 3)`)
  const { plan } = await attempt(local.url, days, 'c-aaaaa')
  expect(plan.scope).toEqual([2, 3, 5].map(day))
  expect(plan.why).toBe('0 that no version has, 3 again (recompute: 1, 2 of them changed since they were read)')
  const rows = await ask(local.url, `SELECT n FROM \`team-dev.sene.${days.name}\` ORDER BY dato, n`)
  expect(rows.map(({ n }) => Number(n))).toEqual([1, 2, 1, 3, 1, 1])
  expect(await scope('d')).toEqual([day(5)])
  expect(plan.replayable.answer).toBe('yes')
})

test('a change after the rows were read and before they were published is not lost', async () => {
  const { ports, settings, request } = await worldOn(local.url, 'a-aaaaa')
  let changed: Promise<unknown> | undefined
  const event = ({ kind }: { kind: string }) => {
    if (kind === 'staged') changed = execute(`UPDATE ${source()} SET n = 2 WHERE dato = '${day(1)}'`)
  }
  const warehouse = {
    ...ports.warehouse,
    publish: async (...given: Parameters<typeof ports.warehouse.publish>) => {
      await changed
      return ports.warehouse.publish(...given)
    },
  }
  await run(days, request, { ...ports, warehouse, report: { event } }, settings, new AbortController().signal)
  expect(await scope('b')).toEqual([day(1), day(5)])
})

test('not more than maxSlices at once: the others wait, and are counted; ignored where the author says so', async () => {
  await scope('a')
  await execute(`UPDATE ${source()} SET n = 2 WHERE n = 1`)
  const few = named(days.name, `kilde.${days.name}`, { maxSlices: 3 })
  const { plan } = await attempt(local.url, few, 'b-aaaaa')
  expect(plan).toMatchObject({ scope: [1, 2, 5].map(day), left: 2 })
  const ignoring = named(days.name, `kilde.${days.name}`, { late: 'ignored' })
  expect((await attempt(local.url, ignoring, 'c-aaaaa')).plan).toMatchObject({ scope: [day(5)], left: 0 })
  expect((await attempt(local.url, few, 'd-aaaaa')).plan).toMatchObject({ scope: [3, 4, 5].map(day), left: 0 })
})

test('plan says where nobody can know', async () => {
  await execute(`CREATE TABLE \`team-dev.kilde.flat_${count}\` (dato DATE NOT NULL, n INT64 NOT NULL)`)
  await execute(`INSERT INTO \`team-dev.kilde.flat_${count}\` VALUES (DATE '${day(1)}', 1)`)
  const flat = named(`flat_${count}`, `kilde.flat_${count}`)
  await attempt(local.url, flat, 'a-aaaaa')
  const { ports, settings, request } = await worldOn(local.url)
  const { why, replayable } = await makePlan(flat, request, ports, settings)
  expect(why).toContain('late rows beyond recompute are not seen of days (it is not partitioned by dato): it is a guess there')
  expect(replayable).toMatchObject({ answer: 'until', why: expect.stringContaining('time travel of days ends') })
})

test('a sql transform does them again too', async () => {
  const inside: NamedPipeline = {
    ...days,
    ...pipeline({
      schedule: '30 6 * * *',
      from: { days: table(Day, `kilde.${days.name}`) },
      transform: sql`SELECT dato, n FROM ${'days'}`,
      to: dataset('sene').table(days.name, Day),
      write: partition('dato'),
    }),
  }
  await attempt(local.url, inside, 'a-aaaaa')
  await execute(`UPDATE ${source()} SET n = 2 WHERE dato = '${day(2)}'`)
  expect((await attempt(local.url, inside, 'b-aaaaa')).plan.scope).toEqual([day(2), day(5)])
})

const source = () => `\`team-dev.kilde.dager_${count}\``

async function execute(text: string): Promise<void> {
  const { ports } = await worldOn(local.url)
  await ports.warehouse.execute('test-fill', text, 'the source')
}

async function scope(run: string): Promise<readonly string[] | null> {
  return (await attempt(local.url, days, `${run}-aaaaa`)).plan.scope
}

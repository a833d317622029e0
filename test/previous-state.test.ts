import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { makePlan } from '../src/engine/plan.ts'
import { bq, dataset, merge, pipeline, row, self, table } from '../src/index.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'
import { makeDatasets, sourceTable } from './support/source-table.ts'

// A running total: each run adds what has come to what the target has, which only works if it reads exactly its own last state.
const Bevegelse = row({ konto: z.string(), sub: z.int(), belop: z.int() })
const Saldo = row({ konto: z.string(), sub: z.int(), saldo: bq.int64(), antall: z.int() }, { key: ['konto', 'sub'] })

const seen: string[][] = []
const saldoer: NamedPipeline = {
  ...pipeline({
    schedule: '0 5 * * *',
    from: { nye: table(Bevegelse, 'inn.bevegelser'), previous: self() },
    transform: ({ nye, previous }) => {
      seen.push(previous.map(({ konto, sub }) => `${konto}/${sub}`).sort())
      return [...new Set(nye.map(({ konto, sub }) => `${konto}/${sub}`))].map(id => {
        const mine = nye.filter(({ konto, sub }) => `${konto}/${sub}` === id)
        const before = previous.find(({ konto, sub }) => `${konto}/${sub}` === id)
        const { konto, sub } = mine[0]!
        const sum = mine.reduce((total, { belop }) => total + belop, 0)
        return { konto, sub, saldo: (before?.saldo ?? 0n) + BigInt(sum), antall: (before?.antall ?? 0) + mine.length }
      })
    },
    to: dataset('ut').table('saldoer', Saldo),
    write: merge(),
    empty: 'allowed',
  }),
  name: 'saldoer',
}

let local: Local
let inn: Awaited<ReturnType<typeof sourceTable>>
beforeAll(async () => {
  local = await startLocal()
  await makeDatasets(local, 'inn', 'ut')
  inn = await sourceTable(local, 'inn.bevegelser', 'konto STRING NOT NULL, sub INT64 NOT NULL, belop INT64 NOT NULL')
})
afterAll(() => local.stop())

const saldo = async () =>
  (await ask(local.url, 'SELECT konto, sub, saldo, antall FROM `team-dev.ut.saldoer`'))
    .map(each => `${each.konto}/${each.sub} ${each.saldo} ${each.antall}`)
    .sort()

test('each run gets the rows of its own last version, of the keys that have come, and no others', async () => {
  const first = await makePlan(
    saldoer,
    (await worldOn(local.url)).request,
    (await worldOn(local.url)).ports,
    (await worldOn(local.url)).settings,
  )
  expect(first.sources.find(({ name }) => name === 'previous')?.from).toMatch(/not made yet/)
  await inn.fill("('a', 1, 10)", "('a', 1, 5)", "('b', 1, 7)", "('a', 2, 1)")
  await attempt(local.url, saldoer, 'en-aaaaa')
  expect(await saldo()).toEqual(['a/1 15 2', 'a/2 1 1', 'b/1 7 1'])
  await inn.fill("('a', 1, -3)", "('c', 1, 4)")
  await attempt(local.url, saldoer, 'to-bbbbb')
  expect(await saldo()).toEqual(['a/1 12 3', 'a/2 1 1', 'b/1 7 1', 'c/1 4 1'])
  await inn.fill()
  await attempt(local.url, saldoer, 'tre-ccccc')
  expect(await saldo()).toEqual(['a/1 12 3', 'a/2 1 1', 'b/1 7 1', 'c/1 4 1'])
  expect(seen).toEqual([[], ['a/1'], []])
})

test('two runs at once add their rows once each: the one that lost its base plans anew', async () => {
  await inn.fill("('d', 1, 1)")
  const ends = await Promise.all(['fire-ddddd', 'fem-eeeee', 'seks-fffff'].map(pod => attempt(local.url, saldoer, pod)))
  expect(ends.map(({ outcome }) => outcome)).toEqual(['published', 'published', 'published'])
  expect((await saldo()).filter(each => each.startsWith('d/'))).toEqual(['d/1 3 3'])
})

test.each([
  ['each', { transform: { each: () => [] } }, /takes one source/],
  ['nothing else', { from: { previous: self() }, transform: () => [] }, /gets other sources too/],
])('refuses self() with %s', (_, wrong, sentence) => {
  const right = {
    schedule: '0 5 * * *',
    from: { nye: table(Bevegelse, 'inn.b'), previous: self() },
    to: dataset('ut').table('s', Saldo),
    write: merge(),
  }
  expect(() => pipeline({ ...right, ...wrong } as never)).toThrow(sentence)
})

import { dataset, merge, pipeline, row, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { named } from '../adapters/bigquery/world.ts'
import { merged, outcomeOf, publish, readyStages, type Subject, stateOf, version, whole } from './subject.ts'

const Out = row({ dato: z.iso.date(), env: z.string(), n: z.int().nullable(), slettet: z.boolean() }, { key: ['env'] })
const common = {
  schedule: '30 6 * * *',
  from: { source: table(Out, 'source.apps') },
  to: dataset('anything').table('t', Out),
} as const
const marked = named(pipeline({ ...common, write: merge({ deletes: { when: 'slettet' } }) }))
const missing = named(pipeline({ ...common, write: merge({ deletes: 'missing' }) }))
const dato = '2024-01-01'
const of = (env: string, n: number | null, slettet = false) => ({ dato, env, n, slettet })
const shown = (rows: readonly (readonly (string | null)[])[]) => rows.map(([, ...rest]) => rest.join(' '))
const [first, second] = ['1706765400000000', '1706851800000000']

/** What merge does beside the fence, several targets at once, and an earlier version that is brought back. */
export function mergingContract(on: Subject): void {
  describe('merge', () => {
    test('leaves equal rows with their version, NULLs among them, changes others, adds new ones and deletes those that say so', async () => {
      const { tables, make, stages } = await readyStages(
        on,
        marked,
        [of('a', 1), of('b', null), of('c', 3), of('d', 4)],
        [of('a', 1), of('b', null), of('c', null), of('d', 4, true), of('e', 5), of('never', 6, true)],
      )
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) }))
      await publish(on, make(stages[1], { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n }))
      const { rows, history } = await stateOf(on, tables, marked)
      expect(shown(rows)).toEqual([`a 1 ${first}`, `b  ${first}`, `c  ${second}`, `e 5 ${second}`])
      expect(shown(history).filter(line => line.endsWith(second as string))).toEqual(
        ['a 1 upsert', 'b  upsert', 'c  upsert', 'd 4 delete', 'e 5 upsert', 'never 6 delete'].map(line => `${line} ${second}`),
      )
    })

    test('deletes what the result lacks, and keeps its last values in the history', async () => {
      const { tables, make, stages } = await readyStages(on, missing, [of('a', 1), of('b', 2)], [of('b', 2)])
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) }))
      const { columns, key } = Out
      const stage = stages[1] as NonNullable<(typeof stages)[1]>
      expect(await on.adapter.warehouse.stageMissing(tables, columns, key, stage)).toMatchObject({ deleted: 1 })
      await publish(on, make(stage, { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n }))
      const { rows, history } = await stateOf(on, tables, missing)
      expect(shown(rows)).toEqual([`b 2 ${first}`])
      expect(shown(history)).toEqual([
        `a 1 upsert ${first}`,
        `b 2 upsert ${first}`,
        `a 1 delete ${second}`,
        `b 2 upsert ${second}`,
      ])
    })

    test('keeps the whole table as a baseline, where one is due', async () => {
      const { tables, make, stages } = await readyStages(on, marked, [of('a', 1), of('b', 2)], [of('b', 3)])
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1), baseline: true }))
      await publish(on, make(stages[1], { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n, baseline: true }))
      const { history } = await stateOf(on, tables, marked)
      expect(shown(history)).toEqual([`a 1 row ${first}`, `b 2 row ${first}`, `a 1 row ${second}`, `b 3 row ${second}`])
    })

    test('of two rows of one key fails, and leaves nothing', async () => {
      const { tables, make, stages } = await readyStages(on, marked, [of('a', 1)], [of('a', 2), of('a', 3)])
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) }))
      const before = await stateOf(on, tables, marked)
      const twice = make(stages[1], { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n })
      expect(await outcomeOf(publish(on, twice))).toBe('query')
      expect(await stateOf(on, tables, marked)).toEqual(before)
    })
  })

  describe('a publication of two targets', () => {
    test('publishes both or, where one of them has another base, none', async () => {
      const one = await readyStages(on, merged, [{ dato, env: 'dev', n: 1 }])
      const other = await readyStages(on, whole, [{ dato, env: 'dev', n: 1 }])
      const both = (run: string, attempt: string, at: number, baseSeq: bigint) => [
        ...one.make(one.stages[0], { run, attempt, version: version(at), baseSeq }),
        ...other.make(other.stages[0], { run, attempt, version: version(at), baseSeq }),
      ]
      const outcome = (...wanted: Parameters<typeof both>) =>
        outcomeOf(on.adapter.warehouse.publish(both(...wanted), 1, async () => {}))
      expect(await outcome('job-1', 'aaaaaa', 1, 0n)).toBe('published')
      const before = [await stateOf(on, one.tables, merged), await stateOf(on, other.tables, whole)]
      expect(before.map(({ rows, head, ledger }) => [rows.length, head[0]?.[0], ledger.length])).toEqual([
        [1, '1', 1],
        [1, '1', 1],
      ])
      expect(await outcome('job-2', 'bbbbbb', 2, 0n)).toBe('lost')
      expect([await stateOf(on, one.tables, merged), await stateOf(on, other.tables, whole)]).toEqual(before)
      expect(await outcome('job-3', 'cccccc', 3, 1n)).toBe('published')
    })
  })

  describe('an earlier version that is brought back', () => {
    test('is a publication that holds its target', async () => {
      const rowsOf = (n: number) => [{ dato, env: 'dev', n }]
      const { tables, make, stages } = await readyStages(on, whole, rowsOf(1), rowsOf(2))
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) }))
      await publish(on, make(stages[1], { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n }))
      const restores = { version: version(1), leave: [], comeBack: [] }
      const back = make(stages[0], { run: 'rollback-1', attempt: 'cccccc', version: version(3), baseSeq: 2n, restores })
      expect(await outcomeOf(publish(on, back))).toBe('published')
      const tonight = make(stages[1], { run: 'job-3', attempt: 'dddddd', version: version(4), baseSeq: 3n })
      expect(await outcomeOf(publish(on, tonight))).toBe('lost')
      const { rows, head, ledger } = await stateOf(on, tables, whole)
      expect(rows.map(each => each[2])).toEqual(['1'])
      expect(head[0]?.slice(0, 5)).toEqual(['3', '1706938200000000', 'rollback-1', 'cccccc', 'true'])
      expect(ledger.map(each => each[0])).toEqual(['published', 'published', 'restored'])
    })
  })
}

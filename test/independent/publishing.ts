import { describe, expect, test } from 'vitest'
import { publishParameters } from '../../src/adapters/bigquery/publish.ts'
import { queryConfiguration } from '../../src/adapters/bigquery/query.ts'
import type { AnyRow } from '../../src/domain/column.ts'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import type { TargetTables } from '../../src/domain/run.ts'
import { project, sql } from '../adapters/bigquery/world.ts'
import {
  added,
  byDate,
  day,
  ended,
  merged,
  outcomeOf,
  processOn,
  publish,
  readyStages,
  type Subject,
  stateOf,
  version,
  whole,
} from './subject.ts'

const one: readonly AnyRow[] = [{ dato: day, env: 'dev', n: 1 }]
const two: readonly AnyRow[] = [
  { dato: day, env: 'dev', n: 2 },
  { dato: day, env: 'prod', n: 3 },
]

/** A mode; whether what it publishes hangs on what was published before; what is there after `one` and `two`. */
type Case = {
  readonly mode: string
  readonly by: NamedPipeline
  readonly onBase: boolean
  readonly rows: readonly string[]
  readonly history: readonly string[]
}
const modes: readonly Case[] = [
  { mode: 'replace', by: whole, onBase: false, rows: ['2', '3'], history: ['1 row', '2 row', '3 row'] },
  { mode: 'partition', by: byDate, onBase: true, rows: ['2', '3'], history: ['1 row', '2 row', '3 row'] },
  { mode: 'append', by: added, onBase: true, rows: ['1', '2', '3'], history: [] },
  { mode: 'merge', by: merged, onBase: true, rows: ['2', '3'], history: ['1 upsert', '2 upsert', '3 upsert'] },
]

/** The publish scripts, word for word as a run submits them. */
export function publishingContract(on: Subject): void {
  describe.each(modes)('the publish script of $mode', ({ mode, by, onBase, rows, history }) => {
    test('publishes once, whoever tries: the five cases of the fence, and a held target', async () => {
      const { tables, make, stages } = await readyStages(on, by, one, two)
      const scheduled = make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) })
      const outcomes = [
        await outcomeOf(publish(on, scheduled)),
        // Its sibling pod; the same pod once more; a manual run whose base is stale; one whose base is fresh; yesterday's zombie.
        await outcomeOf(publish(on, make(stages[1], { run: 'job-1', attempt: 'bbbbbb', version: version(2), baseSeq: 1n }))),
        await outcomeOf(publish(on, scheduled, 2)),
        onBase
          ? await outcomeOf(publish(on, make(stages[1], { run: 'by-hand', attempt: 'cccccc', version: version(3) })))
          : 'lost',
        await outcomeOf(publish(on, make(stages[1], { run: 'fresh', attempt: 'dddddd', version: version(4), baseSeq: 1n }))),
        await outcomeOf(publish(on, make(stages[0], { run: 'job-0', attempt: 'eeeeee', version: version(1) }))),
      ]
      expect(outcomes).toEqual(['published', 'lost', 'lost', 'lost', 'published', 'lost'])
      const head = `\`${project}.${tables.head.dataset}.${tables.head.table}\``
      await sql(on.server, `UPDATE ${head} SET held = TRUE WHERE TRUE`)
      const held = make(stages[0], { run: 'job-9', attempt: 'ffffff', version: version(9), baseSeq: 2n })
      expect(await outcomeOf(publish(on, held))).toBe('lost')
      const state = await stateOf(on, tables, by)
      expect(state).toMatchObject({ head: [['2', '1707024600000000', 'fresh', 'dddddd', 'true', null, 'schema', 'false']] })
      expect(state.ledger.map(row => row.slice(0, 3))).toEqual([
        ['published', 'job-1', 'aaaaaa'],
        ['published', 'fresh', 'dddddd'],
      ])
      expect(state.rows.map(row => row[2])).toEqual(rows)
      expect(state.history.map(row => `${row[2]} ${row[3]}`)).toEqual(history)
    })

    test('that breaks at any place of its transaction leaves nothing', async () => {
      const { tables, make, stages } = await readyStages(on, by, one, two)
      const second = make(stages[1], { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n })
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) }))
      const before = await stateOf(on, tables, by)
      const { jobs, token } = await processOn(on.server.url)
      const broken = brokenScripts(on.adapter.warehouse.publishText(second))
      expect(broken.length).toBeGreaterThanOrEqual(2)
      // replace differs from partition in one statement; its last place is enough.
      for (const [place, text] of broken.slice(mode === 'replace' ? -1 : 0).entries()) {
        const id = `etl-publish-${token}-${place}`
        const configuration = queryConfiguration(text, publishParameters(second, id))
        expect(await ended(jobs, id, configuration)).toMatchObject({ status: { errorResult: { reason: 'invalidQuery' } } })
      }
      expect(await stateOf(on, tables, by)).toEqual(before)
      expect(await outcomeOf(publish(on, second))).toBe('published')
    })

    // The lock is the same in all modes.
    if (!['partition', 'merge'].includes(mode)) return
    test('at once by four runs of one base: exactly one is published', async () => {
      const { tables, make, stages } = await readyStages(on, by, two)
      const attempts = ['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd']
      const all = attempts.map(attempt => make(stages[0], { run: `job-${attempt}`, attempt, version: version(1) }))
      const outcomes = await Promise.all(all.map(wanted => outcomeOf(publish(on, wanted))))
      expect(outcomes.filter(outcome => outcome === 'published')).toHaveLength(1)
      // "Conflict on update!" are the independent server's own words, which no adapter of BigQuery knows.
      const others = on.name === 'ours' ? ['lost', 'conflict'] : ['lost', 'query']
      expect(outcomes.filter(outcome => outcome !== 'published' && !others.includes(outcome))).toEqual([])
      const after = await stateOf(on, tables)
      expect([after.rows.length, after.ledger.length, after.head[0]?.[0]]).toEqual([2, 1, '1'])
    })
  })

  describe('publications', () => {
    test('to two tables of one dataset go on at once: the ledger that they share is no lock', async () => {
      const { tables, make, stages } = await readyStages(on, whole, two)
      const other: TargetTables = {
        ...tables,
        target: { ...tables.target, table: 'u' },
        history: { ...tables.history, table: 'u__history' },
        head: { ...tables.head, table: 'head__u' },
      }
      const { missing } = await on.adapter.warehouse.describe(whole, other, 'run')
      await on.adapter.warehouse.bootstrap(missing, 'ffffff')
      const wanted = [tables, other].map((where, index) =>
        make(stages[0], { tables: where, run: `job-${index}`, attempt: `aaaaa${index}`, version: version(1) }),
      )
      expect(await Promise.all(wanted.map(each => outcomeOf(publish(on, each))))).toEqual(['published', 'published'])
      for (const where of [tables, other]) expect((await stateOf(on, where)).rows).toHaveLength(2)
    })

    test('are seen by readers whole or not at all', async () => {
      const many = Array.from({ length: 40 }, (_, n) => ({ dato: day, env: `e${n}`, n }))
      const { tables, make, stages } = await readyStages(on, whole, many.slice(0, 10), many)
      const all = stages.map((stage, at) => make(stage, { run: `job-${at}`, attempt: `aaaaa${at}`, version: version(at + 1) }))
      let isOver = false
      const publishing = (async () => {
        for (const each of all) await publish(on, each)
      })().finally(() => {
        isOver = true
      })
      const seen = new Set<string>()
      const table = `\`${project}.${tables.target.dataset}.t\``
      while (!isOver) seen.add(String(await sql(on.server, `SELECT COUNT(*), COUNT(DISTINCT version) FROM ${table}`)))
      await publishing
      expect([...seen].filter(each => !['0,0', '10,1', '40,1'].includes(each))).toEqual([])
      expect(seen.size).toBeGreaterThan(1)
    })

    test('are refused where the head has two rows: the own write is read back', async () => {
      const { tables, make, stages } = await readyStages(on, whole, one)
      const head = `\`${project}.${tables.head.dataset}.${tables.head.table}\``
      const columns = 'seq, version, run, attempt, held'
      await sql(on.server, `INSERT INTO ${head} (${columns}) SELECT ${columns} FROM ${head}`)
      const before = await stateOf(on, tables)
      const wanted = make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1) })
      await expect(publish(on, wanted)).rejects.toMatchObject({ kind: 'schema', problem: expect.stringContaining('has 2 rows') })
      expect(await stateOf(on, tables)).toEqual(before)
    })

    test('replace their slices only, also by nothing', async () => {
      const { tables, make, stages } = await readyStages(on, byDate, [...two, { dato: '2024-01-02', env: 'dev', n: 9 }], [])
      const scope = [day, '2024-01-02']
      await publish(on, make(stages[0], { run: 'job-1', attempt: 'aaaaaa', version: version(1), scope }))
      const none = make(stages[1], { run: 'job-2', attempt: 'bbbbbb', version: version(2), baseSeq: 1n })
      expect(await outcomeOf(publish(on, none))).toBe('published')
      expect((await stateOf(on, tables)).rows).toEqual([['2024-01-02', 'dev', '9', '1706765400000000']])
      expect((await on.adapter.warehouse.describe(byDate, tables, 'job-2')).ledger).toMatchObject([
        { event: 'published', run: 'job-1', scope, rows: 3, version: version(1) },
        { event: 'published', run: 'job-2', scope: [day], rows: 0, version: version(2) },
      ])
    })
  })
}

/** The script with a division by zero behind each of the statements that change something, and before the commit. */
function brokenScripts(text: string): string[] {
  const places = [...text.matchAll(/;\n(?=\s*(INSERT|TRUNCATE|DELETE|MERGE|COMMIT))/g)].map(({ index }) => index + 2)
  return places.map(at => `${text.slice(0, at)}SELECT 1 / 0;\n${text.slice(at)}`)
}

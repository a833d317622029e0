import { append, bq, dataset, merge, partition, pipeline, replace, row, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { difference } from '../src/engine/diff.ts'
import { tablesOf } from '../src/engine/plan.ts'
import { planPruning, prune } from '../src/engine/prune.ts'
import { release } from '../src/engine/release.ts'
import { rollback } from '../src/engine/rollback.ts'
import { currentRows, rowsAt } from '../src/engine/rows.ts'
import { publishedVersions, versionMeant } from '../src/engine/versions.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'
import { makeDatasets, sourceTable } from './support/source-table.ts'

/*
 * What a person does with versions, in each write mode, on the local BigQuery: publish three of them, read each, compare, bring back, release, publish
 * again, prune. Contents are written as `id:text`.
 */
const Sak = row(
  {
    id: z.int(),
    dato: z.iso.date(),
    status: z.string(),
    json: bq.json().nullable(),
    tags: z.array(z.string()),
    slettet: z.boolean(),
  },
  { key: ['id'] },
)
const Keyed = row({ ...Sak.shape }, { key: ['dato', 'id'] })
let local: Local
let source: Awaited<ReturnType<typeof sourceTable>>
let jobs = 0

const from = { saker: table(Sak, 'kilde.saker') }
const modes = {
  replace: pipeline({ schedule: '30 6 * * *', from, to: dataset('alle').table('replace_t', Sak), write: replace() }),
  partition: pipeline({
    schedule: '30 6 * * *',
    from,
    to: dataset('alle').table('partition_t', Keyed),
    write: partition('dato', { recompute: 3 }),
    empty: 'allowed',
  }),
  append: pipeline({ schedule: '30 6 * * *', from, to: dataset('alle').table('append_t', Sak), write: append() }),
  'merge, nothing deleted': pipeline({
    schedule: '30 6 * * *',
    from,
    to: dataset('alle').table('merge_none', Sak),
    write: merge(),
  }),
  'merge, missing deleted': pipeline({
    schedule: '30 6 * * *',
    from,
    to: dataset('alle').table('merge_missing', Sak),
    write: merge({ deletes: 'missing' }),
  }),
  'merge, a column says deleted': pipeline({
    schedule: '30 6 * * *',
    from,
    to: dataset('alle').table('merge_when', Keyed, { partitionBy: 'dato' }),
    write: merge({ deletes: { when: 'slettet' } }),
  }),
}
type Mode = keyof typeof modes

/** A row of the source: `1:ny` is row 1 of day 1; `-` in front: its column says that it is deleted. */
const sql = (text: string) => {
  const [id = '', status = ''] = text.replace(/^-/, '').split(':')
  return `(${id}, DATE '2026-11-0${id}', '${status}', JSON '{"s":"${status}"}', ['${status}', 'x'], ${text.startsWith('-')})`
}
/** What the source holds before each of the three runs. */
const contents = [
  ['1:ny', '2:ny'],
  ['1:ny', '2:endret', '3:ny'],
  ['2:endret', '-3:borte'],
]
/** What the target shows after each, by mode. */
const shown: Record<Mode, readonly (readonly string[])[]> = {
  replace: [
    ['1:ny', '2:ny'],
    ['1:ny', '2:endret', '3:ny'],
    ['2:endret', '3:borte'],
  ],
  // Day 1 is gone from the source, which has nothing older: expired there, not lost.
  partition: [
    ['1:ny', '2:ny'],
    ['1:ny', '2:endret', '3:ny'],
    ['1:ny', '2:endret', '3:borte'],
  ],
  append: [
    ['1:ny', '2:ny'],
    ['1:ny', '1:ny', '2:endret', '2:ny', '3:ny'],
    ['1:ny', '1:ny', '2:endret', '2:endret', '2:ny', '3:borte', '3:ny'],
  ],
  'merge, nothing deleted': [
    ['1:ny', '2:ny'],
    ['1:ny', '2:endret', '3:ny'],
    ['1:ny', '2:endret', '3:borte'],
  ],
  'merge, missing deleted': [
    ['1:ny', '2:ny'],
    ['1:ny', '2:endret', '3:ny'],
    ['2:endret', '3:borte'],
  ],
  'merge, a column says deleted': [
    ['1:ny', '2:ny'],
    ['1:ny', '2:endret', '3:ny'],
    ['1:ny', '2:endret'],
  ],
}

beforeAll(async () => {
  local = await startLocal()
  await makeDatasets(local, 'kilde', 'alle')
  source = await sourceTable(
    local,
    'kilde.saker',
    'id INT64, dato DATE, status STRING, json JSON, tags ARRAY<STRING>, slettet BOOL',
  )
})
afterAll(() => local.stop())

describe.each(Object.keys(modes) as Mode[])('%s', mode => {
  // Of merge one kind of deletes goes the whole way: the others differ in what a run does, not in how versions are kept.
  const isBrief = mode === 'merge, nothing deleted' || mode === 'merge, a column says deleted'

  const its: NamedPipeline = { ...modes[mode], name: mode.replaceAll(/\W+/g, '-') }
  const expected = shown[mode]
  const world = () => worldOn(local.url)
  const texts = (rows: readonly Record<string, unknown>[]) => rows.map(({ id, status }) => `${id}:${status}`).sort()
  const known = async () => {
    const { ports, settings } = await world()
    const tables = tablesOf(its, settings)
    const versions = await publishedVersions(tables, ports.warehouse)
    return { ports, settings, tables, versions }
  }
  const now = async () => {
    const { ports, tables } = await known()
    return texts((await currentRows(its, tables, ports.warehouse, 100)).rows)
  }
  const at = async (version: string) => {
    const { ports, tables, versions } = await known()
    return texts((await rowsAt(its, tables, ports.warehouse, { versions, version }, 100)).rows)
  }
  const oldestFirst = async () => (await known()).versions.all.map(({ version }) => version).reverse()
  const run = () => attempt(local.url, its, `job-${++jobs}-aaaaa`)

  test('publishes three versions', async () => {
    for (const [index, rows] of contents.entries()) {
      await source.fill(...rows.map(sql))
      expect((await run()).outcome).toBe('published')
      expect(await now()).toEqual(expected[index])
    }
  })

  if (mode === 'merge, a column says deleted')
    test('looks for its keys in the partitions of the days that came', async () => {
      const jobs = await ask(
        local.url,
        "SELECT job FROM `team-dev.alle_etl.runs` WHERE event = 'published' AND target LIKE '%.merge_when' ORDER BY version",
      )
      const job = await fetch(`${local.url}/bigquery/v2/projects/team-dev/jobs/${jobs[1]?.job}?location=europe-north1`)
      const { configuration } = (await job.json()) as { configuration: { query: { query: string } } }
      expect(configuration.query.query).toContain("AND t.`dato` BETWEEN DATE '2026-11-01' AND DATE '2026-11-03'")
    })

  test('reads each of them as it was', async () => {
    const versions = await oldestFirst()
    for (const [index, version] of versions.entries()) expect(await at(version)).toEqual(expected[index])
  })

  test('compares two by key', async () => {
    const { ports, tables, versions } = await known()
    const [first = '', second = ''] = await oldestFirst()
    const found = await difference(its, tables, ports.warehouse, versions, { before: first, after: second }, 10)
    if (mode === 'append') {
      // A key stands there once a version: what came is added, what was there is the same.
      expect(found).toMatchObject({ added: 3, removed: 0, changed: 0, same: 2, columns: {} })
      return
    }
    expect(found).toMatchObject({ added: 1, removed: 0, changed: 1, same: 1, columns: { status: 1, json: 1, tags: 1 } })
    expect(found.examples.map(({ what, after }) => `${what} ${after?.id}`)).toEqual(['changed 2', 'added 3'])
    expect(found.examples[0]).toMatchObject({ before: { status: 'ny' }, after: { status: 'endret' } })
  })

  test('brings the first back, which holds the target; release lets the next run publish', async () => {
    const [first = ''] = await oldestFirst()
    const { ports, settings, request } = await world()
    const done = await rollback(its, first, request, ports, settings, new AbortController().signal)
    expect(done).toMatchObject({ restores: { version: first }, held: true })
    expect(await now()).toEqual(expected[0])
    expect((await run()).outcome).toBe('held')
    expect(await now()).toEqual(expected[0])
    await expect(rollback(its, done.version, request, ports, settings, new AbortController().signal)).rejects.toThrow(/stands/)
    expect(await release(its, request, ports, settings)).toBe(done.version)
    await expect(release(its, request, ports, settings)).rejects.toThrow(/is not held/)
  })

  if (isBrief) return

  test('keeps every value, of every type', async () => {
    const { ports, tables, versions } = await known()
    const first = versions.all.at(-1)?.version ?? ''
    const { rows } = await rowsAt(its, tables, ports.warehouse, { versions, version: first }, 1)
    expect(rows[0]).toMatchObject({ id: 1n, dato: '2026-11-01', json: '{"s":"ny"}', tags: ['ny', 'x'], slettet: false })
  })

  test('reads all of them still, also those that were undone, and rolls forward', async () => {
    const versions = await oldestFirst()
    const contentOf = [...expected, expected[0] ?? []]
    for (const [index, version] of versions.entries()) expect(await at(version), version).toEqual(contentOf[index])
    const { ports, settings, request } = await world()
    await rollback(its, versions[1] ?? '', request, ports, settings, new AbortController().signal)
    expect(await now()).toEqual(expected[1])
    await release(its, request, ports, settings)
    for (const [index, version] of versions.entries()) expect(await at(version), version).toEqual(contentOf[index])
  })

  test('goes on from what stands', async () => {
    await source.fill(sql('2:nyest'), sql('4:ny'))
    expect((await run()).outcome).toBe('published')
    const base = expected[1] ?? []
    const result: Record<Mode, readonly string[]> = {
      replace: ['2:nyest', '4:ny'],
      partition: ['1:ny', '2:nyest', '4:ny'], // day 3: the source has older ones, and has lost it
      append: [...base, '2:nyest', '4:ny'].sort(),
      'merge, nothing deleted': ['1:ny', '2:nyest', '3:ny', '4:ny'],
      'merge, missing deleted': ['2:nyest', '4:ny'],
      'merge, a column says deleted': ['1:ny', '2:nyest', '3:ny', '4:ny'],
    }
    expect(await now()).toEqual(result[mode])
    const count = (await oldestFirst()).length
    expect((await ask(local.url, `SELECT seq FROM \`team-dev.alle_etl.head__${its.to.table}\``))[0]?.seq).toBe(BigInt(count))
  })

  test('neither shows nor brings back a version of which rows are gone from the history, and says so', async () => {
    if (mode === 'append') return // its rows are in the table
    const { ports, settings, request } = await world()
    const [first = ''] = await oldestFirst()
    const before = await now()
    const history = `\`team-dev.alle.${its.to.table}__history\``
    await ports.warehouse.execute('test-lost', `DELETE FROM ${history} WHERE version = TIMESTAMP '${first}'`, 'the history')
    await expect(rollback(its, first, request, ports, settings, new AbortController().signal)).rejects.toThrow(
      /is not whole any more/,
    )
    // Nor is a part of it shown as the whole.
    await expect(at(first)).rejects.toThrow(/is not whole any more/)
    expect(await now()).toEqual(before)
  })

  test('prunes what nothing needs, and says what can’t be read any more', async () => {
    const { ports, settings, request } = await world()
    expect((await planPruning(its, 1, ports, settings)).versions).toEqual([])
    const all = await oldestFirst()
    const pruning = await planPruning(its, 0, ports, settings)
    // Versions of today: whole days go, and today is not over.
    expect(pruning.versions).toEqual([])
    const tomorrow = { ...pruning, before: '2100-01-01T00:00:00Z', statements: [] }
    if (mode === 'append') return
    await prune(its, tomorrow, request, ports, settings)
    await expect(at(all[0] ?? '')).rejects.toThrow(/was pruned/)
    expect(await at(all.at(-1) ?? '')).toEqual(await now())
  })

  test('takes a date or a beginning for a version', async () => {
    const { versions } = await known()
    const [newest] = versions.all
    expect(versionMeant(newest?.version ?? '', versions, 'Europe/Oslo')).toBe(newest)
    expect(versionMeant('2100-01-01', versions, 'Europe/Oslo')).toBe(newest)
    expect(() => versionMeant('1999-01-01', versions, 'Europe/Oslo')).toThrow(/nothing was published by the end of that day/)
    expect(() => versionMeant('nonsense', versions, 'Europe/Oslo')).toThrow(/there is none\. Hint: there are/)
  })
})

import { dataset, pipeline, replace, row, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { tablesOf } from '../src/engine/plan.ts'
import { planPruning } from '../src/engine/prune.ts'
import { rollback } from '../src/engine/rollback.ts'
import { rowsAt } from '../src/engine/rows.ts'
import { snapshotTable } from '../src/engine/snapshot.ts'
import { publishedVersions } from '../src/engine/versions.ts'
import { type Local, startLocal } from './support/local.ts'
import { attempt, worldOn } from './support/project.ts'
import { makeDatasets, sourceTable } from './support/source-table.ts'

const Ting = row({ id: z.int(), navn: z.string() }, { key: ['id'] })
const made = (name: string, history: 'snapshot' | 'none'): NamedPipeline => ({
  ...pipeline({
    schedule: '30 6 * * *',
    from: { ting: table(Ting, 'kilde.ting') },
    to: dataset('ting').table(name, Ting),
    write: replace({ history }),
  }),
  name,
})

describe('replace', () => {
  let local: Local
  let source: Awaited<ReturnType<typeof sourceTable>>
  let jobs = 0
  const run = (its: NamedPipeline) => attempt(local.url, its, `job-${++jobs}-aaaaa`)
  const known = async (its: NamedPipeline) => {
    const { ports, settings, request } = await worldOn(local.url)
    const tables = tablesOf(its, settings)
    return { ports, settings, request, tables, versions: await publishedVersions(tables, ports.warehouse) }
  }
  const at = async (its: NamedPipeline, version: string) => {
    const { ports, tables, versions } = await known(its)
    return (await rowsAt(its, tables, ports.warehouse, { versions, version }, 10)).rows.map(({ navn }) => navn)
  }

  beforeAll(async () => {
    local = await startLocal()
    await makeDatasets(local, 'kilde', 'ting')
    source = await sourceTable(local, 'kilde.ting', 'id INT64, navn STRING')
  })
  afterAll(() => local.stop())

  test('with snapshots as history reads and brings back each version, and writes no row twice', async () => {
    const its = made('billig', 'snapshot')
    for (const name of ['en', 'to', 'tre']) {
      await source.fill(`(1, '${name}')`)
      expect((await run(its)).outcome).toBe('published')
    }
    const { versions, tables, ports, settings, request } = await known(its)
    const [third = '', second = '', first = ''] = versions.all.map(({ version }) => version)
    expect([await at(its, first), await at(its, second), await at(its, third)]).toEqual([['en'], ['to'], ['tre']])
    expect((await local.call('GET', `/team-dev/datasets/ting/tables/${tables.history.table}`)).status).toBe(404)
    const snapshot = await local.call('GET', `/team-dev/datasets/ting_etl/tables/${snapshotTable(tables, first).table}`)
    expect(snapshot.body).toMatchObject({ type: 'SNAPSHOT', expirationTime: expect.any(String) })
    await rollback(its, first, request, ports, settings, new AbortController().signal)
    const [back = ''] = (await known(its)).versions.all.map(({ version }) => version)
    expect(await at(its, back)).toEqual(['en'])
    expect(await at(its, third)).toEqual(['tre'])
    expect((await planPruning(its, 0, ports, settings)).versions).toEqual([])
  })

  test('a snapshot that a kill cut off is made by the next run, before it publishes', async () => {
    const its = made('avbrutt', 'snapshot')
    await source.fill(`(1, 'en')`)
    const { ports, settings, request, events } = await worldOn(local.url, `job-${++jobs}-aaaaa`)
    const cut = {
      ...ports,
      warehouse: {
        ...ports.warehouse,
        execute: () => Promise.reject(new Error('killed')), // the snapshot is what a run executes
      },
    }
    const { run: engineRun } = await import('../src/engine/run.ts')
    expect((await engineRun(its, request, cut, settings, new AbortController().signal)).outcome).toBe('published')
    expect(events.find(event => event.kind === 'postponed')).toMatchObject({ what: 'the snapshot' })
    const [first = ''] = (await known(its)).versions.all.map(({ version }) => version)
    await source.fill(`(1, 'to')`)
    expect((await run(its)).outcome).toBe('published')
    expect(await at(its, first)).toEqual(['en'])
  })

  test('without history has nothing to bring back, and says so', async () => {
    const its = made('glemsk', 'none')
    for (const name of ['en', 'to']) {
      await source.fill(`(1, '${name}')`)
      await run(its)
    }
    const { ports, settings, request, versions } = await known(its)
    const first = versions.all.at(-1)?.version ?? ''
    await expect(at(its, first)).rejects.toThrow(/can't be read any more: the pipeline says history: 'none'/)
    await expect(rollback(its, first, request, ports, settings, new AbortController().signal)).rejects.toThrow(/history: 'none'/)
    expect(await at(its, versions.all[0]?.version ?? '')).toEqual(['to'])
  })
})

import { beforeAll, describe, expect, test } from 'vitest'
import { seed } from '../../src/cli/seed.ts'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { ask, attempt, flagship, root, worldOn } from '../support/project.ts'
import { type Fate, startProxy } from '../support/proxy.ts'
import type { Subject } from './subject.ts'
import type { Server } from './support.ts'

const datasets = [
  ['nais-prod-b6f2', 'dataproduct_apps'],
  ['team-dev', 'apps_aggregated'],
  ['team-dev', 'apps_aggregated_etl'],
]

/** Whole runs of the flagship by the real engine on both servers: all that is left behind must be the same. */
export function agreement(subjects: readonly Subject[]): void {
  describe('two runs of the flagship', () => {
    let pipeline: NamedPipeline
    const attempted = ({ url, location }: Server, pod: string) =>
      attempt(url, pipeline, pod, new AbortController().signal, location)
    beforeAll(async () => {
      pipeline = await flagship()
      for (const { server } of subjects) {
        // Without a location a dataset lies where its server says that everything lies; `seed` leaves those alone that are there.
        for (const [projectId, datasetId] of datasets) {
          await server.call('POST', `/${projectId}/datasets`, { datasetReference: { projectId, datasetId } })
        }
        await seed(server.url, pipeline, await worldOn(server.url), root, 'two-dates')
      }
    })

    test('publish the same rows, versions, head and ledger on both servers', async () => {
      const left = []
      for (const { server } of subjects) {
        for (const pod of ['first-aaaaa', 'second-bbbbb']) {
          expect(await attempted(server, pod)).toMatchObject({ outcome: 'published' })
        }
        expect(await attempted(server, 'second-ccccc')).toMatchObject({ outcome: 'already published' })
        left.push(await leftBehind(server.url))
      }
      expect(left[0]?.rows).toHaveLength(4)
      expect(left[0]?.history).toHaveLength(8)
      expect(left[0]?.head).toMatchObject([{ seq: 2n, run: 'second', held: false }])
      expect(left[1]).toEqual(left[0])
    })

    test('a third one goes through, though every fourth answer is spoiled', async () => {
      const kinds: readonly Fate['kind'][] = ['dropAnswer', 'unavailable', 'unavailableAfter', 'cutBefore']
      for (const { server } of subjects) {
        const proxy = await startProxy(server.url, ({ number }) => {
          const kind = kinds[(number / 4) % kinds.length]
          return kind === undefined ? undefined : { kind }
        })
        expect(await attempted({ ...server, url: proxy.url }, 'third-ddddd')).toMatchObject({ outcome: 'published' })
        expect(proxy.seen.filter(({ fate }) => fate !== 'pass').length).toBeGreaterThan(3)
        await proxy.close()
        const { rows, history, ledger } = await leftBehind(server.url)
        expect([rows.length, history.length]).toEqual([4, 12])
        expect(ledger.filter(({ event, run }) => event === 'published' && run === 'third')).toHaveLength(1)
      }
    })
  })
}

/** Rows, history, head and ledger. What differs from run to run is told by its place: the n-th version, the n-th attempt; times are left out. */
async function leftBehind(url: string) {
  const dataset = 'team-dev.apps_aggregated'
  const runs = await ask(url, `SELECT * FROM \`${dataset}_etl.runs\` ORDER BY logged_at`)
  const places = new Map<unknown, string>()
  for (const { version, attempt } of runs) {
    for (const [what, value] of [
      ['version', version],
      ['attempt', attempt],
    ]) {
      if (value !== '' && !places.has(value)) places.set(value, `${what} ${places.size}`)
    }
  }
  const named = (value: unknown): unknown => {
    if (typeof value !== 'string') return value
    return [...places].reduce((text, [from, to]) => text.replaceAll(String(from), to), value)
  }
  const plain = (rows: readonly Readonly<Record<string, unknown>>[], without: readonly string[] = []) =>
    rows.map(row =>
      Object.fromEntries(Object.entries(row).flatMap(([name, value]) => (without.includes(name) ? [] : [[name, named(value)]]))),
    )
  const order = 'ORDER BY version, dato, env, datacenter'
  return {
    rows: plain(await ask(url, `SELECT * FROM \`${dataset}.apps_per_env\` ${order}`)),
    history: plain(
      await ask(
        url,
        `SELECT * FROM \`${dataset}.apps_per_env__history\` WHERE version > TIMESTAMP '2000-01-01 00:00:00+00' ${order}`,
      ),
    ),
    head: plain(await ask(url, `SELECT * FROM \`${dataset}_etl.head__apps_per_env\``), ['published_at']),
    ledger: plain(runs, ['logged_at', 'slot']),
  }
}

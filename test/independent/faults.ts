import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AnyRow } from '../../src/domain/column.ts'
import type { Stage, TargetTables } from '../../src/domain/run.ts'
import { connected, freshTarget, identity, publication, sql, staged } from '../adapters/bigquery/world.ts'
import { type Fate, type FaultProxy, type Request, startProxy } from '../support/proxy.ts'
import { rowsOfBytes } from './loads.ts'
import { Out, outcomeOf, publish, readyTarget, type Subject, stateOf, whole } from './subject.ts'

type Kind = Fate['kind']
const lost: readonly Kind[] = ['dropAnswer', 'unavailableAfter', 'unavailable', 'cutBefore']

/** The same server behind a network that loses answers and a service that says 503. */
export function faultsContract(on: Subject): void {
  describe('behind a proxy that spoils answers', () => {
    let proxy: FaultProxy
    let decide: (request: Request) => Kind | undefined
    const behind = { name: on.name } as Subject
    beforeAll(async () => {
      proxy = await startProxy(on.server.url, request => {
        const kind = decide(request)
        return kind === undefined ? undefined : { kind }
      })
      behind.server = { ...on.server, url: proxy.url }
      behind.adapter = await connected(behind.server, undefined, behind.server.location)
    })
    beforeEach(() => {
      decide = () => undefined
    })
    afterAll(() => proxy?.close())

    /** The first requests that fit are spoiled, each in its way; gives those that are left. */
    const spoil = (kinds: readonly Kind[], fits: (request: Request) => boolean): readonly Kind[] => {
      const left = [...kinds]
      decide = request => (fits(request) ? left.shift() : undefined)
      return left
    }

    test('a publication is found by its id and done once', async () => {
      const tables = await readyTarget(on, whole)
      const stage = await staged(on.adapter, tables, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
      for (const [at, kind] of lost.entries()) {
        const left = spoil([kind], ({ method, path }) => method === 'POST' && path.endsWith('/jobs'))
        const result = await publish(behind, wantedOf(tables, stage, at + 1))
        expect(result).toMatchObject({ outcome: 'published', head: { seq: BigInt(at + 1) } })
        expect(left).toEqual([])
      }
      const { rows, history, ledger } = await stateOf(on, tables)
      expect([rows.length, history.length, ledger.length]).toEqual([1, 4, 4])
    })

    test('a publication whose end nobody hears is told as unknown or found, and never done twice', async () => {
      const tables = await readyTarget(on, whole)
      const stage = await staged(on.adapter, tables, Out.columns, [{ dato: '2024-01-01', env: 'dev', n: 1 }], 'aaaaaa')
      spoil(
        ['dropAnswer', 'unavailable', 'cutBefore'],
        ({ method, job }) => method === 'GET' && job?.startsWith('etl-publish') === true,
      )
      expect(await outcomeOf(publish(behind, wantedOf(tables, stage, 1)))).toBe('published')
      decide = ({ job }) => (job?.startsWith('etl-publish') ? 'unavailableAfter' : undefined)
      expect(await outcomeOf(publish(behind, wantedOf(tables, stage, 2)))).toBe('unavailable')
      decide = () => undefined
      // What the next attempt does: it asks for the job, then looks at the head.
      await behind.adapter.warehouse.settle(`etl-publish-${tables.target.dataset}-t-aaaaa2-1`)
      expect((await behind.adapter.warehouse.describe(whole, tables, 'run-2')).head).toMatchObject({ seq: 2n, run: 'run-2' })
      expect((await stateOf(on, tables)).ledger).toHaveLength(2)
    })

    test('a stage is loaded once, whichever answer of its upload is lost', async () => {
      const tables = await freshTarget(on.server)
      const small = Array.from({ length: 500 }, (_, n) => ({ dato: '2024-01-01', env: String(n), n }))
      const uploads: readonly { rows: readonly AnyRow[]; method: string; kinds: readonly Kind[] }[] = [
        { rows: small, method: 'POST', kinds: ['dropAnswer'] },
        { rows: small, method: 'POST', kinds: ['unavailable', 'unavailableAfter'] },
        // More than one request takes: a resumable upload.
        { rows: rowsOfBytes(500, 6_000_000), method: 'PUT', kinds: ['dropAnswer'] },
      ]
      for (const [at, { rows, method, kinds }] of uploads.entries()) {
        const left = spoil(kinds, request => request.method === method && request.path.startsWith('/upload'))
        const stage = await staged(behind.adapter, tables, Out.columns, rows, `abcde${at}`)
        expect(left).toEqual([])
        expect(stage.rows).toBe(500)
        const { project, dataset, table } = stage.table
        expect(await sql(on.server, `SELECT COUNT(DISTINCT n) FROM \`${project}.${dataset}.${table}\``)).toEqual([['500']])
      }
    })

    test('the tables of a target are made once', async () => {
      const tables = await freshTarget(on.server)
      const { missing } = await behind.adapter.warehouse.describe(whole, tables, 'run-1')
      const left = spoil(['dropAnswer', 'unavailable', 'unavailableAfter'], ({ method }) => method === 'POST')
      await behind.adapter.warehouse.bootstrap(missing, 'aaaaaa')
      expect(left).toEqual([])
      expect(await behind.adapter.warehouse.describe(whole, tables, 'run-1')).toMatchObject({ missing: [], head: { seq: 0n } })
    })
  })
}

function wantedOf(tables: TargetTables, stage: Stage, at: number) {
  return publication(whole, tables, stage, { identity: identity(`run-${at}`, `aaaaa${at}`), version: `2024-03-0${at}T00:00:00Z` })
}

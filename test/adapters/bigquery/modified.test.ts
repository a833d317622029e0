import { describe, expect, test } from 'vitest'
import { modified, pastOf } from '../../../src/adapters/bigquery/modified.ts'
import type { TableResource } from '../../../src/adapters/bigquery/tables.ts'
import { refused, service } from './service.ts'

const ref = { project: 'p', dataset: 'kilde', table: 'dager' }
const byDay: TableResource = { type: 'TABLE', timePartitioning: { type: 'DAY', field: 'dato' } }

/** What `modified` makes of a table, where the service answers like this. */
async function of(table: TableResource, ...answers: Parameters<typeof service>[0]) {
  const { api, seen } = await service(answers)
  return { found: await modified(api, { ref, table }, 'dato'), seen }
}

describe('when partitions were modified', () => {
  test('is asked of INFORMATION_SCHEMA; rows without a date, and those in the streaming buffer, are in no slice', async () => {
    const row = (id: string | null, time: string) => ({ f: [{ v: id }, { v: time }] })
    const { found, seen } = await of(byDay, {
      status: 200,
      body: {
        jobComplete: true,
        schema: {
          fields: [
            { name: 'id', type: 'STRING' },
            { name: 'modified', type: 'TIMESTAMP' },
          ],
        },
        rows: [
          row('20260101', '1767312000000000'),
          row('__NULL__', '1767312000000001'),
          row('__UNPARTITIONED__', '1767312000000002'),
        ],
      },
    })
    expect(found).toEqual({ kind: 'known', at: new Map([['2026-01-01', '2026-01-02T00:00:00Z']]) })
    expect((JSON.parse(seen[0]?.body ?? '') as { query: string }).query).toBe(
      "SELECT partition_id AS id, last_modified_time AS modified FROM `p.kilde`.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'dager'",
    )
  })

  test.each<[TableResource, string]>([
    [{ type: 'VIEW' }, 'it is a view'],
    [{ type: 'MATERIALIZED_VIEW' }, 'it is a materialized view'],
    [{ type: 'EXTERNAL' }, 'it is an external table'],
    [{ type: 'TABLE' }, 'it is not partitioned by dato'],
    [{ type: 'TABLE', timePartitioning: { type: 'DAY' } }, 'it is not partitioned by dato'],
    [{ type: 'TABLE', timePartitioning: { type: 'DAY', field: 'lastet' } }, 'it is not partitioned by dato'],
    [{ type: 'TABLE', timePartitioning: { type: 'MONTH', field: 'Dato' } }, 'its partitions are not days (MONTH)'],
  ])('of %j nobody can say, and nobody is asked', async (table, why) => {
    const { found, seen } = await of(table)
    expect(found).toEqual({ kind: 'guess', why })
    expect(seen).toEqual([])
  })

  test('where the view may not be read it is a guess; any other failure is one', async () => {
    const denied = refused(403, 'accessDenied', 'Access Denied: Table p:kilde.INFORMATION_SCHEMA.PARTITIONS')
    expect((await of(byDay, denied)).found).toEqual({
      kind: 'guess',
      why: 'INFORMATION_SCHEMA.PARTITIONS of kilde may not be read',
    })
    await expect(of(byDay, refused(400, 'invalidQuery', 'Syntax error'))).rejects.toMatchObject({ kind: 'query' })
  })
})

test.each<[TableResource, object]>([
  [byDay, { kind: 'table', partitionedBy: 'dato', days: null }],
  [
    { timePartitioning: { type: 'DAY', field: 'dato', expirationMs: '5184000000' } },
    { kind: 'table', partitionedBy: 'dato', days: 60 },
  ],
  [{ timePartitioning: { type: 'DAY', field: 'dato', expirationMs: '0' } }, { kind: 'table', partitionedBy: 'dato', days: null }],
  [{ type: 'TABLE' }, { kind: 'table', partitionedBy: null, days: null }],
  [{ type: 'VIEW' }, { kind: 'none', why: 'is a view: it shows what lies behind it now' }],
  [{ type: 'EXTERNAL' }, { kind: 'none', why: 'is an external table: it shows what lies behind it now' }],
])('what a table keeps: %j', (table, past) => {
  expect(pastOf(table)).toEqual(past)
})

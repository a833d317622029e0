import { dataset, partition, pipeline, query, row, sql as select, table } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { AnyRow } from '../../../src/domain/column.ts'
import type { QuerySource } from '../../../src/domain/source.ts'
import { type Local, startLocal } from '../../support/local.ts'
import { connected, makeDataset, named, project, sql } from './world.ts'

const Count = row({ dato: z.iso.date(), cluster: z.string(), n: z.int() })
// The ends that would break a query around it: a semicolon, a comment.
const counted = query(
  Count,
  select`SELECT cluster, dato, COUNT(*) AS n, 'not read' AS more FROM \`test-project.source.apps\` GROUP BY dato, cluster -- by day
;`,
)

let local: Local
let adapter: Awaited<ReturnType<typeof connected>>
beforeAll(async () => {
  local = await startLocal()
  adapter = await connected(local)
  await makeDataset(local, 'source')
  await sql(local, `CREATE TABLE \`${project}.source.apps\` (name STRING, cluster STRING, dato DATE)`)
  const values = [3, 1, 2, 1].map((day, index) => `('app-${index}', 'c', DATE '2024-01-0${day}')`)
  await sql(local, `INSERT INTO \`${project}.source.apps\` (name, cluster, dato) VALUES ${values.join(', ')}`)
})
afterAll(() => local?.stop())

async function all(source: QuerySource, slices: { column: string; dates: readonly string[] } | null): Promise<AnyRow[]> {
  const rows: AnyRow[] = []
  const { signal } = new AbortController()
  for await (const page of adapter.query.read(source, { columns: source.row.columns, slices }, signal)) rows.push(...page)
  return rows
}

describe('a query', () => {
  test('tells its columns', async () => {
    expect(await adapter.query.facts(counted)).toEqual({
      name: 'a query of test-project.source.apps',
      columns: [
        { name: 'cluster', type: 'STRING' },
        { name: 'dato', type: 'DATE' },
        { name: 'n', type: 'INT64' },
        { name: 'more', type: 'STRING' },
      ],
      rows: null,
    })
  })

  test('has dates and slices, and only the columns of the row schema', async () => {
    expect(await adapter.query.dates(counted, 'dato', '2024-01-02')).toEqual(['2024-01-01', '2024-01-02'])
    expect(await all(counted, { column: 'dato', dates: ['2024-01-01', '2024-01-03'] })).toEqual([
      { dato: '2024-01-01', cluster: 'c', n: 2 },
      { dato: '2024-01-03', cluster: 'c', n: 1 },
    ])
    expect(await all(counted, null)).toHaveLength(3)
  })

  test('stands in a sql transform by its name, beside tables, in the slices of the run', async () => {
    const Out = row({ dato: z.iso.date(), n: z.int() }, { key: ['dato'] })
    const made = pipeline({
      schedule: '0 6 * * *',
      from: { counted, apps: table(row({ dato: z.iso.date(), name: z.string() }), 'source.apps') },
      transform: select`SELECT dato, n + (SELECT COUNT(*) FROM ${'apps'}) AS n FROM ${'counted'}`,
      to: dataset('ut').table('t', Out),
      write: partition('dato'),
    })
    const text = adapter.warehouse.queryText(named(made), ['2024-01-01', '2024-01-03'])
    expect((await sql(local, `${text} ORDER BY dato`)).map(cells => cells.join(' '))).toEqual(['2024-01-01 5', '2024-01-03 4'])
  })

  test.each([
    [
      'a column twice',
      select`SELECT DATE '2024-01-01' AS dato, 'c' AS cluster, 1 AS n, 2 AS n`,
      'the query returns the column n twice.',
    ],
    [
      'a column without a name',
      select`SELECT DATE '2024-01-01' AS dato, 'c' AS cluster, COUNT(*) FROM UNNEST([1])`,
      'the query: column 3 has no name.',
    ],
    ['two statements', select`SELECT 1 AS n; SELECT 2 AS n`, 'the query is no single SELECT but SCRIPT.'],
    ['something that writes', select`DELETE FROM source.apps WHERE TRUE`, 'the query is no single SELECT but DELETE.'],
    [
      'other columns',
      select`SELECT '2024-01-01' AS dato, 'c' AS clustre, 1 AS n`,
      'the query: column dato is STRING there, the row schema says DATE; there is no column cluster (did you mean clustre?).',
    ],
  ])('with %s is told so before anything runs', async (_, text, problem) => {
    await expect(adapter.query.facts(query(Count, text))).rejects.toMatchObject({ kind: 'schema', problem })
  })

  test('with a mistake says what BigQuery says', async () => {
    await expect(adapter.query.facts(query(Count, select`SELECT dato FROM source.nothing`))).rejects.toMatchObject({
      kind: 'notFound',
      problem: expect.stringContaining('the query: Not found: Table'),
    })
  })
})

import { row, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { openStorage } from '../../src/adapters/bigquery/storage/client.ts'
import { openSession, sessionRows } from '../../src/adapters/bigquery/storage/read.ts'
import type { AnyRow } from '../../src/domain/column.ts'
import type { TableRef } from '../../src/domain/source.ts'
import { makeDataset, project, sql } from '../adapters/bigquery/world.ts'
import { processOn, type Subject } from './subject.ts'

const never = new AbortController().signal

/** The rows of a table by the Storage Read API. */
export async function storageRead(on: Subject, ref: TableRef, columns: ReturnType<typeof row>['columns']): Promise<AnyRow[]> {
  const { api } = await processOn(on.server.url)
  const client = openStorage(api, on.server.storage ?? '')
  const path = `projects/${ref.project}/datasets/${ref.dataset}/tables/${ref.table}`
  const session = await openSession(client, { table: path, columns, ordered: false }, never)
  const rows: AnyRow[] = []
  for await (const page of sessionRows(api, client, session, 'reading', never)) rows.push(...page)
  client.close()
  return rows
}

/** Our reader on the Storage Read API of a server that others wrote. */
export function storageContract(on: Subject): void {
  describe('a large source', () => {
    const Numbers = row({ n: z.int(), text: z.string() })
    const read = async (name: string, large: boolean) => {
      const [ways, rows]: [string[], AnyRow[]] = [[], []]
      const request = { columns: Numbers.columns, slices: null }
      const source = table(Numbers, `storage.${name}`, { large })
      for await (const page of on.adapter.reader.read(source, request, never, way => ways.push(way)))
        for (const one of page) rows.push(one)
      return { ways, rows: rows.sort((a, b) => Number(a.n) - Number(b.n)) }
    }

    test('comes by the Storage Read API, the same rows as page by page; fewer rows come by pages', async () => {
      await makeDataset(on.server, 'storage')
      const make = (name: string, rows: number) =>
        sql(
          on.server,
          `CREATE TABLE \`${project}.storage.${name}\` AS SELECT n, CONCAT('rad-', CAST(MOD(n, 1000) AS STRING)) AS text FROM UNNEST(GENERATE_ARRAY(1, ${rows})) AS n`,
        )
      await Promise.all([make('many', 150_000), make('few', 1000)])
      const many = await read('many', true)
      expect(many.ways).toEqual([expect.stringMatching(/^the Storage Read API, \d streams?$/)])
      expect(many.rows).toHaveLength(150_000)
      expect(many.rows).toEqual((await read('many', false)).rows)
      expect(await read('few', true)).toMatchObject({ ways: [], rows: { length: 1000 } })
    })
  })
}

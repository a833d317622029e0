import { row, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { AnyRow } from '../../src/domain/column.ts'
import { makeDataset, project, sql } from '../adapters/bigquery/world.ts'
import type { Subject } from './subject.ts'

/** A table as it was: what the reader makes of a server that knows the clause, and of one that doesn't. */
export function momentContract(on: Subject): void {
  describe('a source as of a moment', () => {
    const Numbers = row({ n: z.int() })
    const source = table(Numbers, 'moments.t')
    const read = async (asOf: string) => {
      const [ways, rows]: [string[], AnyRow[]] = [[], []]
      const request = { columns: Numbers.columns, slices: null, asOf }
      for await (const page of on.adapter.reader.read(source, request, new AbortController().signal, way => ways.push(way)))
        rows.push(...page)
      return { ways, rows: rows.map(({ n }) => Number(n)).sort() }
    }
    const clock = async () => {
      await new Promise(resolve => setTimeout(resolve, 3))
      return String((await on.adapter.warehouse.ask('SELECT CURRENT_TIMESTAMP() AS now')).rows[0]?.now)
    }
    const name = `\`${project}.moments.t\``

    test('has its rows; of a server that can’t read the past they are those of now, and that is said', async () => {
      await makeDataset(on.server, 'moments')
      await sql(on.server, `CREATE TABLE ${name} (n INT64)`)
      await sql(on.server, `INSERT INTO ${name} VALUES (1), (2)`)
      const at = await clock()
      const said = expect.stringMatching(
        /^its rows as they are, not as they were at 20\S+Z: reading \S+moments\.t .*refused \(invalidQuery\)/,
      )
      // Started without its extension DuckLake it has no time travel (server.py).
      expect(await read(at)).toEqual({ ways: on.name === 'independent' ? [said] : [], rows: [1, 2] })
    })

    test.skipIf(on.name === 'independent')(
      'that is over for its table is refused, so that the run takes a later one',
      async () => {
        const at = await clock()
        await sql(on.server, `INSERT INTO ${name} VALUES (3)`)
        await expect(read(at)).rejects.toMatchObject({
          kind: 'unavailable',
          problem: expect.stringContaining('Invalid snapshot time'),
        })
        expect(await read(await clock())).toEqual({ ways: [], rows: [1, 2, 3] })
      },
    )
  })
}

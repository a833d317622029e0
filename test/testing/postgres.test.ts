import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bq, dataset, external, pg, pipeline, postgres, replace, row } from 'nais-etl'
import { runOn, sourceRows } from 'nais-etl/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'

// Fixtures of sources that run their own SQL: SOURCE.sql fills a real Postgres.
const Sak = row({ id: z.int(), status: z.string() })
const Vedtak = row({
  sak_id: z.int(),
  vedtak: z.uuid(),
  belop: bq.numeric().nullable(),
  data: bq.json(),
  ferdig: z.boolean(),
  merker: z.array(z.string()),
})
const Ut = row({ id: z.int(), belop: bq.numeric().nullable() }, { key: ['id'] })
const made = (query = pg`SELECT id, status FROM sak`) =>
  pipeline({
    schedule: '0 5 * * *',
    from: { saker: external(Sak, 'nada', query), vedtak: postgres(Vedtak, 'SAK_DB', pg`SELECT * FROM vedtak`) },
    transform: ({ saker, vedtak }) =>
      saker.map(({ id }) => ({ id, belop: vedtak.find(({ sak_id }) => sak_id === id)?.belop ?? null })),
    to: dataset('ut').table('ut', Ut),
    write: replace(),
  })

let folder: string
const write = (name: string, text: string) => writeFile(join(folder, name), text)
const at = () => ({ name: 'x', folder, refused: null })
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixture-'))
  await mkdir(folder, { recursive: true })
  await write('saker.sql', "CREATE TABLE sak (id int, status text); INSERT INTO sak VALUES (1, 'APEN'), (2, 'LUKKET')")
  await write(
    'vedtak.sql',
    `CREATE TABLE vedtak (sak_id int, vedtak uuid, belop numeric, data jsonb, ferdig boolean, merker text[]);
     INSERT INTO vedtak VALUES (2, '3d3b0f3e-7f3c-4b7e-9a54-0d7c4f8f5a01', 10.50, '{"a": 1}', true, '{a,b}')`,
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test("each source's own query runs on what its file makes, as often as it is asked", async () => {
  for (const _ of [1, 2]) {
    const rows = await sourceRows(made(), at())
    expect(rows).toEqual({
      saker: [
        { id: 1, status: 'APEN' },
        { id: 2, status: 'LUKKET' },
      ],
      vedtak: [
        {
          sak_id: 2,
          vedtak: '3d3b0f3e-7f3c-4b7e-9a54-0d7c4f8f5a01',
          belop: '10.5',
          data: '{"a": 1}',
          ferdig: true,
          merker: ['a', 'b'],
        },
      ],
    })
    expect(await runOn(made(), rows)).toEqual([
      { id: 1, belop: null },
      { id: 2, belop: '10.5' },
    ])
  }
})

test('a federated source has the types and refusals of EXTERNAL_QUERY', async () => {
  await expect(sourceRows(made(pg`SELECT gen_random_uuid() AS id, status FROM sak`), at())).rejects.toThrow(
    /the source saker: EXTERNAL_QUERY does not take these types: id is uuid\. Hint: cast them in the query: id::text AS id/,
  )
  await expect(sourceRows(made(pg`SELECT id, upper(status) FROM sak`), at())).rejects.toThrow(/gives no column status/)
})

test('a file that is missing, that nothing reads, or that Postgres refuses', async () => {
  await write('sakr.sql', '')
  await expect(sourceRows(made(), at())).rejects.toThrow(/has sakr\.sql, which nothing reads/)
  await rm(join(folder, 'sakr.sql'))
  await write('vedtak.sql', 'CREATE TABEL vedtak ()')
  await expect(sourceRows(made(), at())).rejects.toThrow(/vedtak\.sql: Postgres says: syntax error at or near "TABEL"/)
  await rm(join(folder, 'vedtak.sql'))
  await expect(sourceRows(made(), at())).rejects.toThrow(/vedtak\.sql is not there\. Hint: it makes what the source reads/)
})

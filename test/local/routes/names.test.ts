import { expect, test } from 'vitest'
import { call } from '../support/client.ts'
import { useServer } from '../support/server.ts'

const server = useServer()
const named = (sql: string) => call(server.url, 'POST', '/_local/tables', { sql, project: 'own' })

test('the tables that a query names are told, whether they are there or not', async () => {
  const { body } = await named(`
    WITH a AS (SELECT * FROM \`team-prod.saker.sak\` WHERE 'x.y.z' <> type -- FROM not.this.one
    )
    SELECT a.id FROM a JOIN \`team-prod\`.saker.hendelse AS h USING (id), h.detaljer AS d
    WHERE EXISTS (SELECT 1 FROM egne.\`events_*\`) AND id NOT IN (SELECT id FROM a)`)
  expect(new Set(body.tables as object[])).toEqual(
    new Set([
      { project: 'team-prod', dataset: 'saker', table: 'sak' },
      { project: 'team-prod', dataset: 'saker', table: 'hendelse' },
      { project: 'own', dataset: 'egne', table: 'events_*' },
    ]),
  )
})

test('each once, and none of the views that BigQuery makes itself', async () => {
  const { body } = await named('SELECT 1 FROM d.t, d.t AS other, d.INFORMATION_SCHEMA.PARTITIONS')
  expect(body).toEqual({ tables: [{ project: 'own', dataset: 'd', table: 't' }] })
})

test('what is no SQL, or a table without a dataset, is refused in a sentence', async () => {
  expect(await named('SELECT FROM')).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('Syntax error') } },
  })
  expect(await named('SELECT * FROM sak')).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('Table "sak" must be qualified with a dataset') } },
  })
})

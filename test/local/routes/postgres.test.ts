import { expect, test } from 'vitest'
import { call, client, refusal } from '../support/client.ts'
import { useServer } from '../support/server.ts'

const server = useServer()
const seed = (body: object) => call(server.url, 'POST', '/_local/postgres', body)

test("a connection is made known with what is in it, and queried by Google's own client", async () => {
  const made = await seed({
    connection: 'projects/p/locations/europe-north1/connections/nada',
    sql: `CREATE TABLE sak (id int, navn text); INSERT INTO sak VALUES (1, 'Åse')`,
  })
  expect(made).toMatchObject({
    status: 200,
    body: { url: expect.stringMatching(/^postgres:\/\/etl:.+@127\.0\.0\.1:\d+\/kilde_1$/) },
  })
  expect((await seed({ connection: 'p.europe-north1.nada' })).body).toEqual(made.body)
  const query = `SELECT navn FROM EXTERNAL_QUERY('europe-north1.nada', @indre)`
  const params = { indre: 'SELECT navn FROM sak WHERE id = 1' }
  const [rows] = await client(server.url).query({ query, params, location: 'europe-north1' })
  expect(rows).toEqual([{ navn: 'Åse' }])
  const elsewhere = await refusal(client(server.url).query({ query, params, location: 'EU' }))
  expect(elsewhere).toMatchObject({ code: 404, reason: 'notFound' })
  const limited = await refusal(client(server.url).query({ query, params, maximumBytesBilled: '1000000' }))
  expect(limited.message).toContain('maximumBytesBilled is not supported')
})

test('a database has a name of its own, and what Postgres says of a seed is answered', async () => {
  expect((await seed({ database: 'SAK_DB', sql: 'SELECT 1' })).status).toBe(200)
  const wrong = await seed({ database: 'SAK_DB', sql: 'SELEC 1' })
  expect(wrong).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('syntax error at or near "SELEC"') } },
  })
  expect((await seed({})).status).toBe(400)
})

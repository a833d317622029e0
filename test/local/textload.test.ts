import { beforeAll, expect, test } from 'vitest'
import { client, file, load } from './support/client.ts'
import { useServer } from './support/server.ts'

const server = useServer()
beforeAll(() => client(server.url).createDataset('d'))
const schema = {
  fields: [
    { name: 'i', type: 'INT64' },
    { name: 's', type: 'STRING' },
  ],
}
// Larger than the pieces that a file is read in, so that signs of several bytes, quotes and line ends fall on their borders.
const texts = Array.from({ length: 120_000 }, (_, i) => `"æ😀\n${i % 7},`)
const check = async (table: string) => {
  const [rows] = await client(server.url).query(
    `SELECT COUNT(*) AS n, COUNT(DISTINCT s) AS kinds, MIN(LENGTH(s)) AS shortest, MAX(LENGTH(s)) AS longest FROM \`p.d.${table}\``,
  )
  expect(rows).toEqual([{ n: texts.length, kinds: 7, shortest: 6, longest: 6 }])
  const [edge] = await client(server.url).dataset('d').table(table).getRows({ startIndex: '119999' })
  expect(edge).toEqual([{ i: 119_999, s: texts.at(-1) }])
}

test('NDJSON that is longer than one piece', async () => {
  const lines = texts.map((s, i) => `${JSON.stringify({ i, s })}\r\n`)
  const { status } = await load(client(server.url), 'd', 'json', file(server.dir, 'long.json', lines.join('')), {
    sourceFormat: 'NEWLINE_DELIMITED_JSON',
    schema,
  })
  expect(status).toEqual({ state: 'DONE' })
  await check('json')
})

test('CSV that is longer than one piece', async () => {
  const lines = texts.map((s, i) => `${i},"${s.replaceAll('"', '""')}"\r\n`)
  const { status } = await load(client(server.url), 'd', 'csv', file(server.dir, 'long.csv', lines.join('')), {
    sourceFormat: 'CSV',
    schema,
  })
  expect(status).toEqual({ state: 'DONE' })
  await check('csv')
})

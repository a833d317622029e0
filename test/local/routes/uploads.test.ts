import { beforeAll, expect, test } from 'vitest'
import { type Answered, call, client, ended } from '../support/client.ts'
import { startProcess, temporaryFolder, useServer } from '../support/server.ts'

const server = useServer()
beforeAll(() => client(server.url).createDataset('d'))
const rowsOf = async (table: string, url = server.url) => (await client(url).dataset('d').table(table).getRows())[0]
const job = (table: string, more: object = {}) => ({
  configuration: {
    load: {
      sourceFormat: 'NEWLINE_DELIMITED_JSON',
      schema: { fields: [{ name: 's', type: 'STRING' }] },
      destinationTable: { projectId: 'p', datasetId: 'd', tableId: table },
    },
  },
  ...more,
})
const begin = async (table: string, url = server.url) => {
  const begun = await call(url, 'POST', '/upload/bigquery/v2/projects/p/jobs?uploadType=resumable', job(table))
  expect(begun.status).toBe(200)
  return begun.headers.get('location') ?? ''
}
const put = (place: string, body: Buffer | string, range: string) =>
  fetch(place, { method: 'PUT', body: Buffer.from(body), headers: { 'Content-Range': range } })
const finished = async (response: Response, url = server.url) => {
  expect(response.status).toBe(200)
  const { jobReference } = (await response.json()) as { jobReference: { jobId: string } }
  return (await ended(client(url).job(jobReference.jobId))).status
}

test('a resumable upload comes in one piece', async () => {
  const place = await begin('one')
  expect(await finished(await fetch(place, { method: 'PUT', body: '{"s": "a"}\n{"s": "b"}\n' }))).toEqual({ state: 'DONE' })
  expect(await rowsOf('one')).toEqual([{ s: 'a' }, { s: 'b' }])
})

test('an upload of nothing makes an empty table', async () => {
  expect(await finished(await put(await begin('nothing'), '', 'bytes */0'))).toEqual({ state: 'DONE' })
  expect(await rowsOf('nothing')).toEqual([])
})

test('chunks are answered with 308 and what has come, until the last', async () => {
  const place = await begin('chunks')
  const [first, second] = ['{"s": "aaaa', 'bbbb"}\n']
  const total = first.length + second.length
  const nothing = await put(place, '', `bytes */${total}`)
  expect([nothing.status, nothing.headers.get('range')]).toEqual([308, null])
  const part = await put(place, first, `bytes 0-${first.length - 1}/*`)
  expect([part.status, part.headers.get('range')]).toEqual([308, `bytes=0-${first.length - 1}`])
  const question = await put(place, '', `bytes */${total}`)
  expect([question.status, question.headers.get('range')]).toEqual([308, `bytes=0-${first.length - 1}`])
  expect(await finished(await put(place, second, `bytes ${first.length}-${total - 1}/${total}`))).toEqual({ state: 'DONE' })
  expect(await rowsOf('chunks')).toEqual([{ s: 'aaaabbbb' }])
})

test('a chunk sent twice counts once, and so does the last one', async () => {
  const place = await begin('again')
  const text = '{"s": "once"}\n'
  await put(place, text.slice(0, 5), 'bytes 0-4/*')
  await put(place, text.slice(0, 5), 'bytes 0-4/*')
  const last = () => put(place, text.slice(5), `bytes 5-${text.length - 1}/${text.length}`)
  await finished(await last())
  expect(await finished(await last())).toEqual({ state: 'DONE' })
  expect(await rowsOf('again')).toEqual([{ s: 'once' }])
})

test('a chunk that leaves a gap is refused', async () => {
  const response = await put(await begin('gap'), 'x', 'bytes 5-5/*')
  expect([response.status, ((await response.json()) as Answered).error.message]).toEqual([
    400,
    'The upload has 0 bytes; a chunk at 5 leaves a gap.',
  ])
})

test('an upload goes on after the server was killed between two chunks', async () => {
  const { dir, remove } = temporaryFolder()
  const first = await startProcess(dir)
  await client(first.url).createDataset('d')
  const place = new URL(await begin('survived', first.url))
  await put(place.href, '{"s": "a', 'bytes 0-7/*')
  await first.kill()
  const second = await startProcess(dir)
  const same = new URL(`${place.pathname}${place.search}`, second.url).href
  expect(await finished(await put(same, '"}\n', 'bytes 8-10/11'), second.url)).toEqual({ state: 'DONE' })
  expect(await rowsOf('survived', second.url)).toEqual([{ s: 'a' }])
  await second.stop()
  remove()
})

test('an unknown session is not found', async () => {
  const place = `${server.url}/upload/bigquery/v2/projects/p/jobs?uploadType=resumable&upload_id=00000000-0000-0000-0000-000000000000`
  expect((await put(place, 'x', 'bytes 0-0/1')).status).toBe(404)
})

test('a multipart upload may hold anything, also what looks like its boundary', async () => {
  const content = `{"s": "--edge"}\n{"s": "--edge--"}\n`
  const body = `--edge\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(job('multipart'))}\r\n--edge\r\nContent-Type: */*\r\n\r\n${content}\r\n--edge--\r\n`
  const reply = await call(server.url, 'POST', '/upload/bigquery/v2/projects/p/jobs?uploadType=multipart', body, {
    'Content-Type': 'multipart/related; boundary="edge"',
  })
  expect((await ended(client(server.url).job(reply.body.jobReference.jobId))).status).toEqual({ state: 'DONE' })
  expect(await rowsOf('multipart')).toEqual([{ s: '--edge' }, { s: '--edge--' }])
})

test('a multipart upload without its end is refused', async () => {
  const body = `--edge\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(job('cut'))}\r\n--edge\r\n\r\n{"s": "a"}\n`
  const reply = await call(server.url, 'POST', '/upload/projects/p/jobs?uploadType=multipart', body, {
    'Content-Type': 'multipart/related; boundary=edge',
  })
  expect([reply.status, reply.body.error.message]).toEqual([400, 'The multipart upload ends before its last boundary.'])
  expect(await client(server.url).dataset('d').table('cut').exists()).toEqual([false])
})

test('an upload with a used job id is a duplicate', async () => {
  const start = async () => {
    const request = job('named', { jobReference: { projectId: 'p', jobId: 'named' } })
    const begun = await call(server.url, 'POST', '/upload/bigquery/v2/projects/p/jobs?uploadType=resumable', request)
    return fetch(begun.headers.get('location') ?? '', { method: 'PUT', body: '{"s": "a"}\n' })
  }
  expect((await start()).status).toBe(200)
  expect((await start()).status).toBe(409)
})

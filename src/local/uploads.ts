import { randomUUID } from 'node:crypto'
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { now } from './clock.ts'
import { BigQueryError } from './contract.ts'
import type { JsonObject } from './json.ts'
import { parseObject } from './json.ts'

/** A resumable upload. It lies on disk, so that it survives the server between two chunks. */
export type Session = {
  readonly id: string
  readonly project: string
  readonly request: JsonObject
  readonly path: string
  /** The job that the finished upload became. */
  readonly job?: string
}

export type Uploads = {
  /** Reads a multipart/related body: the JSON of the job, then the file, which goes to disk piece by piece. */
  multipart(body: Readable, contentType: string): Promise<{ readonly request: JsonObject; readonly path: string }>
  begin(project: string, request: JsonObject): Session
  /** Throws `notFound`. */
  session(id: string): Session
  received(session: Session): number
  /** Adds the bytes of a chunk that begins at `offset`; bytes that are there already are passed over. Gives the new length. */
  append(session: Session, body: Readable, offset: number): Promise<number>
  finished(session: Session, job: string): void
}

/**
 * The uploads under a data directory. What an earlier process left half-read, and files of jobs that were started, are removed; open
 * sessions stay for a week (Google: Resumable media upload, 'session URIs expire after one week').
 */
export function openUploads(dir: string): Uploads {
  const folder = join(dir, 'uploads')
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (isLeftOver(join(folder, name))) rmSync(join(folder, name), { force: true })
  const file = (id: string) => join(folder, `${id}.json`)
  const write = (session: Session) => writeFileSync(file(session.id), JSON.stringify(session))
  const received = (session: Session) => statSync(session.path).size
  return {
    received,
    async multipart(body, contentType) {
      const boundary = /boundary=(?:"([^"]+)"|([^\s;]+))/.exec(contentType)
      const name = boundary?.[1] ?? boundary?.[2]
      if (!name) throw new BigQueryError('invalid', 'A multipart upload needs a boundary in its Content-Type.')
      const path = join(folder, `multipart-${randomUUID()}`)
      try {
        return { request: await readMultipart(body, name, path), path }
      } catch (error) {
        rmSync(path, { force: true })
        throw error
      }
    },
    begin(project, request) {
      const id = randomUUID()
      const session = { id, project, request, path: join(folder, `${id}.data`) }
      writeFileSync(session.path, '')
      write(session)
      return session
    },
    session(id) {
      if (!/^[0-9a-f-]{36}$/.test(id) || !existsSync(file(id)))
        throw new BigQueryError('notFound', 'Not found: this upload session.')
      return JSON.parse(readFileSync(file(id), 'utf8'))
    },
    async append(session, body, offset) {
      const there = received(session)
      if (offset > there) throw new BigQueryError('invalid', `The upload has ${there} bytes; a chunk at ${offset} leaves a gap.`)
      if (offset < there) truncateSync(session.path, offset)
      await pipeline(body, createWriteStream(session.path, { flags: 'a' }))
      return received(session)
    },
    finished: (session, job) => write({ ...session, job }),
  }
}

function isLeftOver(path: string): boolean {
  if (basename(path).startsWith('multipart-') || now() - statSync(path).mtimeMs > 7 * 24 * 3600_000) return true
  const session = path.replace(/\.data$/, '.json')
  return session !== path && (!existsSync(session) || JSON.parse(readFileSync(session, 'utf8')).job !== undefined)
}

/** RFC 2387. The first part is kept in memory (it is the job), the rest streams to the file, whose end is then cut at the last boundary. */
async function readMultipart(body: Readable, boundary: string, path: string): Promise<JsonObject> {
  const out = await open(path, 'w')
  let head: Buffer = Buffer.alloc(0)
  let request: JsonObject | undefined
  try {
    for await (const chunk of body) {
      if (request) await out.write(chunk)
      else {
        head = Buffer.concat([head, chunk])
        const parts = splitHead(head, boundary)
        if (parts) {
          request = parseObject(parts.json)
          await out.write(parts.rest)
        } else if (head.length > 1 << 20)
          throw new BigQueryError('invalid', 'The first part of a multipart upload must be a small JSON job.')
      }
    }
    if (!request) throw new BigQueryError('invalid', 'A multipart upload needs two parts: the JSON of the job, and the file.')
    const size = (await out.stat()).size
    const tail = Buffer.alloc(Math.min(size, boundary.length + 64))
    const reader = await open(path, 'r')
    await reader.read(tail, 0, tail.length, size - tail.length)
    await reader.close()
    const end = tail.lastIndexOf(`--${boundary}--`)
    if (end < 0) throw new BigQueryError('invalid', 'The multipart upload ends before its last boundary.')
    const lineEnd = tail[end - 1] === 10 ? (tail[end - 2] === 13 ? 2 : 1) : 0
    await truncate(path, size - tail.length + end - lineEnd)
    return request
  } finally {
    await out.close()
  }
}

/** The JSON of the first part and what has come of the second, once both part headers are complete. */
function splitHead(head: Buffer, boundary: string): { json: string; rest: Buffer } | undefined {
  const text = head.toString('latin1')
  const mark = `--${boundary}`
  const first = text.indexOf(mark)
  const firstBody = bodyStart(text, first)
  const second = firstBody < 0 ? -1 : text.indexOf(`\n${mark}`, firstBody)
  const secondBody = second < 0 ? -1 : bodyStart(text, second + 1)
  if (secondBody < 0) return undefined
  return { json: head.toString('utf8', firstBody, second).trimEnd(), rest: head.subarray(secondBody) }
}

/** Where the body of the part begins whose boundary is at `mark`: after its headers and an empty line. */
function bodyStart(text: string, mark: number): number {
  if (mark < 0) return -1
  const [crlf, lf] = [text.indexOf('\r\n\r\n', mark), text.indexOf('\n\n', mark)]
  if (crlf >= 0 && (lf < 0 || crlf < lf)) return crlf + 4
  return lf < 0 ? -1 : lf + 2
}

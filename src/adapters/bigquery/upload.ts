import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { EtlError } from '../../domain/error.ts'
import { type Answer, type Api, repeated } from './api.ts'
import { Failure } from './errors.ts'
import type { Configuration, Job } from './jobs.ts'

/** Bytes of one request: a multiple of 256 KiB (BigQuery: Resumable uploads). */
const chunkBytes = 8 * 1024 * 1024

/** A file of so many bytes goes with its job in one request (Google: Upload types, 'multipart: 5 MB or less'). */
const singleBytes = 5_000_000

/**
 * Submits a load job with a file of this machine: a small one in one request, whose answer, if it is lost, the job's id stands for; a larger one by a
 * resumable upload, of which a part whose answer is lost is sent again from where the service says it is; `onDoubt` hears of it. The client library's own
 * upload can't be repeated and puts labels into the wrong place.
 * @throws Failure, a passing one where the upload must begin again; EtlError `bug` if the file is gone.
 */
export async function upload(
  api: Api,
  id: string,
  configuration: Configuration,
  path: string,
  onDoubt: () => void,
): Promise<Job> {
  const file = await open(path).catch(cause => {
    throw new EtlError('bug', 'a file that was to be loaded is gone.', { cause })
  })
  try {
    const { size } = await file.stat()
    const job = { jobReference: { projectId: api.project, jobId: id, location: api.location }, configuration }
    if (size <= singleBytes) return await single(api, job, await file.readFile())
    const session = await start(api, job, size)
    if ('status' in session) return session
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size))
    for (let offset = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
      const answer = await put(api, session.url, buffer.subarray(0, bytesRead), offset, size, onDoubt)
      if (answer.status !== 308) return answer.data as Job
      offset = received(answer)
    }
  } finally {
    await file.close()
  }
}

/** RFC 2387. A boundary of 128 random bits stands in no file. */
async function single(api: Api, job: unknown, content: Uint8Array): Promise<Job> {
  const url = `${api.address}/upload/bigquery/v2/projects/${api.project}/jobs?uploadType=multipart`
  const boundary = `etl-${randomBytes(16).toString('hex')}`
  const part = (type: string) => `--${boundary}\r\nContent-Type: ${type}\r\n\r\n`
  const body = Buffer.concat([
    Buffer.from(`${part('application/json; charset=UTF-8')}${JSON.stringify(job)}\r\n${part('application/octet-stream')}`),
    content,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return checked(await api.send(url, 'POST', { 'Content-Type': `multipart/related; boundary=${boundary}` }, body)).data as Job
}

async function start(api: Api, job: unknown, size: number): Promise<{ url: string } | Job> {
  const url = `${api.address}/upload/bigquery/v2/projects/${api.project}/jobs?uploadType=resumable`
  const headers = {
    'Content-Type': 'application/json',
    'X-Upload-Content-Type': 'application/octet-stream',
    'X-Upload-Content-Length': String(size),
  }
  const answer = checked(await api.send(url, 'POST', headers, JSON.stringify(job)))
  const location = answer.headers.get('location')
  if (location === null) throw new Failure(answer.status, 'noUploadAddress', '')
  return { url: location }
}

/** One part. After a lost answer or a 5xx the service is asked how far it is (Content-Range: bytes *\/size). */
async function put(api: Api, url: string, part: Uint8Array, offset: number, size: number, onDoubt: () => void): Promise<Answer> {
  const range = `bytes ${offset}-${offset + part.length - 1}/${size}`
  try {
    return known(await inSession(api, url, range, part))
  } catch (error) {
    if (!(error instanceof Failure && error.passing) || error.reason === gone) throw error
    // The part may have arrived, and with the last one the job.
    onDoubt()
    return known(await repeated(api.policy, api.clock, () => inSession(api, url, `bytes */${size}`, new Uint8Array())))
  }
}

const gone = 'uploadSessionGone'

async function inSession(api: Api, url: string, range: string, part: Uint8Array): Promise<Answer> {
  const answer = await api.send(url, 'PUT', { 'Content-Range': range }, part)
  return isGone(answer) ? answer : checked(answer)
}

/** A session that is over for good: the file is sent again from its beginning (Google: Resumable uploads, '404 Not Found'), if the job isn't there. */
function known(answer: Answer): Answer {
  if (isGone(answer)) throw new Failure(answer.status, gone, '', true)
  return answer
}

function isGone({ status }: Answer): boolean {
  return status === 404 || status === 410
}

/** How many bytes have arrived: `Range: bytes=0-N`, no header for none. */
function received(answer: Answer): number {
  const last = /^bytes=0-(\d+)$/.exec(answer.headers.get('range') ?? '')?.[1]
  return last === undefined ? 0 : Number(last) + 1
}

function checked(answer: Answer): Answer {
  if (answer.status < 300 || answer.status === 308) return answer
  const error = (answer.data as { error?: { message?: string; errors?: readonly { reason?: string }[] } } | undefined)?.error
  throw new Failure(answer.status, error?.errors?.[0]?.reason ?? `http ${answer.status}`, error?.message ?? '')
}

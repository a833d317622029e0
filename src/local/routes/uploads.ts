import type { Answer, Call, Routes } from '../call.ts'
import { BigQueryError } from '../contract.ts'
import { type Jobs, jobResource, readJobRequest } from '../jobs.ts'
import type { JsonObject } from '../json.ts'
import { loadWork } from '../load.ts'
import type { Database } from '../store.ts'
import { openUploads, type Session } from '../uploads.ts'

/** Uploads of load jobs: multipart, and resumable in chunks (Google: Resumable media upload). */
export function uploadRoutes(database: Database, jobs: Jobs, beforeCommit: (jobId: string) => Promise<void>): Routes {
  const uploads = openUploads(database.dir)
  const start = async (call: Call, project: string, request: JsonObject, path: string) => {
    const job = readJobRequest(project, request)
    if (!job.configuration.load) throw new BigQueryError('invalid', 'An upload needs a load configuration.')
    const configuration = { jobType: 'LOAD', ...job.configuration }
    const started = await jobs.start({ ...job, configuration, work: loadWork(database, path, beforeCommit) })
    return { id: started.id, answer: { body: jobResource(started, call.origin) } satisfies Answer }
  }
  const done = async (call: Call, session: Session): Promise<Answer> => {
    if (session.job !== undefined) return { body: jobResource(await jobs.get(session.project, session.job), call.origin) }
    const { id, answer } = await start(call, session.project, session.request, session.path)
    uploads.finished(session, id)
    return answer
  }
  return {
    'POST /upload/projects/:project/jobs': async call => {
      const project = call.at.project ?? ''
      const type = call.query.get('uploadType') ?? 'multipart'
      if (type === 'multipart') {
        const { request, path } = await uploads.multipart(call.incoming, call.headers['content-type'] ?? '')
        return (await start(call, project, request, path)).answer
      }
      if (type !== 'resumable') throw new BigQueryError('invalid', `Unknown uploadType: ${type}. Use multipart or resumable.`)
      const session = uploads.begin(project, await call.json())
      const place = `${call.origin}/upload/bigquery/v2/projects/${project}/jobs?uploadType=resumable&upload_id=${session.id}`
      return { status: 200, headers: { Location: place, 'X-GUploader-UploadID': session.id } }
    },
    'PUT /upload/projects/:project/jobs': async call => {
      const session = uploads.session(call.query.get('upload_id') ?? '')
      if (session.job !== undefined) return done(call, session)
      const range = /^bytes (?:\*|(\d+)-(\d+))\/(\*|\d+)$/.exec(call.headers['content-range'] ?? 'bytes */*')
      const isQuestion =
        call.headers['content-range'] !== undefined &&
        range?.[1] === undefined &&
        Number(call.headers['content-length'] ?? 0) === 0
      const length = isQuestion
        ? uploads.received(session)
        : await uploads.append(session, call.incoming, Number(range?.[1] ?? 0))
      const total = call.headers['content-range'] === undefined ? length : range?.[3] === '*' ? undefined : Number(range?.[3])
      if (total === length) return done(call, session)
      return { status: 308, headers: length > 0 ? { Range: `bytes=0-${length - 1}` } : {} }
    },
  }
}

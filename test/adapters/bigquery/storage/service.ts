import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterEach } from 'vitest'

const made = JSON.parse(readFileSync(new URL('batch.json', import.meta.url), 'utf8')) as Record<string, string>
const schema = Buffer.from(made.schema ?? '', 'base64')
/** Five rows, of which the last two are `half`. */
export const batch = { arrow_record_batch: { serialized_record_batch: Buffer.from(made.batch ?? '', 'base64') }, row_count: 5 }
export const half = { arrow_record_batch: { serialized_record_batch: Buffer.from(made.half ?? '', 'base64') }, row_count: 2 }

const proto = fileURLToPath(new URL('../../../../src/adapters/bigquery/storage/read.proto', import.meta.url))
const loaded = loadPackageDefinition(loadSync(proto, { longs: Number, enums: String, defaults: true, keepCase: true }))
/** The service as a client that gRPC makes of its description. */
export const { BigQueryRead } = (
  loaded as never as { google: { cloud: { bigquery: { storage: { v1: { BigQueryRead: ServiceClientConstructor } } } } } }
).google.cloud.bigquery.storage.v1

/** What is answered to ReadRows: messages, then the end, a code that it breaks with, or nothing any more. */
export type Rows = { readonly messages: readonly object[]; readonly end?: keyof typeof status | 'hang' }
type Asked = { readonly stream: string; readonly offset: number }

const closing: Server[] = []
afterEach(() => {
  for (const server of closing.splice(0)) server.forceShutdown()
})

/*
 * What the service may do and the independent server never does: break in the middle, refuse. A stand-in that speaks the same protocol.
 */
export async function storageService(session: readonly string[] | keyof typeof status, answer: (asked: Asked) => Rows) {
  const asked: Asked[] = []
  const sessions: Record<string, unknown>[] = []
  const server = new Server()
  server.addService(BigQueryRead.service as never, {
    CreateReadSession({ request }: { request: Record<string, unknown> }, done: sendUnaryData<object>) {
      sessions.push(request)
      if (typeof session === 'string') return done({ code: status[session], details: 'no' })
      done(null, { arrow_schema: { serialized_schema: schema }, streams: session.map(name => ({ name })) })
    },
    ReadRows(call: ServerWritableStream<{ read_stream: string; offset: number }, object>) {
      const one = { stream: call.request.read_stream, offset: call.request.offset }
      asked.push(one)
      const { messages, end } = answer(one)
      for (const message of messages) call.write(message)
      if (end === undefined) call.end()
      else if (end !== 'hang') call.emit('error', { code: status[end], details: 'broken' })
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  closing.push(server)
  return { address: `127.0.0.1:${port}`, asked, sessions }
}

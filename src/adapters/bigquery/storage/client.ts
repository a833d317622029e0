import { fileURLToPath } from 'node:url'
import { type ClientReadableStream, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { type Api, repeated } from '../api.ts'
import { Failure } from '../errors.ts'
import { createAhead } from './ahead.ts'

/** A table's rows as they were when the session was made, in streams that may be read side by side. */
type Session = { readonly schema: Uint8Array; readonly streams: readonly string[] }

/** A stream's next rows: an Arrow record batch. */
type Batch = { readonly bytes: Uint8Array; readonly rows: number }

/** Google's Storage Read API, as much as is used of it. */
export type StorageClient = {
  /** One try. Throws a `Failure`. */
  createSession(table: string, columns: readonly string[], streams: number, signal: AbortSignal): Promise<Session>
  /** The batches of a stream behind so many rows of it; ends quietly when `signal` aborts. Throws a `Failure` where it breaks. */
  readRows(stream: string, offset: number, signal: AbortSignal): AsyncGenerator<Batch>
  close(): void
}

/**
 * How many bytes may be under way to us. With HTTP/2's own 64 KiB (RFC 9113: 6.9.2) a stream makes 2.6 MB a second at most where the way there and back
 * takes 25 ms.
 */
const flowWindow = 4 * 1024 * 1024

/** A stream's batches that have come and are not worked off, in bytes, beside one that is. */
const aheadBytes = 8 * 1024 * 1024

/** How long the service may take to make a session, in milliseconds: it looks at every file of a table. */
const sessionTimeout = 60_000

/** Opens a channel; nothing is sent yet. */
export function openStorage(api: Api, address: string): StorageClient {
  const proto = fileURLToPath(new URL('read.proto', import.meta.url))
  const definition = loadSync(proto, { longs: Number, enums: String, defaults: true, keepCase: true })
  const { BigQueryRead } = (loadPackageDefinition(definition) as unknown as Loaded).google.cloud.bigquery.storage.v1
  const signed = credentials.createFromMetadataGenerator((_, done) => {
    api.authorization().then(
      headers => {
        const metadata = new Metadata()
        for (const [name, value] of headers) metadata.set(name, value)
        done(null, metadata)
      },
      error => done(error),
    )
  })
  const channel = api.local
    ? credentials.createInsecure()
    : credentials.combineChannelCredentials(credentials.createSsl(), signed)
  // A batch is as large as the service makes it (BigQuery: ReadRows, 'at most 128 MB').
  // A connection that has gone silent is found out in half a minute, and the stream taken up on another.
  const alive = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 }
  const options = { 'grpc.max_receive_message_length': -1, 'grpc-node.flow_control_window': flowWindow, ...alive }
  const stub = new BigQueryRead(address, channel, options)
  /** The service routes a call by the resource that it names (googleapis: routing headers). */
  const routed = (name: string, value: string) => {
    const metadata = new Metadata()
    metadata.set('x-goog-request-params', `${name}=${encodeURIComponent(value)}`)
    return metadata
  }
  const once = (request: object, metadata: object, signal: AbortSignal) =>
    new Promise<RawSession>((resolve, reject) => {
      const call = stub.CreateReadSession(
        request,
        metadata,
        { deadline: api.clock.now().getTime() + sessionTimeout },
        (error, answer) => (error === null ? resolve(answer as RawSession) : reject(failureOfCall(error))),
      )
      signal.addEventListener('abort', () => call.cancel(), { once: true })
    })
  return {
    async createSession(table, columns, streams, signal) {
      const session = { table, data_format: 'ARROW', read_options: { selected_fields: columns } }
      const request = { parent: `projects/${api.project}`, read_session: session, max_stream_count: streams }
      const answer = await repeated(
        api.policy,
        api.clock,
        () => once(request, routed('read_session.table', table), signal),
        signal,
      )
      return {
        schema: answer.arrow_schema?.serialized_schema ?? new Uint8Array(),
        streams: answer.streams.map(({ name }) => name),
      }
    },
    async *readRows(stream, offset, signal) {
      if (signal.aborted) return
      const ahead = createAhead(aheadBytes, message => sizeOf(message as RawRows))
      const options = { interceptors: [ahead.interceptor] }
      const call = stub.ReadRows({ read_stream: stream, offset }, routed('read_stream', stream), options)
      const stop = () => {
        call.cancel()
        ahead.open()
      }
      signal.addEventListener('abort', stop, { once: true })
      try {
        for await (const message of call as AsyncIterable<RawRows>) {
          const { arrow_record_batch: batch, row_count: rows } = message
          if (batch !== null) yield { bytes: batch.serialized_record_batch, rows }
          ahead.done(sizeOf(message))
        }
      } catch (error) {
        if (!signal.aborted) throw failureOfCall(error as ServiceError)
      } finally {
        signal.removeEventListener('abort', stop)
        stop()
      }
    },
    close: () => stub.close(),
  }
}

type Done = (error: ServiceError | null, answer?: unknown) => void
type Stub = {
  CreateReadSession(request: object, metadata: object, options: object, done: Done): { cancel(): void }
  ReadRows(request: object, metadata: object, options: object): ClientReadableStream<RawRows>
  close(): void
}
type Loaded = {
  google: {
    cloud: { bigquery: { storage: { v1: { BigQueryRead: new (address: string, channel: unknown, options: object) => Stub } } } }
  }
}
type RawSession = {
  readonly arrow_schema: { readonly serialized_schema: Uint8Array } | null
  readonly streams: readonly { readonly name: string }[]
}
type RawRows = {
  readonly arrow_record_batch: { readonly serialized_record_batch: Uint8Array } | null
  readonly row_count: number
}

const sizeOf = ({ arrow_record_batch: batch }: RawRows) => batch?.serialized_record_batch.length ?? 0

/** gRPC's status codes as the REST API would have said them (google.rpc.Code: 'HTTP Mapping'). */
const codes: Readonly<Record<number, readonly [status: number | undefined, reason: string]>> = {
  // A reset of the connection comes as the first two as well, and an aborted call may be made again (gRPC: Status codes).
  1: [undefined, 'CANCELLED'],
  2: [undefined, 'UNKNOWN'],
  10: [undefined, 'ABORTED'],
  3: [400, 'invalid'],
  4: [undefined, 'DEADLINE_EXCEEDED'],
  5: [404, 'notFound'],
  7: [403, 'accessDenied'],
  8: [429, 'rateLimitExceeded'],
  12: [501, 'notImplemented'],
  13: [500, 'internalError'],
  14: [undefined, 'UNAVAILABLE'],
  16: [401, 'noCredentials'],
}

function failureOfCall(error: ServiceError): Failure {
  const [status, reason] = codes[error.code] ?? [400, `grpc ${error.code}`]
  return new Failure(status, reason, error.details ?? '')
}

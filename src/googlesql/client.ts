import { GoogleSqlError, requestLimit } from './error.ts'
import { loadService } from './protos.ts'
import { protoFolder, type ServerProcess, startServer } from './server.ts'

/** Calls methods of Google's server by name, starting it at the first call and again after it ended. */
export type Client = {
  /** Throws GoogleSqlError. `request` and the answer are as the protos say. */
  call(method: string, request: object): Promise<Record<string, unknown>>
  close(): Promise<void>
}

/** Makes a client; nothing is started or loaded until the first call. */
export function createClient(): Client {
  let connection: Promise<Connection> | undefined
  let closed = false
  const connected = async () => {
    if (closed) throw new GoogleSqlError('unable', "Google's evaluator was closed")
    connection ??= connect()
    const current = connection
    try {
      const ready = await current
      if (ready.server.alive()) return ready
      ready.stub.close()
    } catch (error) {
      if (connection === current) connection = undefined
      throw error
    }
    if (connection === current) connection = undefined
    return connected()
  }
  return {
    async call(method, request) {
      const { stub, server } = await connected()
      return invoke(stub, server, method, request)
    },
    async close() {
      closed = true
      const open = await connection?.catch(() => undefined)
      open?.stub.close()
      await open?.server.stop()
    },
  }
}

type Callback = (error: { code: number; details: string } | null, answer?: Record<string, unknown>) => void
type Stub = {
  close(): void
  /** Writes the request of a method as it goes over the wire. */
  write(method: string, request: object): Buffer
  invoke(method: string, written: Buffer, done: Callback): void
}
type Connection = { readonly server: ServerProcess; readonly stub: Stub }

const unavailable = 14

async function connect(): Promise<Connection> {
  for (let attempt = 1; ; attempt++) {
    const server = await startServer()
    const stub = await createStub(server.port)
    if (await answers(server, stub)) return { server, stub }
    stub.close()
    await server.stop()
    if (attempt === 3)
      throw new GoogleSqlError(
        'unable',
        "Google's evaluator (@fivetrandevelopers/zetasql) did not start on this machine. It runs on Linux and macOS, x64 and arm64; 'npm ci' installs it.",
      )
  }
}

async function answers(server: ServerProcess, stub: Stub): Promise<boolean> {
  for (let tries = 0; tries < 400 && server.alive(); tries++) {
    const code = await new Promise<number>(resolve =>
      stub.invoke('FormatSql', stub.write('FormatSql', { sql: 'select 1' }), error => resolve(error?.code ?? 0)),
    )
    if (code !== unavailable) return code === 0
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return false
}

// The package is slow to load: only who evaluates SQL pays for it.
async function createStub(port: number): Promise<Stub> {
  const { Client, credentials } = await import('@grpc/grpc-js')
  const methodOf = await loadService(protoFolder(), 'local_service.proto', 'zetasql.local_service.ZetaSqlLocalService')
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 200,
    'grpc.enable_http_proxy': 0,
  })
  return {
    close: () => client.close(),
    write: (method, request) => methodOf(method).write(request),
    // A request's size is checked before it is sent, so it comes here written already: writing it is most of the work.
    invoke(method, written, done) {
      const { path, read } = methodOf(method)
      client.makeUnaryRequest(path, (bytes: Buffer) => bytes, read, written, done)
    },
  }
}

function invoke(stub: Stub, server: ServerProcess, method: string, request: object): Promise<Record<string, unknown>> {
  const written = stub.write(method, request)
  if (written.length > requestLimit) {
    const megabytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
    throw new GoogleSqlError(
      'tooLarge',
      `the statement and the rows of its tables take ${megabytes(written.length)} MiB, more than the ${megabytes(requestLimit)} MiB that Google's evaluator takes in one request`,
    )
  }
  return new Promise((resolve, reject) => {
    stub.invoke(method, written, (error, answer) => (error === null ? resolve(answer ?? {}) : reject(said(error, server))))
  })
}

function said(error: { code: number; details: string }, server: ServerProcess): GoogleSqlError {
  if (error.code === 3 || error.code === 5) return new GoogleSqlError('invalid', error.details)
  if (error.code === 11) return new GoogleSqlError('failed', error.details)
  // Too large a request, or more rows between two steps than the evaluator's memory holds (128 MiB).
  if (error.code === 8)
    return new GoogleSqlError(
      'tooLarge',
      `the rows of this statement are more than Google's evaluator can hold (${error.details})`,
    )
  const ended = error.code === unavailable || !server.alive() ? ' and broke down over it' : ''
  // Further lines of a reason are a dump of the statement's tree.
  const reason = error.details.split('\n')[0]?.trim() || 'it gives no reason'
  return new GoogleSqlError('unable', `Google's evaluator can't do this${ended}: ${reason}`)
}

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as immediate } from 'node:timers/promises'
import type pg from 'pg'
import { EtlError } from '../../domain/error.ts'
import { int32 } from '../../domain/int32.ts'

/**
 * Rows of a COPY in the binary format, as they came: field `column` of row `row` is `sizes[i]` bytes of `bytes` from `starts[i]`, where
 * i = row × columns + column; a size of -1 is NULL. It holds until the next one is asked for.
 */
export type Frame = {
  readonly bytes: Buffer
  readonly rows: number
  readonly starts: Int32Array
  readonly sizes: Int32Array
}

/**
 * Runs `COPY … TO STDOUT (FORMAT binary)` and gives its rows frame by frame; the server is held back while nobody asks. The messages are read here and
 * not by `pg`, which makes an object and an event of each row: 5 M of them cost more than all that is done with the rows.
 * Source of the formats: postgresql.org/docs/current/protocol-message-formats.html and sql-copy.html, 'Binary Format'.
 * @throws what the server says (pg.DatabaseError), or the failure of the connection.
 */
export async function* copyOut(client: pg.Client, sql: string, columns: number): AsyncGenerator<Frame> {
  const query = new CopyQuery(sql)
  const ended = query.ended.promise
  // Awaited below; it may fail before that.
  ended.catch(() => {})
  client.query(query as unknown as pg.Submittable)
  const stream = await Promise.race([query.started.promise, ended.then(neverStarted)])
  const messages = reader(columns)
  for (;;) {
    const chunk = stream.read() as Buffer | null
    if (chunk !== null) {
      messages.add(chunk)
      if (messages.waiting() < enough) {
        // Postgres sends 8 kB at a time: what has come meanwhile is taken along.
        await immediate()
        if (stream.readableLength > 0) continue
      }
      const { frame, rest } = messages.take()
      if (frame.rows > 0) yield frame
      if (rest === undefined) continue
      query.giveBack(rest)
      break
    }
    if (stream.readableEnded || stream.destroyed) break
    await Promise.race([once(stream, 'readable'), ended.then(() => {})])
    if (query.isOver) break
  }
  await ended
}

function neverStarted(): never {
  throw new EtlError('bug', 'a COPY ended before it began')
}

/** What pg calls a Submittable: it takes the socket while rows come, and gives it back with the first message that is none. */
class CopyQuery {
  readonly started = Promise.withResolvers<Socket>()
  readonly ended = Promise.withResolvers<void>()
  isOver = false
  readonly #sql: string
  #stream: Socket | undefined
  #listener: ((chunk: Buffer) => void) | undefined

  constructor(sql: string) {
    this.#sql = sql
  }

  submit(connection: { stream: Socket; query(sql: string): void }): void {
    const { stream } = connection
    this.#stream = stream
    this.#listener = stream.listeners('data')[0] as (chunk: Buffer) => void
    stream.removeListener('data', this.#listener)
    stream.pause()
    connection.query(this.#sql)
    this.started.resolve(stream)
  }

  giveBack(rest: Buffer): void {
    const [stream, listener] = [this.#stream as Socket, this.#listener as (chunk: Buffer) => void]
    stream.removeAllListeners('readable')
    stream.on('data', listener)
    listener(rest)
    stream.resume()
  }

  handleError(error: Error): void {
    this.isOver = true
    this.ended.reject(error)
  }

  handleReadyForQuery(): void {
    this.isOver = true
    this.ended.resolve()
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
}

const copyData = 0x64
/** CopyOutResponse, ParameterStatus, NoticeResponse, NotificationResponse: may come before and between the rows. */
const passing: ReadonlySet<number> = new Set([0x48, 0x53, 0x4e, 0x41])
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')

/** So many bytes make a frame, if they come at once. */
const enough = 128 * 1024

type Messages = {
  /** Takes what has come; no frame holds after it. */
  add(chunk: Buffer): void
  /** Bytes that are not in a frame yet. */
  waiting(): number
  /** The rows that are whole. `rest`, where there is one, starts with the message that ends them. */
  take(): { readonly frame: Frame; readonly rest: Buffer | undefined }
}

/** Takes the messages of the connection apart. */
function reader(columns: number): Messages {
  let held = Buffer.allocUnsafeSlow(256 * 1024)
  let used = 0
  let starts = new Int32Array(1024 * columns)
  let sizes = new Int32Array(1024 * columns)
  let begun = false

  let read = 0

  const add = (chunk: Buffer) => {
    // What is left of a row moves to the front only now, when the frame of before is no longer held.
    held.copyWithin(0, read, used)
    used -= read
    read = 0
    if (used + chunk.length > held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * held.length, used + chunk.length))
      held.copy(larger, 0, 0, used)
      held = larger
    }
    chunk.copy(held, used)
    used += chunk.length
  }
  const take = () => {
    const bytes = held
    let [at, field, rows] = [0, 0, 0]
    let rest: Buffer | undefined
    while (used - at >= 5) {
      const code = bytes[at] as number
      const end = at + 1 + int32(bytes, at + 1)
      if (code !== copyData && !passing.has(code)) {
        rest = Buffer.from(bytes.subarray(at, used))
        at = used
        break
      }
      if (end > used) break
      let next = at + 5
      at = end
      if (code !== copyData) continue
      if (!begun) {
        if (!bytes.subarray(next, next + signature.length).equals(signature))
          throw new EtlError('bug', 'the server sent no COPY in the binary format')
        next += 19 + int32(bytes, next + 15)
        begun = true
        if (next === end) continue
      }
      const fields = ((bytes[next] as number) << 8) | (bytes[next + 1] as number)
      next += 2
      // -1 ends the file.
      if (fields === 0xffff) continue
      if (fields !== columns) throw new EtlError('bug', `a row of ${fields} fields where ${columns} were asked for`)
      if (field + columns > starts.length) [starts, sizes] = [doubled(starts), doubled(sizes)]
      for (let column = 0; column < columns; column++) {
        const size = int32(bytes, next)
        next += 4
        starts[field] = next
        sizes[field++] = size
        if (size > 0) next += size
      }
      if (next !== end) throw new EtlError('bug', 'a message of a COPY is not one row')
      rows++
    }
    read = at
    return { frame: { bytes, rows, starts, sizes }, rest }
  }
  return { add, take, waiting: () => used - read }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length)
  larger.set(array)
  return larger
}
